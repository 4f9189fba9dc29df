//! Encodes pixels as JPEG.

use bytes::Bytes;
use jpeg_encoder::{ColorType, ImageBuffer, SamplingFactor};

use crate::error::Error;

/// Encodes RGB pixels as a baseline JPEG with 4:2:0 chroma.
///
/// ```
/// use mjpeg_picture::Encoder;
///
/// let (width, height) = (64, 48);
/// let red = [200, 30, 30].repeat(width * height);
/// let jpeg = Encoder::default().with_quality(90)?.encode_rgb(&red, 64, 48)?;
/// assert!(jpeg.starts_with(&[0xFF, 0xD8]) && jpeg.ends_with(&[0xFF, 0xD9]));
/// # Ok::<(), mjpeg_picture::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoder {
    pub(crate) quality: u8,
}

impl Default for Encoder {
    fn default() -> Self {
        Self {
            quality: DEFAULT_QUALITY,
        }
    }
}

impl Encoder {
    /// Sets the JPEG quality, from 1 (small and coarse) to 100. The default is 75. A higher quality
    /// costs bytes and a little time.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Quality`] if the quality is out of bounds.
    pub fn with_quality(mut self, quality: u8) -> Result<Self, Error> {
        Error::check_quality(quality)?;
        self.quality = quality;
        Ok(self)
    }

    /// Returns the JPEG quality.
    pub fn quality(&self) -> u8 {
        self.quality
    }

    /// Encodes a picture: rows from top to bottom, three bytes (red, green, blue) per pixel, no
    /// padding between rows. Takes any size that JPEG can have, 1x1 to 65535x65535.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Pixels`] if `rgb` does not have `3 * width * height` bytes, or if a side is
    /// 0.
    pub fn encode_rgb(&self, rgb: &[u8], width: u16, height: u16) -> Result<Bytes, Error> {
        let pixels = usize::from(width) * usize::from(height);
        if pixels == 0 || pixels.checked_mul(3) != Some(rgb.len()) {
            let bytes = rgb.len();
            return Err(Error::Pixels {
                width,
                height,
                bytes,
            });
        }
        Ok(encoded(self.quality, pixels, |encoder| {
            encoder.encode(rgb, width, height, ColorType::Rgb)
        }))
    }

    /// Encodes a picture of at least 1x1 pixels.
    pub(crate) fn encode_image(&self, image: impl ImageBuffer) -> Bytes {
        let pixels = usize::from(image.width()) * usize::from(image.height());
        encoded(self.quality, pixels, |encoder| encoder.encode_image(image))
    }
}

type JpegEncoder<'a> = jpeg_encoder::Encoder<&'a mut Vec<u8>>;

fn encoded(
    quality: u8,
    pixels: usize,
    encode: impl FnOnce(JpegEncoder<'_>) -> Result<(), jpeg_encoder::EncodingError>,
) -> Bytes {
    // An estimate that spares most pictures a reallocation. The capacity is corrected below.
    let mut jpeg = Vec::with_capacity(1024 + pixels / 8);
    let mut encoder = jpeg_encoder::Encoder::new(&mut jpeg, quality);
    encoder.set_sampling_factor(SamplingFactor::R_4_2_0);
    encode(encoder).expect("the size is right, no segments are added, and a Vec takes every write");
    // Frames are kept and counted by their length, so they must not hold more memory than that.
    jpeg.shrink_to_fit();
    Bytes::from(jpeg)
}

const DEFAULT_QUALITY: u8 = 75;
