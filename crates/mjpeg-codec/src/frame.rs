//! One frame and the contents of its header.

use std::fmt;

use bytes::Bytes;

use crate::jpeg::{frame_header::FrameHeader, marker};

/// One JPEG image: exactly its bytes from SOI to EOI.
///
/// Cloning shares the bytes. `Debug` prints the size, length and offset, not the bytes.
#[derive(Clone)]
pub struct Frame {
    bytes: Bytes,
    offset: u64,
    header: FrameHeader,
    /// The size of the buffer that `bytes` is a slice of.
    memory_bytes: usize,
    has_eoi: bool,
}

impl Frame {
    /// Creates a frame from bytes that are a slice of a buffer of `memory_bytes`.
    pub(crate) fn new(
        bytes: Bytes,
        memory_bytes: usize,
        offset: u64,
        header: FrameHeader,
        has_eoi: bool,
    ) -> Self {
        Self {
            bytes,
            offset,
            header,
            memory_bytes,
            has_eoi,
        }
    }

    /// Takes note that an EOI was appended.
    pub(crate) fn with_eoi(self) -> Self {
        Self {
            has_eoi: true,
            ..self
        }
    }

    /// Replaces the bytes, which must hold the same image, and the size of their buffer.
    pub(crate) fn with_bytes(self, bytes: Bytes, memory_bytes: usize) -> Self {
        Self {
            bytes,
            memory_bytes,
            ..self
        }
    }

    /// Returns the same frame in another buffer: `copy` gets the image, and returns a copy of it.
    ///
    /// For frames that are kept for long, because [`memory_bytes`](Self::memory_bytes) may be a
    /// multiple of their length. The copy counts with its length.
    ///
    /// # Panics
    ///
    /// If the copy has another length.
    pub fn copied(&self, copy: impl FnOnce(&[u8]) -> Bytes) -> Self {
        let bytes = copy(&self.bytes);
        assert_eq!(bytes.len(), self.bytes.len(), "a copy of the same image");
        let memory_bytes = bytes.len();
        self.clone().with_bytes(bytes, memory_bytes)
    }

    /// Returns the image, from the first byte of SOI to the last byte of EOI, if it has one.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Returns the image like [`bytes`](Self::bytes), and drops the rest.
    pub fn into_bytes(self) -> Bytes {
        self.bytes
    }

    /// Returns whether the image ends in its EOI. Only with
    /// [`MissingEoi::Accept`](crate::MissingEoi::Accept) are there frames that do not.
    pub fn has_eoi(&self) -> bool {
        self.has_eoi
    }

    /// Returns how many bytes of memory this frame and its clones keep allocated.
    ///
    /// That exceeds the length of [`bytes`](Self::bytes) if the frame is a slice of a larger
    /// buffer: a long frame keeps the buffer it was read into, at most three times its own length,
    /// and a frame from [`parse_prefix`](Self::parse_prefix) keeps all bytes passed in. Use it to
    /// bound the memory of a queue of frames.
    pub fn memory_bytes(&self) -> usize {
        self.memory_bytes
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

/// Frames are equal if their images and offsets are. The memory they keep does not matter.
impl PartialEq for Frame {
    fn eq(&self, other: &Self) -> bool {
        // The header follows from the bytes.
        (&self.bytes, self.offset) == (&other.bytes, other.offset)
    }
}

impl Eq for Frame {}

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
