//! The iterator over a reader's frames.

use std::{
    collections::VecDeque,
    io::{self, ErrorKind, Read},
};

use mjpeg_codec::{ReadFrames, SplitterConfig, read_frames};
use mjpeg_testkit::jpeg;

/// Reads that give these bytes or errors, then the end.
struct Script(VecDeque<io::Result<Vec<u8>>>);

impl Read for Script {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.pop_front() {
            Some(Ok(bytes)) => {
                buffer[..bytes.len()].copy_from_slice(&bytes);
                Ok(bytes.len())
            }
            Some(Err(error)) => Err(error),
            None => Ok(0),
        }
    }
}

fn script(reads: impl IntoIterator<Item = io::Result<Vec<u8>>>) -> Script {
    Script(reads.into_iter().collect())
}

#[test]
fn frames_come_in_order_and_the_rest_is_counted() {
    let frames: Vec<_> = (0..5).map(jpeg::numbered).collect();
    let stream = frames.iter().flat_map(|f| [&f[..], b"\r\n"].concat());
    let stream: Vec<u8> = stream.collect();
    for size in [1, 7, 1460, 1 << 16] {
        let mut reader = read_frames(script(stream.chunks(size).map(|c| Ok(c.to_vec()))));
        let read = (&mut reader).map(|frame| frame.unwrap().into_bytes());
        assert_eq!(read.collect::<Vec<_>>(), frames, "in chunks of {size}");
        assert_eq!(reader.discarded_bytes(), 10);
        assert!(reader.next().is_none());
    }
}

#[test]
fn interrupted_read_is_repeated_and_another_error_ends_the_frames() {
    let image = jpeg::numbered(1);
    let (a, b) = image.split_at(100);
    let mut reader = read_frames(script([
        Err(ErrorKind::Interrupted.into()),
        Ok(a.to_vec()),
        Err(ErrorKind::Interrupted.into()),
        Ok(b.to_vec()),
        Ok(a.to_vec()),
        Err(ErrorKind::TimedOut.into()),
        Ok(b.to_vec()),
    ]));
    assert_eq!(reader.next().unwrap().unwrap().bytes(), &image);
    let error = reader.next().unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert!(reader.next().is_none());
}

#[test]
fn limits_can_be_chosen() {
    let (large, small) = (jpeg::of_length(1, 3000), jpeg::numbered(2));
    let stream = [&large[..], &small].concat();
    let config = SplitterConfig::default().with_max_frame_bytes(large.len() - 1);
    let mut reader = ReadFrames::new(&stream[..], config);
    assert_eq!(reader.next().unwrap().unwrap().bytes(), &small);
    assert!(reader.next().is_none());
    assert_eq!(reader.discarded_bytes(), large.len() as u64);
}
