//! Frames one after another.

use bytes::Bytes;

use crate::{clip::Clip, container::Container, file_pieces::FilePieces};

/// A file that is nothing but the frames.
pub(crate) struct Concat;

impl Container for Concat {
    fn head(&mut self, _clip: &Clip, _out: &mut FilePieces) {}

    fn frame(&mut self, _clip: &Clip, _index: usize, jpeg: Option<Bytes>, out: &mut FilePieces) {
        if let Some(jpeg) = jpeg {
            out.pass(jpeg);
        }
    }

    fn end(&mut self, _clip: &Clip, _out: &mut FilePieces) {}
}
