//! The crate through its public face.

mod auto_traits;
mod decode;
mod encoder;
mod face;
mod format;
mod look;
mod notice;
