//! The segments of an encoded small picture.

use crate::{
    jpeg::{
        marker::{APP0, APP14, DQT, SOF0, SOI, SOS},
        tables::TYPICAL_SEGMENT,
    },
    repair::{Orientation, exif},
    small::{
        dct::{CHROMINANCE, LUMINANCE, Quantizer},
        picture::Colours,
    },
};

/// What the headers state.
#[derive(Clone, Copy, Debug)]
pub(super) struct Headers {
    pub(super) width: u16,
    pub(super) height: u16,
    pub(super) colours: Colours,
    pub(super) orientation: Orientation,
    /// How many samples of brightness share one of colour, across and down.
    pub(super) ratio: (u8, u8),
}

impl Headers {
    /// Returns what comes before the data of the scan.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0xFF, SOI];
        match self.colours {
            // A version, no transform. JFIF allows no RGB.
            Colours::Rgb => put(&mut bytes, APP14, b"Adobe\0\x64\0\0\0\0\0"),
            // A version, no unit, pixels as wide as high, no thumbnail.
            _ => put(&mut bytes, APP0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0"),
        }
        if self.orientation != Orientation::UPRIGHT {
            bytes.extend(exif::segment(self.orientation));
        }
        put_quantizer(&mut bytes, 0, &LUMINANCE);
        if self.colours == Colours::YCbCr {
            put_quantizer(&mut bytes, 1, &CHROMINANCE);
        }
        let [(y1, y2), (x1, x2)] = [self.height, self.width].map(|size| {
            let [high, low] = size.to_be_bytes();
            (high, low)
        });
        let sampling = self.ratio.0 << 4 | self.ratio.1;
        let (frame, scan): (&[u8], &[u8]) = match self.colours {
            Colours::Grey => (&[1, 1, 0x11, 0], &[1, 1, 0x00, 0, 63, 0]),
            Colours::YCbCr => (
                &[3, 1, sampling, 0, 2, 0x11, 1, 3, 0x11, 1],
                &[3, 1, 0x00, 2, 0x11, 3, 0x11, 0, 63, 0],
            ),
            Colours::Rgb => (
                &[3, b'R', 0x11, 0, b'G', 0x11, 0, b'B', 0x11, 0],
                &[3, b'R', 0x00, b'G', 0x00, b'B', 0x00, 0, 63, 0],
            ),
        };
        put(&mut bytes, SOF0, &[&[8, y1, y2, x1, x2], frame].concat());
        bytes.extend(TYPICAL_SEGMENT);
        put(&mut bytes, SOS, scan);
        bytes
    }
}

fn put_quantizer(bytes: &mut Vec<u8>, id: u8, quantizer: &Quantizer) {
    put(bytes, DQT, &[&[id][..], &quantizer.table].concat());
}

/// Appends a segment; its payload is short.
fn put(bytes: &mut Vec<u8>, code: u8, payload: &[u8]) {
    bytes.extend([0xFF, code]);
    bytes.extend((payload.len() as u16 + 2).to_be_bytes());
    bytes.extend(payload);
}
