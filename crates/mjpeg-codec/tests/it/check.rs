//! The one helper that runs a stream through the splitter in every chunking.

use std::fmt;

use bytes::Bytes;
use mjpeg_codec::{DiscardReason, Event, Splitter, SplitterConfig};

/// What a stream must come out as: frames by their bytes, discarded ranges by reason and length.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Expected {
    Frame(Bytes),
    Discarded(DiscardReason, usize),
}

impl fmt::Debug for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Frame(bytes) => write!(f, "Frame({} bytes)", bytes.len()),
            Discarded(reason, len) => write!(f, "Discarded({reason}, {len})"),
        }
    }
}

pub(crate) use Expected::{Discarded, Frame};

/// Checks a stream whole, in chunks of 1, 2, 7 and 1460 bytes, split in two at every place (or, of long streams, at
/// 500 places), and filled into the splitter's own buffer.
#[track_caller]
pub(crate) fn check(stream: &[u8], expected: &[Expected]) {
    check_with(SplitterConfig::default(), stream, expected);
}

#[track_caller]
pub(crate) fn check_with(config: SplitterConfig, stream: &[u8], expected: &[Expected]) {
    assert_eq!(
        outcome(&config, stream.chunks(stream.len().max(1))),
        expected,
        "whole"
    );
    for size in [1, 2, 7, 1460] {
        assert_eq!(
            outcome(&config, stream.chunks(size)),
            expected,
            "in chunks of {size}"
        );
    }
    for cut in (0..stream.len()).step_by((stream.len() / 500).max(1)) {
        let (a, b) = stream.split_at(cut);
        assert_eq!(
            outcome(&config, [a, b].into_iter()),
            expected,
            "split at {cut}"
        );
    }
    assert_eq!(
        outcome_filled(&config, stream),
        expected,
        "filled by a reader"
    );
}

pub(crate) fn outcome<'a>(
    config: &SplitterConfig,
    chunks: impl Iterator<Item = &'a [u8]>,
) -> Vec<Expected> {
    let mut splitter = Splitter::new(config.clone());
    let mut events = Vec::new();
    for chunk in chunks {
        splitter.push(Bytes::copy_from_slice(chunk));
        drain(&mut splitter, &mut events);
    }
    splitter.finish();
    drain(&mut splitter, &mut events);
    summary(events)
}

fn outcome_filled(config: &SplitterConfig, mut stream: &[u8]) -> Vec<Expected> {
    let mut splitter = Splitter::new(config.clone());
    let mut events = Vec::new();
    while !stream.is_empty() {
        let spare = splitter.spare_mut();
        let n = stream.len().min(spare.len()).min(1000);
        spare[..n].copy_from_slice(&stream[..n]);
        splitter.filled(n);
        stream = &stream[n..];
        drain(&mut splitter, &mut events);
    }
    splitter.finish();
    drain(&mut splitter, &mut events);
    summary(events)
}

fn drain(splitter: &mut Splitter, events: &mut Vec<Event>) {
    events.extend(std::iter::from_fn(|| splitter.poll()));
}

/// Drops the offsets, having checked that they leave no gap.
fn summary(events: Vec<Event>) -> Vec<Expected> {
    let mut next = 0;
    let mut summary = Vec::new();
    for event in events {
        match event {
            Event::Frame(frame) => {
                assert_eq!(frame.offset, next);
                next += frame.bytes.len() as u64;
                summary.push(Frame(frame.bytes));
            }
            Event::Discarded { reason, range } => {
                assert_eq!(range.start, next);
                next = range.end;
                summary.push(Discarded(reason, (range.end - range.start) as usize));
            }
            other => panic!("an event this test does not know: {other:?}"),
        }
    }
    summary
}
