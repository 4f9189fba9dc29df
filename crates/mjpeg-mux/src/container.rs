//! What every file format can do.

use bytes::Bytes;

use crate::{clip::Clip, file_pieces::FilePieces};

/// Writes one file format, from its head to its end.
pub(crate) trait Container: Send + Sync {
    /// Begins the file.
    fn head(&mut self, clip: &Clip, out: &mut FilePieces);

    /// Adds the frame `index`, or records that it is missing.
    fn frame(&mut self, clip: &Clip, index: usize, jpeg: Option<Bytes>, out: &mut FilePieces);

    /// Begins to write the end of the file.
    fn end(&mut self, clip: &Clip, out: &mut FilePieces);

    /// Continues what takes more than one piece. Returns whether there was anything to do.
    fn resume(&mut self, _clip: &Clip, _out: &mut FilePieces) -> bool {
        false
    }

    /// Returns the length of the file, if it does not depend on which frames are missing.
    fn content_length(&self) -> Option<u64> {
        None
    }
}
