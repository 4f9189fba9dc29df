//! The moving test picture.

use std::time::SystemTime;

use bytes::Bytes;

use crate::canvas::Canvas;
use crate::clock;
use crate::encoder::Encoder;
use crate::error::Error;
use crate::limits;
use crate::palette::GROUND;
use crate::pattern::Pattern;

/// A moving test picture: colour bars, the name of a camera, a clock, a frame number and a rolling
/// ball.
///
/// [`new`](Self::new) draws the static part once; [`render`](Self::render) copies it and adds the
/// rest. The picture holds three bytes per pixel, and as many again while it renders.
#[derive(Debug, Clone)]
pub struct TestPicture {
    pattern: Pattern,
    background: Canvas,
    encoder: Encoder,
}

impl TestPicture {
    /// The smallest width and the smallest height, in pixels.
    pub const MIN_SIDE: u16 = limits::MIN_SIDE;

    /// The largest width and the largest height, in pixels.
    ///
    /// JPEG itself allows 65535, for which a picture would hold 12 GiB. With this limit, it holds
    /// at most 192 MiB.
    pub const MAX_SIDE: u16 = limits::MAX_SIDE;

    /// Draws the static part of a picture, of JPEG quality 75.
    ///
    /// Any name is valid. Dashes, quotation marks and ellipses are replaced by the font's nearest
    /// characters; control characters and others outside Latin-1 show as question marks. A name is
    /// cut after 64 characters, or where the room ends. Below 80x60 pixels, text may be clipped or
    /// missing; the ball always moves.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Size`] if the width or the height is below [`MIN_SIDE`](Self::MIN_SIDE) or
    /// above [`MAX_SIDE`](Self::MAX_SIDE).
    pub fn new(name: &str, width: u16, height: u16) -> Result<Self, Error> {
        Error::check_size(width, height)?;
        let pattern = Pattern::new(name, width, height);
        let mut background = Canvas::new(width, height, GROUND);
        pattern.draw_background(&mut background, name);
        Ok(Self {
            pattern,
            background,
            encoder: Encoder::default(),
        })
    }

    /// Sets the JPEG quality, from 1 (small and coarse) to 100. The default is 75. A higher quality
    /// costs bytes and a little time.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Quality`] if the quality is out of bounds.
    pub fn with_quality(mut self, quality: u8) -> Result<Self, Error> {
        self.encoder = self.encoder.with_quality(quality)?;
        Ok(self)
    }

    /// Returns the JPEG quality.
    pub fn quality(&self) -> u8 {
        self.encoder.quality()
    }

    /// Draws and encodes one frame: a whole baseline JPEG, from SOI to EOI.
    ///
    /// The picture shows the frame number, which also moves the ball, and `wall` as the time of day
    /// in UTC. The same arguments give the same bytes.
    pub fn render(&self, frame_number: u64, wall: SystemTime) -> Bytes {
        let mut canvas = self.background.clone();
        self.pattern
            .draw_frame(&mut canvas, frame_number, &clock::time_of_day(wall));
        self.encoder.encode_image(&canvas)
    }
}
