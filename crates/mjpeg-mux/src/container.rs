//! What every format of a file does.

use bytes::Bytes;

use crate::{clip::Clip, file_pieces::FilePieces};

/// A format of a file, between its head and its end.
pub(crate) trait Container: Send + Sync {
    /// Begins the file.
    fn head(&mut self, clip: &Clip, out: &mut FilePieces);

    /// Adds the frame `index`, or notes that it is gone.
    fn frame(&mut self, clip: &Clip, index: usize, jpeg: Option<Bytes>, out: &mut FilePieces);

    /// Begins the end of the file.
    fn end(&mut self, clip: &Clip, out: &mut FilePieces);

    /// Goes on with what takes more than one piece. Returns whether there was anything to do.
    fn resume(&mut self, _clip: &Clip, _out: &mut FilePieces) -> bool {
        false
    }

    /// The length of the file, if it is the same whichever frames are gone.
    fn content_length(&self) -> Option<u64> {
        None
    }
}
