//! Helpers: a picture's pixels from an independent decoder, and its segments.

use std::ops::Range;

use jpeg_decoder::{Decoder, PixelFormat};

#[derive(Debug, PartialEq)]
pub(crate) struct Decoded {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) pixels: Vec<u8>,
}

impl Decoded {
    pub(crate) fn new(jpeg: &[u8]) -> Self {
        let mut decoder = Decoder::new(jpeg);
        let pixels = decoder.decode().expect("a displayable JPEG");
        let info = decoder.info().expect("read by decode");
        assert_eq!(info.pixel_format, PixelFormat::RGB24);
        Self {
            width: info.width.into(),
            height: info.height.into(),
            pixels,
        }
    }

    /// Cuts out the part between two heights and two widths, each in percent.
    pub(crate) fn part(&self, rows: Range<usize>, columns: Range<usize>) -> Self {
        let (top, bottom) = (self.height * rows.start / 100, self.height * rows.end / 100);
        let (left, right) = (
            self.width * columns.start / 100,
            self.width * columns.end / 100,
        );
        let row = |y| &self.pixels[(y * self.width + left) * 3..(y * self.width + right) * 3];
        Self {
            width: right - left,
            height: bottom - top,
            pixels: (top..bottom).flat_map(row).copied().collect(),
        }
    }

    /// Counts the pixels that differ by more than the noise of the compression.
    pub(crate) fn differences(&self, other: &Self) -> usize {
        assert_eq!((self.width, self.height), (other.width, other.height));
        let far = |(a, b): (&[u8], &[u8])| a.iter().zip(b).any(|(a, b)| a.abs_diff(*b) > 60);
        self.pixels
            .chunks(3)
            .zip(other.pixels.chunks(3))
            .filter(|&pair| far(pair))
            .count()
    }
}

/// The segments before the scan, as marker code and payload, and the bytes of the scan with its
/// EOI.
pub(crate) fn segments(jpeg: &[u8]) -> (Vec<(u8, &[u8])>, &[u8]) {
    let mut segments = Vec::new();
    let mut rest = jpeg.strip_prefix(&[0xFF, 0xD8]).expect("SOI");
    loop {
        let [0xFF, marker, high, low, ..] = *rest else {
            panic!("no marker at {rest:02X?}")
        };
        let length = usize::from(u16::from_be_bytes([high, low]));
        segments.push((marker, &rest[4..2 + length]));
        rest = &rest[2 + length..];
        if marker == 0xDA {
            return (segments, rest);
        }
    }
}
