//! The wall socket, as its clients see it.

mod client;
mod ends;
mod gates;
mod hostile;
mod tiles;
