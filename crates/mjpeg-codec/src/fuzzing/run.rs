//! Runs a stream through the splitter and the parser.

use bytes::Bytes;

use crate::{
    config::{MissingEoi, SplitterConfig},
    found::{Found, Polled},
    framing::headers::PartHeaders,
    multipart::{Parser, ParserConfig},
    splitter::Splitter,
};

/// Checks that a finding is about the bytes at `next`, and returns where they end.
pub(super) fn account(event: &Found, stream: &[u8], next: u64) -> u64 {
    match event {
        Found::Frame(frame) => {
            assert_eq!(frame.offset(), next);
            assert!(frame.bytes().len() <= LIMIT_BYTES);
            let claimed = &stream[next as usize..][..frame.bytes().len()];
            assert_eq!(frame.bytes(), claimed);
            next + frame.bytes().len() as u64
        }
        Found::Discarded { range, .. } => {
            assert_eq!(range.start, next);
            assert!(range.end > range.start);
            range.end
        }
    }
}

pub(super) fn events(stream: &[u8], chunk: usize) -> Vec<Found> {
    run(&limits(false), stream, chunk, push)
}

/// Returns limits that fuzz inputs reach, with `flooded` also that of floods.
pub(super) fn limits(flooded: bool) -> SplitterConfig {
    let config = SplitterConfig::default().with_max_frame_bytes(LIMIT_BYTES);
    if flooded {
        config.with_flood_allowance_bytes(0)
    } else {
        config
    }
}

pub(super) fn push(splitter: &mut Splitter, piece: &[u8]) {
    splitter.push(Bytes::copy_from_slice(piece));
}

/// Like [`push`], through the splitter's own buffer.
pub(super) fn fill(splitter: &mut Splitter, piece: &[u8]) {
    splitter.spare_mut()[..piece.len()].copy_from_slice(piece);
    splitter.filled(piece.len());
}

pub(super) fn run(
    config: &SplitterConfig,
    stream: &[u8],
    chunk: usize,
    feed: impl Fn(&mut Splitter, &[u8]),
) -> Vec<Found> {
    let mut splitter = Splitter::new(config.clone());
    let mut events = Vec::new();
    for piece in stream.chunks(chunk) {
        feed(&mut splitter, piece);
        events.extend(std::iter::from_fn(|| {
            sliced(chunk, |work| splitter.poll_within(work))
        }));
        assert!(splitter.buffer_bytes() <= 2 * (LIMIT_BYTES + chunk) + (256 << 10));
    }
    splitter.finish();
    events.extend(std::iter::from_fn(|| splitter.poll()));
    events
}

/// Polls in slices of so much work.
fn sliced(slice: usize, mut poll: impl FnMut(&mut usize) -> Polled) -> Option<Found> {
    loop {
        let mut work = slice;
        match poll(&mut work) {
            Polled::Found(found) => return Some(found),
            Polled::NeedMore => return None,
            Polled::Busy => assert_eq!(work, 0),
        }
    }
}

pub(super) fn push_part(parser: &mut Parser, piece: &[u8]) {
    parser.push(Bytes::copy_from_slice(piece));
}

pub(super) fn fill_part(parser: &mut Parser, piece: &[u8]) {
    parser.spare_mut()[..piece.len()].copy_from_slice(piece);
    parser.filled(piece.len());
}

/// Parses a multipart stream. Returns frames with their headers.
pub(super) fn parts(
    stream: &[u8],
    chunk: usize,
    accept: bool,
    feed: impl Fn(&mut Parser, &[u8]),
) -> Vec<(Found, PartHeaders)> {
    let missing_eoi = if accept {
        MissingEoi::Accept
    } else {
        MissingEoi::Discard
    };
    let frames = limits(accept).with_missing_eoi(missing_eoi);
    let config = ParserConfig::default()
        .with_splitter(frames)
        .with_max_header_bytes(HEADER_LIMIT_BYTES);
    let mut parser = Parser::new(config);
    let mut events = Vec::new();
    let mut drain = |parser: &mut Parser| {
        while let Some(event) = sliced(chunk, |work| parser.poll_within(work)) {
            let headers = match event {
                Found::Frame(_) => parser.headers(),
                Found::Discarded { .. } => PartHeaders::default(),
            };
            events.push((event, headers));
        }
    };
    for piece in stream.chunks(chunk) {
        feed(&mut parser, piece);
        drain(&mut parser);
    }
    parser.finish();
    drain(&mut parser);
    events
}

/// Small enough that fuzz inputs reach it.
pub(super) const LIMIT_BYTES: usize = 1024;

/// Like [`LIMIT_BYTES`], for the headers of a part.
const HEADER_LIMIT_BYTES: usize = 256;
