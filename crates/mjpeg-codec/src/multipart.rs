//! The multipart format in which Motion-JPEG travels over HTTP (`multipart/x-mixed-replace`, RFC
//! 2046 section 5.1): reading it from cameras ([`Parser`]) and rendering it for viewers ([`render`]).
//!
//! # What the parser tolerates
//!
//! In a multipart stream, too, the structure of JPEG decides where an image begins and ends. The
//! framing classifies the bytes between the images and carries the time of capture. The parser needs
//! none of the following, so these mistakes of cameras and servers have no consequence:
//!
//! * a boundary declared with its dashes, in quotes, as another one, or not at all;
//! * no boundary before the first part or anywhere (headers begin a part, too), repeated ones, a
//!   closing one;
//! * no line break before the boundary, lines that end in LF, superfluous or missing blank lines;
//! * a `Content-Length` that is missing, padded, wrong, or not a number: it is reported, not used;
//! * headers in any case and order, long, folded, with blanks before the colon, and lines among them
//!   that are not headers;
//! * another `Content-Type`, or one with parameters;
//! * empty parts.
//!
//! These streams are read as far as their bytes allow:
//!
//! * Headers ahead of the image, at the end of the previous part, belong to the next image.
//! * Without a line break after the boundary, the first header is lost.
//! * A part that holds text or anything else but an image is
//!   [`NotJpeg`](crate::DiscardReason::NotJpeg).
//! * If chunk sizes were left in, they are lost, and so is an image that one of them cuts.
//! * A frame that breaks off or is damaged is reported as broken, up to the next delimiter. The next
//!   part is read.
//! * Frames without EOI come out exactly if [`MissingEoi::Accept`](crate::MissingEoi::Accept) is set.
//! * All images of a part come out, with the same headers unless other bytes stand between them.
//!
//! Boundaries that do not begin with two dashes on the wire, and lines that end in CR alone, are not
//! understood. Their images come out, but their headers may be missing.

mod boundary;
mod parser;
mod part;

pub use crate::framing::headers::PartHeaders;
pub use boundary::{Boundary, InvalidBoundary};
pub use parser::{Parser, ParserConfig};
pub use part::{Layout, Part, render};
