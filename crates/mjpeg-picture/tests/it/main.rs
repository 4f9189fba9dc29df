//! The crate through its public face.

mod auto_traits;
mod decode;
mod face;
mod format;
mod look;
mod notice;
