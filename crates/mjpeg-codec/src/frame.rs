//! One frame, and what its header tells.

use bytes::Bytes;

use crate::{
    SplitterConfig,
    error::{DiscardReason, Error, ErrorKind},
    marker::{self, FrameHeader},
    splitter::{Event, Splitter},
    verify::{self, Verdict},
};

/// One JPEG image, exactly its bytes from SOI to EOI.
///
/// Cloning shares the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    pub(crate) bytes: Bytes,
    pub(crate) offset: u64,
    pub(crate) width: u16,
    pub(crate) height: u16,
    header: FrameHeader,
}

impl Frame {
    pub(crate) fn new(bytes: Bytes, offset: u64, header: FrameHeader) -> Self {
        Self {
            bytes,
            offset,
            width: header.width,
            height: header.height,
            header,
        }
    }

    /// Takes bytes that are exactly one JPEG image, such as the output of an encoder.
    ///
    /// # Errors
    ///
    /// When the input is not one whole frame by the rules of [`Splitter`], or bytes follow its EOI.
    pub fn parse(bytes: impl Into<Bytes>) -> Result<Self, Error> {
        let bytes = bytes.into();
        let whole = bytes.len();
        let frame = Self::parse_prefix(bytes)?;
        if frame.bytes.len() < whole {
            return Err(Error {
                kind: ErrorKind::TrailingBytes,
                offset: frame.bytes.len() as u64,
            });
        }
        Ok(frame)
    }

    /// Takes the JPEG image that the bytes begin with, and leaves off what follows its EOI: padding, a vendor's trailer, further
    /// pictures (CIPA DC-007, MPF). Meant for files and HTTP snapshots.
    ///
    /// The frame shares the bytes it is given, so what was left off stays in memory as long as the frame.
    ///
    /// # Errors
    ///
    /// When the input does not begin with a whole frame by the rules of [`Splitter`].
    pub fn parse_prefix(bytes: impl Into<Bytes>) -> Result<Self, Error> {
        let bytes = bytes.into();
        let mut splitter =
            Splitter::new(SplitterConfig::default().with_max_frame_bytes(bytes.len() + 1));
        splitter.push(bytes.clone());
        splitter.finish();
        let frame = match splitter.poll() {
            Some(Event::Frame(frame)) => frame,
            Some(Event::Discarded { reason, range }) => {
                let offset = if reason.is_frame() {
                    splitter.broke_at
                } else {
                    range.start
                };
                return Err(Error {
                    kind: ErrorKind::NotAFrame(reason),
                    offset,
                });
            }
            None => {
                let kind = ErrorKind::NotAFrame(DiscardReason::Truncated);
                return Err(Error { kind, offset: 0 });
            }
        };
        // The splitter copied what was pushed; the caller's own buffer serves as well, so keep that one.
        let bytes = bytes.slice(..frame.bytes.len());
        Ok(Self { bytes, ..frame })
    }

    /// The image, from the first byte of SOI to the last byte of EOI.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The image, as [`bytes`](Self::bytes), without the frame around it.
    pub fn into_bytes(self) -> Bytes {
        self.bytes
    }

    /// Where the frame began, in bytes from the start of the stream.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Picture width in samples, never 0 (T.81 B.2.2: X).
    pub fn width(&self) -> u16 {
        self.width
    }

    /// Picture height in lines (T.81 B.2.2: Y, or B.2.5: NL of a DNL segment where Y is 0).
    ///
    /// 0 when the frame header leaves it open and no DNL segment gives it.
    pub fn height(&self) -> u16 {
        self.height
    }

    /// The second byte of the frame's SOF marker: `C0` baseline, `C1` extended sequential, `C2` progressive, and so
    /// on (T.81 table B.1).
    pub fn sof(&self) -> u8 {
        self.header.sof
    }

    /// Bits per sample (T.81 B.2.2: P).
    pub fn precision_bits(&self) -> u8 {
        self.header.precision
    }

    /// Number of colour components (T.81 B.2.2: Nf).
    pub fn components(&self) -> u8 {
        self.header.components
    }

    /// Whether the decoders in browsers can be expected to show this frame: a single SOF0, SOF1 or SOF2 that gives both sizes
    /// (Chromium takes none from a DNL segment), 8 bit, 1, 3 or 4 components.
    ///
    /// One undecodable part ends a Motion-JPEG stream for good in Chromium and WebKit (measured), so a relay holds
    /// such frames back.
    pub fn displayable(&self) -> bool {
        matches!(self.header.sof, marker::SOF0 | marker::SOF1 | marker::SOF2)
            && self.header.precision == 8
            && matches!(self.header.components, 1 | 3 | 4)
            && self.header.plain
    }

    /// Checks whether the picture is all there, without decoding it: counts the MCUs of each scan, and looks at its restart markers.
    ///
    /// Finds frames that were cut off (half grey) and most that were hurt inside; see [`verify`] for what it
    /// cannot tell, and what it costs.
    pub fn verify(&self) -> Verdict {
        verify::verify(self)
    }
}
