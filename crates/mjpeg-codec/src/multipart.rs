//! The multipart form in which Motion-JPEG travels over HTTP (`multipart/x-mixed-replace`, RFC 2046 section 5.1).

mod boundary;
mod part;

pub use boundary::{Boundary, InvalidBoundary};
pub use part::{PartHeaders, render};
