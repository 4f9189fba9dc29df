//! The part of the codec that reads a framing.

use std::mem;

use mjpeg_codec::{
    Polled, Splitter, SplitterConfig,
    multipart::{Parser, ParserConfig, PartHeaders},
};

use crate::framing::Framing;

/// Finds the frames in bytes.
pub(crate) enum Framer {
    /// The splitter, and what is said of its first frame.
    Concatenated(Splitter, PartHeaders),
    Multipart(Parser),
}

impl Framer {
    pub(crate) fn new(framing: Framing, config: SplitterConfig) -> Self {
        match framing {
            Framing::Concatenated => {
                Self::Concatenated(Splitter::new(config), PartHeaders::default())
            }
            Framing::Multipart => {
                Self::Multipart(Parser::new(ParserConfig::default().with_splitter(config)))
            }
        }
    }

    /// Sets what is said of frames that have no headers.
    #[cfg(feature = "http")]
    pub(crate) fn with_marks(mut self, marks: PartHeaders) -> Self {
        if let Self::Concatenated(_, headers) = &mut self {
            *headers = marks;
        }
        self
    }

    pub(crate) fn poll_within(&mut self, work: &mut usize) -> Polled {
        match self {
            Self::Concatenated(splitter, _) => splitter.poll_within(work),
            Self::Multipart(parser) => parser.poll_within(work),
        }
    }

    /// The headers of the frame just found. What is said of a whole answer holds for its first
    /// frame.
    pub(crate) fn take_headers(&mut self) -> PartHeaders {
        match self {
            Self::Concatenated(_, headers) => mem::take(headers),
            Self::Multipart(parser) => parser.headers(),
        }
    }

    /// The latest line that separates parts, if there was one; `None` where there are no parts.
    #[cfg(feature = "http")]
    pub(crate) fn delimiter(&self) -> Option<Option<&[u8]>> {
        match self {
            Self::Concatenated(..) => None,
            Self::Multipart(parser) => Some(parser.delimiter()),
        }
    }

    pub(crate) fn spare_mut(&mut self) -> &mut [u8] {
        match self {
            Self::Concatenated(splitter, _) => splitter.spare_mut(),
            Self::Multipart(parser) => parser.spare_mut(),
        }
    }

    pub(crate) fn filled(&mut self, n: usize) {
        match self {
            Self::Concatenated(splitter, _) => splitter.filled(n),
            Self::Multipart(parser) => parser.filled(n),
        }
    }

    pub(crate) fn finish(&mut self) {
        match self {
            Self::Concatenated(splitter, _) => splitter.finish(),
            Self::Multipart(parser) => parser.finish(),
        }
    }

    pub(crate) fn cut_off(&mut self) {
        match self {
            Self::Concatenated(splitter, _) => splitter.cut_off(),
            Self::Multipart(parser) => parser.cut_off(),
        }
    }

    pub(crate) fn refill(&mut self) {
        match self {
            Self::Concatenated(splitter, _) => splitter.refill(),
            Self::Multipart(parser) => parser.refill(),
        }
    }

    pub(crate) fn cost(&self) -> u64 {
        match self {
            Self::Concatenated(splitter, _) => splitter.cost(),
            Self::Multipart(parser) => parser.cost(),
        }
    }
}
