//! The programs of the HTTP fan-out's load benchmark: a camera, the reference server and the
//! viewers. `cargo xtask bench fanout` runs them with the relay; README.md describes the results.
//!
//! All are synchronous, with one thread or one per connection, so that their cost is easy to see.

mod camera;
mod ceiling;
mod clock;
mod load;
mod picture;
pub(crate) mod proc;
mod system;
mod wire;

pub use camera::main as camera;
pub use ceiling::main as ceiling;
pub use load::main as load;
