//! Runs a stream through the splitter or the multipart parser in every chunking.

use std::{fmt, time::Duration};

use bytes::Bytes;
use mjpeg_codec::{
    DiscardReason, Found, Splitter, SplitterConfig,
    multipart::{Parser, ParserConfig, PartHeaders},
};

/// The expected output of a stream: frames by their bytes, discarded ranges by reason and length.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Expected {
    /// From a splitter.
    Frame(Bytes),
    /// From a parser.
    Part(Bytes, Told),
    Discarded(DiscardReason, usize),
}

/// The headers of a part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) content_type: Option<String>,
    pub(crate) content_length: Option<u64>,
    /// Since the Unix epoch.
    pub(crate) timestamp: Option<Duration>,
}

impl From<PartHeaders> for Told {
    fn from(headers: PartHeaders) -> Self {
        let since = |time: std::time::SystemTime| time.duration_since(std::time::UNIX_EPOCH);
        Self {
            content_type: headers.content_type().map(str::to_owned),
            content_length: headers.content_length(),
            timestamp: headers.timestamp().map(since).transpose().unwrap(),
        }
    }
}

impl fmt::Debug for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Frame(bytes) => write!(f, "Frame({} bytes)", bytes.len()),
            Part(bytes, told) => write!(f, "Part({} bytes, {told:?})", bytes.len()),
            Discarded(reason, len) => write!(f, "Discarded({reason}, {len})"),
        }
    }
}

pub(crate) use Expected::{Discarded, Frame, Part};

/// Checks a stream in one piece, in chunks of 1, 2, 7 and 1460 bytes, split in two at every place
/// (500 places of a long stream), and filled into the splitter's own buffer.
#[track_caller]
pub(crate) fn check(stream: &[u8], expected: &[Expected]) {
    check_with(SplitterConfig::default(), stream, expected);
}

#[track_caller]
pub(crate) fn check_with(config: SplitterConfig, stream: &[u8], expected: &[Expected]) {
    check_reader(|| Splitter::new(config.clone()), stream, expected);
}

/// Like [`check`], for a multipart stream.
#[track_caller]
pub(crate) fn check_parts(stream: &[u8], expected: &[Expected]) {
    check_parts_with(ParserConfig::default(), stream, expected);
}

#[track_caller]
pub(crate) fn check_parts_with(config: ParserConfig, stream: &[u8], expected: &[Expected]) {
    check_reader(|| Parser::new(config.clone()), stream, expected);
}

pub(crate) fn outcome<'a>(
    config: &SplitterConfig,
    chunks: impl Iterator<Item = &'a [u8]>,
) -> Vec<Expected> {
    pushed(Splitter::new(config.clone()), chunks)
}

/// Like [`outcome`], for a multipart stream.
pub(crate) fn parts<'a>(
    config: &ParserConfig,
    chunks: impl Iterator<Item = &'a [u8]>,
) -> Vec<Expected> {
    pushed(Parser::new(config.clone()), chunks)
}

/// Returns only the frames, by their bytes.
pub(crate) fn frames_in(outcome: &[Expected]) -> Vec<Bytes> {
    let frame = |e: &Expected| match e {
        Frame(bytes) | Part(bytes, _) => Some(bytes.clone()),
        Discarded(..) => None,
    };
    outcome.iter().filter_map(frame).collect()
}

/// A splitter or a parser.
trait Reader {
    fn push(&mut self, chunk: Bytes);
    fn spare_mut(&mut self) -> &mut [u8];
    fn filled(&mut self, n: usize);
    fn finish(&mut self);
    fn poll(&mut self) -> Option<Found>;
    fn frame(&self, bytes: Bytes) -> Expected;
}

impl Reader for Splitter {
    fn push(&mut self, chunk: Bytes) {
        self.push(chunk);
    }
    fn spare_mut(&mut self) -> &mut [u8] {
        self.spare_mut()
    }
    fn filled(&mut self, n: usize) {
        self.filled(n);
    }
    fn finish(&mut self) {
        self.finish();
    }
    fn poll(&mut self) -> Option<Found> {
        self.poll()
    }
    fn frame(&self, bytes: Bytes) -> Expected {
        Frame(bytes)
    }
}

impl Reader for Parser {
    fn push(&mut self, chunk: Bytes) {
        self.push(chunk);
    }
    fn spare_mut(&mut self) -> &mut [u8] {
        self.spare_mut()
    }
    fn filled(&mut self, n: usize) {
        self.filled(n);
    }
    fn finish(&mut self) {
        self.finish();
    }
    fn poll(&mut self) -> Option<Found> {
        self.poll()
    }
    fn frame(&self, bytes: Bytes) -> Expected {
        Part(bytes, self.headers().into())
    }
}

#[track_caller]
fn check_reader<R: Reader>(new: impl Fn() -> R, stream: &[u8], expected: &[Expected]) {
    let whole = stream.chunks(stream.len().max(1));
    assert_eq!(pushed(new(), whole), expected, "whole");
    for size in [1, 2, 7, 1460] {
        let outcome = pushed(new(), stream.chunks(size));
        assert_eq!(outcome, expected, "in chunks of {size}");
    }
    for cut in (0..stream.len()).step_by((stream.len() / 500).max(1)) {
        let (a, b) = stream.split_at(cut);
        let outcome = pushed(new(), [a, b].into_iter());
        assert_eq!(outcome, expected, "split at {cut}");
    }
    assert_eq!(filled(new(), stream), expected, "filled by a reader");
}

fn pushed<'a, R: Reader>(mut reader: R, chunks: impl Iterator<Item = &'a [u8]>) -> Vec<Expected> {
    let mut summary = Summary::default();
    for chunk in chunks {
        reader.push(Bytes::copy_from_slice(chunk));
        summary.drain(&mut reader);
    }
    reader.finish();
    summary.drain(&mut reader);
    summary.events
}

fn filled<R: Reader>(mut reader: R, mut stream: &[u8]) -> Vec<Expected> {
    let mut summary = Summary::default();
    while !stream.is_empty() {
        let spare = reader.spare_mut();
        let n = stream.len().min(spare.len()).min(1000);
        spare[..n].copy_from_slice(&stream[..n]);
        reader.filled(n);
        stream = &stream[n..];
        summary.drain(&mut reader);
    }
    reader.finish();
    summary.drain(&mut reader);
    summary.events
}

/// The output without offsets, which were checked to leave no gap.
#[derive(Default)]
struct Summary {
    events: Vec<Expected>,
    next: u64,
}

impl Summary {
    fn drain<R: Reader>(&mut self, reader: &mut R) {
        while let Some(event) = reader.poll() {
            self.events.push(match event {
                Found::Frame(frame) => {
                    assert_eq!(frame.offset(), self.next);
                    self.next += frame.bytes().len() as u64;
                    reader.frame(frame.into_bytes())
                }
                Found::Discarded { reason, range } => {
                    assert_eq!(range.start, self.next);
                    self.next = range.end;
                    Discarded(reason, (range.end - range.start) as usize)
                }
                other => panic!("an event this test does not know: {other:?}"),
            });
        }
    }
}
