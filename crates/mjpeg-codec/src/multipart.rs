//! The multipart form in which Motion-JPEG travels over HTTP (`multipart/x-mixed-replace`, RFC 2046 section 5.1): reading
//! it from cameras, and making it for viewers.

mod boundary;
mod gap;
mod headers;
mod parser;
mod part;

pub use boundary::{Boundary, InvalidBoundary};
pub use headers::PartHeaders;
pub use parser::{Parser, ParserConfig};
pub use part::render;

pub(crate) use gap::Gap;
