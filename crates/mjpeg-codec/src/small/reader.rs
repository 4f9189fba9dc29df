//! Reads the small picture of a frame.

use crate::{
    entropy::reader::FrameWalk,
    frame::Frame,
    repair::Orientation,
    small::{error::NoSmallPicture, picture::SmallPicture, planes::DcPlanes},
};

impl SmallPicture {
    /// Reads the picture at an eighth of its size from a frame's DC coefficients.
    ///
    /// Takes as long as [`Frame::verify`]. A [`SmallReader`] does the same in slices.
    ///
    /// # Errors
    ///
    /// The frame has no small picture: its coding is not read, or it is damaged.
    pub fn from_frame(frame: &Frame) -> Result<Self, NoSmallPicture> {
        let mut reader = SmallReader::new(frame);
        loop {
            if let Some(read) = reader.step(usize::MAX) {
                return read;
            }
        }
    }
}

/// Reads a small picture like [`SmallPicture::from_frame`], in slices: for a task that must let
/// others have their turn in between.
#[derive(Debug)]
pub struct SmallReader {
    /// `None` once the outcome was returned.
    reader: Option<FrameWalk<DcPlanes>>,
    orientation: Orientation,
}

impl SmallReader {
    /// Begins to read a frame, whose bytes it shares.
    pub fn new(frame: &Frame) -> Self {
        Self {
            reader: Some(FrameWalk::new(frame, DcPlanes::default())),
            orientation: Orientation::of(frame),
        }
    }

    /// Continues for about `work` nanoseconds, estimated from what it does, and for at least one
    /// step. Returns the outcome, once. It does not depend on the slices.
    pub fn step(&mut self, work: usize) -> Option<Result<SmallPicture, NoSmallPicture>> {
        let mut work = work.max(1);
        let outcome = match self.reader.as_mut()?.step(&mut work) {
            Ok(None) => return None,
            Ok(Some(_)) => Ok(()),
            Err(reason) => Err(reason),
        };
        let planes = self.reader.take()?.into_sink();
        Some(outcome.map(|()| planes.finish(self.orientation)))
    }
}
