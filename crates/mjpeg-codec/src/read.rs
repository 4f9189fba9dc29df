//! The frames of a blocking reader.

use std::io::{self, Read};

use crate::{config::SplitterConfig, found::Found, frame::Frame, splitter::Splitter};

/// Reads the frames of a raw stream, such as a file or a pipe, with the default limits.
///
/// [`ReadFrames::new`] takes other limits. A [`Splitter`] also reports what it discards.
///
/// ```
/// # let recording: &[u8] = &[
/// #     0xFF, 0xD8, 0xFF, 0xC0, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0,
/// #     0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0, 0x2A, 0xFF, 0xD9, b'\r', b'\n',
/// # ];
/// let mut frames = mjpeg_codec::read_frames(recording);
/// for frame in &mut frames {
///     let frame = frame?;
///     println!("{}x{} at byte {}", frame.width(), frame.height(), frame.offset());
/// }
/// assert_eq!(frames.discarded_bytes(), 2);
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn read_frames<R: Read>(reader: R) -> ReadFrames<R> {
    ReadFrames::new(reader, SplitterConfig::default())
}

/// An iterator over the frames of a reader. Created by [`read_frames`].
///
/// It ends with the reader. It also ends after an error, which does not include
/// [`Interrupted`](io::ErrorKind::Interrupted): such a read is repeated.
#[derive(Debug)]
pub struct ReadFrames<R> {
    /// `None` after the end and after an error.
    reader: Option<R>,
    splitter: Splitter,
    discarded_bytes: u64,
}

impl<R: Read> ReadFrames<R> {
    /// Creates an iterator over the frames of `reader` within the given limits.
    pub fn new(reader: R, config: SplitterConfig) -> Self {
        Self {
            reader: Some(reader),
            splitter: Splitter::new(config),
            discarded_bytes: 0,
        }
    }

    /// Returns how many bytes so far were not part of a frame.
    pub fn discarded_bytes(&self) -> u64 {
        self.discarded_bytes
    }

    /// Reads once.
    fn fill(&mut self, reader: &mut R) -> io::Result<ReadOutcome> {
        loop {
            match reader.read(self.splitter.spare_mut()) {
                Ok(0) => return Ok(ReadOutcome::Ended),
                Ok(n) => {
                    self.splitter.filled(n);
                    return Ok(ReadOutcome::More);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl<R: Read> Iterator for ReadFrames<R> {
    type Item = io::Result<Frame>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.splitter.poll() {
                Some(Found::Frame(frame)) => return Some(Ok(frame)),
                Some(Found::Discarded { range, .. }) => {
                    self.discarded_bytes += range.end - range.start;
                    continue;
                }
                None => {}
            }
            let mut reader = self.reader.take()?;
            match self.fill(&mut reader) {
                Ok(ReadOutcome::More) => self.reader = Some(reader),
                Ok(ReadOutcome::Ended) => self.splitter.finish(),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

/// The outcome of a read.
enum ReadOutcome {
    More,
    Ended,
}
