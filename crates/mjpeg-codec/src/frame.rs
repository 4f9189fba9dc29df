//! One frame and the contents of its header.

use std::fmt;

use bytes::Bytes;

use crate::jpeg::{frame_header::FrameHeader, marker};

/// One JPEG image: exactly its bytes from SOI to EOI.
///
/// Cloning shares the bytes. `Debug` prints the size, length and offset, not the bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Frame {
    bytes: Bytes,
    offset: u64,
    header: FrameHeader,
}

impl Frame {
    pub(crate) fn new(bytes: Bytes, offset: u64, header: FrameHeader) -> Self {
        Self {
            bytes,
            offset,
            header,
        }
    }

    /// Replaces the bytes, which must hold the same image.
    pub(crate) fn with_bytes(self, bytes: Bytes) -> Self {
        Self { bytes, ..self }
    }

    /// Returns the image, from the first byte of SOI to the last byte of EOI.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Returns the image like [`bytes`](Self::bytes), and drops the rest.
    pub fn into_bytes(self) -> Bytes {
        self.bytes
    }

    /// Returns where the frame began, in bytes from the start of the stream.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Returns the picture's width in samples, never 0 (T.81 B.2.2: X).
    pub fn width(&self) -> u16 {
        self.header.width
    }

    /// Returns the picture's height in lines (T.81 B.2.2: Y, or B.2.5: NL of a DNL segment where Y
    /// is 0).
    ///
    /// Returns 0 if the frame header leaves the height open and no DNL segment states it.
    pub fn height(&self) -> u16 {
        self.header.height
    }

    /// Returns the second byte of the frame's SOF marker: `C0` for baseline, `C1` for extended
    /// sequential, `C2` for progressive, and so on (T.81 table B.1).
    pub fn sof(&self) -> u8 {
        self.header.sof
    }

    /// Returns the bits per sample (T.81 B.2.2: P).
    pub fn precision_bits(&self) -> u8 {
        self.header.precision
    }

    /// Returns the number of colour components (T.81 B.2.2: Nf).
    pub fn components(&self) -> u8 {
        self.header.components
    }

    /// Returns whether browsers' decoders can be expected to show this frame: 8 bit, 1, 3 or 4
    /// components, and a single SOF0, SOF1 or SOF2 that states both sizes (Chromium does not read
    /// the height from a DNL segment).
    ///
    /// One undecodable part ends a Motion-JPEG stream for good in Chromium and WebKit (measured).
    /// A relay therefore holds such frames back.
    pub fn displayable(&self) -> bool {
        matches!(self.header.sof, marker::SOF0 | marker::SOF1 | marker::SOF2)
            && self.header.precision == 8
            && matches!(self.header.components, 1 | 3 | 4)
            && self.header.plain
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (width, height, len) = (self.width(), self.height(), self.bytes.len());
        let offset = self.offset;
        write!(
            f,
            "Frame {{ {width}x{height}, {len} bytes, offset {offset} }}"
        )
    }
}
