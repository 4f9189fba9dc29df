//! The configuration file, as a user sees it.

mod check;
mod layers;
mod printed;
mod reachable;
mod running;
