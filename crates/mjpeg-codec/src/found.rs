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

/// What [`Splitter::poll_within`](crate::Splitter::poll_within) or
/// [`Parser::poll_within`](crate::multipart::Parser::poll_within) achieved.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Polled {
    /// This comes next in the stream.
    Found(Found),
    /// All bytes at hand were looked at; more are needed.
    NeedMore,
    /// The work allowed is done, but not all of it: poll again, once others have had their turn.
    Busy,
}
