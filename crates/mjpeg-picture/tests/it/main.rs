//! Tests of the public API.

mod auto_traits;
mod decode;
mod encoder;
mod face;
mod format;
mod look;
mod notice;
