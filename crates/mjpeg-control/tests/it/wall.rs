//! The wall socket, as its clients see it.

mod client;
mod ends;
mod hostile;
mod tiles;
