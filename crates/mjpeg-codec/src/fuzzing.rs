//! Oracles that fuzz targets and the replay tests share. Each panics when its promise does not hold.

use bytes::Bytes;

use crate::{Event, Frame, Splitter, SplitterConfig};

/// Small enough that fuzz inputs reach it.
const LIMIT_BYTES: usize = 1024;

/// The events do not depend on the chunking. The input's first byte chooses the chunks.
pub fn codec_chunk_independent(data: &[u8]) {
    let Some((&seed, stream)) = data.split_first() else {
        return;
    };
    let whole = events(stream, stream.len().max(1));
    assert_eq!(whole, events(stream, 1));
    assert_eq!(whole, events(stream, usize::from(seed) + 2));
    assert_eq!(whole, events_filled(stream, usize::from(seed) + 2));
}

/// Frames and discarded ranges cover the stream in order; each frame is a copy of the bytes it claims and stands by itself.
pub fn codec_accounting(stream: &[u8]) {
    let mut next = 0;
    for event in events(stream, stream.len().max(1)) {
        match event {
            Event::Frame(frame) => {
                let len = frame.bytes.len() as u64;
                assert_eq!(frame.offset, next);
                assert!(frame.bytes.len() <= LIMIT_BYTES);
                assert_eq!(frame.bytes, stream[next as usize..][..len as usize]);
                let again = Frame::parse(frame.bytes.clone()).expect("a frame parses by itself");
                assert_eq!(
                    (again.width, again.height, again.sof()),
                    (frame.width, frame.height, frame.sof())
                );
                assert_eq!(again.verify(), frame.verify());
                next += len;
            }
            Event::Discarded { range, .. } => {
                assert_eq!(range.start, next);
                assert!(range.end > range.start);
                next = range.end;
            }
        }
    }
    assert_eq!(next, stream.len() as u64);
}

fn events(stream: &[u8], chunk: usize) -> Vec<Event> {
    run(stream, chunk, |splitter, piece| {
        splitter.push(Bytes::copy_from_slice(piece))
    })
}

/// The same by way of the splitter's own buffer.
fn events_filled(stream: &[u8], chunk: usize) -> Vec<Event> {
    run(stream, chunk, |splitter, piece| {
        splitter.spare_mut()[..piece.len()].copy_from_slice(piece);
        splitter.filled(piece.len());
    })
}

fn run(stream: &[u8], chunk: usize, feed: impl Fn(&mut Splitter, &[u8])) -> Vec<Event> {
    let mut splitter = Splitter::new(SplitterConfig::default().max_frame_bytes(LIMIT_BYTES));
    let mut events = Vec::new();
    for piece in stream.chunks(chunk) {
        feed(&mut splitter, piece);
        events.extend(std::iter::from_fn(|| splitter.poll()));
    }
    splitter.finish();
    events.extend(std::iter::from_fn(|| splitter.poll()));
    events
}
