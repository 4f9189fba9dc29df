//! Uses only mjpeg-codec: finds a frame between garbage, in a stream that arrives in chunks.

use bytes::Bytes;
use mjpeg_codec::{Found, Splitter, SplitterConfig};

/// A grey picture of 8x8 between line ends.
const STREAM: &[u8] = b"\r\n\xFF\xD8\xFF\xC0\x00\x0B\x08\x00\x08\x00\x08\x01\x01\x11\x00\
                        \xFF\xDA\x00\x08\x01\x01\x00\x00\x3F\x00\x2A\xFF\xD9\r\n";

fn main() {
    let mut splitter = Splitter::new(SplitterConfig::default());
    let mut frames = Vec::new();
    let mut discarded = 0;
    let mut collect = |splitter: &mut Splitter| {
        while let Some(event) = splitter.poll() {
            match event {
                Found::Frame(frame) => frames.push(frame),
                Found::Discarded { range, .. } => discarded += range.end - range.start,
                _ => {}
            }
        }
    };
    for chunk in STREAM.chunks(5) {
        splitter.push(Bytes::from_static(chunk));
        collect(&mut splitter);
    }
    splitter.finish();
    collect(&mut splitter);

    assert_eq!(frames.len(), 1);
    assert_eq!((frames[0].width(), frames[0].height()), (8, 8));
    assert_eq!(*frames[0].bytes(), STREAM[2..STREAM.len() - 2]);
    assert_eq!(discarded, 4);
}
