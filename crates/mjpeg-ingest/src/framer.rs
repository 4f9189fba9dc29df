//! The part of the codec that reads a framing.

use mjpeg_codec::{
    Polled, Splitter, SplitterConfig,
    multipart::{Parser, ParserConfig, PartHeaders},
};

use crate::connect::Framing;

/// Finds the frames in bytes.
pub(crate) enum Framer {
    Concatenated(Splitter),
    Multipart(Parser),
}

impl Framer {
    pub(crate) fn new(framing: Framing, config: SplitterConfig) -> Self {
        match framing {
            Framing::Concatenated => Self::Concatenated(Splitter::new(config)),
            Framing::Multipart => {
                Self::Multipart(Parser::new(ParserConfig::default().with_splitter(config)))
            }
        }
    }

    pub(crate) fn poll_within(&mut self, work: &mut usize) -> Polled {
        match self {
            Self::Concatenated(splitter) => splitter.poll_within(work),
            Self::Multipart(parser) => parser.poll_within(work),
        }
    }

    /// The headers of the frame just found.
    pub(crate) fn headers(&self) -> PartHeaders {
        match self {
            Self::Concatenated(_) => PartHeaders::default(),
            Self::Multipart(parser) => parser.headers(),
        }
    }

    pub(crate) fn spare_mut(&mut self) -> &mut [u8] {
        match self {
            Self::Concatenated(splitter) => splitter.spare_mut(),
            Self::Multipart(parser) => parser.spare_mut(),
        }
    }

    pub(crate) fn filled(&mut self, n: usize) {
        match self {
            Self::Concatenated(splitter) => splitter.filled(n),
            Self::Multipart(parser) => parser.filled(n),
        }
    }

    pub(crate) fn finish(&mut self) {
        match self {
            Self::Concatenated(splitter) => splitter.finish(),
            Self::Multipart(parser) => parser.finish(),
        }
    }

    pub(crate) fn cut_off(&mut self) {
        match self {
            Self::Concatenated(splitter) => splitter.cut_off(),
            Self::Multipart(parser) => parser.cut_off(),
        }
    }

    pub(crate) fn refill(&mut self) {
        match self {
            Self::Concatenated(splitter) => splitter.refill(),
            Self::Multipart(parser) => parser.refill(),
        }
    }

    pub(crate) fn cost(&self) -> u64 {
        match self {
            Self::Concatenated(splitter) => splitter.cost(),
            Self::Multipart(parser) => parser.cost(),
        }
    }
}
