//! The test picture.

use std::time::SystemTime;

use bytes::Bytes;

use crate::canvas::Canvas;
use crate::pattern::{GROUND, Pattern};
use crate::{Error, clock};

/// A picture that moves: colour bars, the name of a camera, a clock, a frame number and a rolling
/// ball.
///
/// What stays the same is drawn once, in [`new`](Self::new); [`render`](Self::render) copies it and
/// adds the rest. It holds three bytes per pixel, and takes as many again while it renders.
#[derive(Debug, Clone)]
pub struct TestPicture {
    pattern: Pattern,
    background: Canvas,
    quality: u8,
}

impl TestPicture {
    /// The smallest width and the smallest height, in pixels.
    pub const MIN_SIDE: u16 = 16;

    /// The largest width and the largest height, in pixels.
    ///
    /// JPEG itself would allow 65535, for which a picture would hold 12 GiB; this limit makes it
    /// 192 MiB.
    pub const MAX_SIDE: u16 = 8192;

    /// Draws the part of the picture that does not move.
    ///
    /// Any name will do. Characters outside Latin-1 and control characters show as question marks,
    /// and a name longer than 64 characters, or than there is room for, is cut. Below 80x60 pixels
    /// text may be clipped or left out; the ball always moves.
    ///
    /// # Errors
    ///
    /// [`Error::Size`] if the width or the height is below [`MIN_SIDE`](Self::MIN_SIDE) or above
    /// [`MAX_SIDE`](Self::MAX_SIDE).
    pub fn new(name: &str, width: u16, height: u16) -> Result<Self, Error> {
        let allowed = Self::MIN_SIDE..=Self::MAX_SIDE;
        if !allowed.contains(&width) || !allowed.contains(&height) {
            return Err(Error::Size { width, height });
        }
        let pattern = Pattern::new(name, width, height);
        let mut background = Canvas::new(width, height, GROUND);
        pattern.draw_background(&mut background, name);
        Ok(Self {
            pattern,
            background,
            quality: 75,
        })
    }

    /// Sets the JPEG quality, from 1 (small and coarse) to 100; 75 unless set.
    ///
    /// A value outside these bounds counts as the nearest one inside. A higher quality costs bytes
    /// and a little time.
    #[must_use]
    pub fn quality(mut self, quality: u8) -> Self {
        self.quality = quality.clamp(1, 100);
        self
    }

    /// Draws and encodes one frame: a whole baseline JPEG, from SOI to EOI.
    ///
    /// The frame number moves the ball and is written out, `wall` is shown as the time of day in
    /// UTC. The same arguments give the same bytes.
    pub fn render(&self, frame_number: u64, wall: SystemTime) -> Bytes {
        let mut canvas = self.background.clone();
        self.pattern
            .draw_frame(&mut canvas, frame_number, &clock::time_of_day(wall));
        canvas.encode(self.quality)
    }
}
