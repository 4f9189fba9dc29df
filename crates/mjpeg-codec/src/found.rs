//! The output of the splitter and the multipart parser.

use std::ops::Range;

use crate::{error::DiscardReason, frame::Frame};

/// What a [`Splitter`](crate::Splitter) or a [multipart parser](crate::multipart::Parser) found in
/// the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Found {
    /// A whole frame.
    Frame(Frame),
    /// Bytes that are not part of any frame.
    Discarded {
        /// Why they are not.
        reason: DiscardReason,
        /// Where they are, in bytes from the start of the stream. Ranges and frames follow one
        /// another without gap or overlap.
        range: Range<u64>,
    },
}
