//! Reading the multipart stream of a camera that speaks HTTP.

use bytes::Bytes;

use super::{PartHeaders, gap::Gap};
use crate::{
    config::SplitterConfig,
    splitter::{Event, Splitter},
};

/// Limits of a [`Parser`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParserConfig {
    splitter: SplitterConfig,
    max_header_bytes: usize,
}

impl Default for ParserConfig {
    fn default() -> Self {
        Self {
            splitter: SplitterConfig::default(),
            max_header_bytes: DEFAULT_MAX_HEADER_BYTES,
        }
    }
}

impl ParserConfig {
    /// Sets the limits that hold for the images.
    pub fn with_splitter(mut self, splitter: SplitterConfig) -> Self {
        self.splitter = splitter;
        self
    }

    /// Sets the most bytes that the headers of one part may have, with their line ends.
    ///
    /// Longer headers are dropped as garbage, and the part's image is read without them. Also elsewhere, nothing longer is
    /// taken for a line. The default is 8 KiB; a value below 256 is taken as 256.
    pub fn with_max_header_bytes(mut self, bytes: usize) -> Self {
        self.max_header_bytes = bytes.max(SMALLEST_HEADER_LIMIT_BYTES);
        self
    }

    /// The limits that hold for the images.
    pub fn splitter(&self) -> &SplitterConfig {
        &self.splitter
    }

    /// The most bytes that the headers of one part may have.
    pub fn max_header_bytes(&self) -> usize {
        self.max_header_bytes
    }
}

/// Reads the body of a `multipart/x-mixed-replace` response, or of any multipart stream of JPEG images (RFC 2046 section 5.1).
///
/// It is a [`Splitter`] that also understands what stands between the images. Its frames are the ones that a splitter finds in
/// the same bytes, but that one without EOI ends before the next delimiter. The framing is a hint. So it needs no boundary from the response's `Content-Type`, and no `Content-Length`, and reads
/// the streams of cameras that get these wrong; [the module](super) lists what it bears with.
///
/// ```
/// use mjpeg_codec::{Event, multipart::Parser};
///
/// # let image: &[u8] = &[
/// #     0xFF, 0xD8, 0xFF, 0xC0, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0,
/// #     0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0, 0x2A, 0xFF, 0xD9,
/// # ];
/// let mut parser = Parser::default();
/// parser.push(&b"--frame\r\nContent-Type: image/jpeg\r\nX-Timestamp: 12.5\r\n\r\n"[..]);
/// parser.push(image.to_vec());
/// parser.push(&b"\r\n--frame\r\n"[..]);
/// let framing = parser.poll();
/// assert!(matches!(framing, Some(Event::Discarded { .. })));
/// let Some(Event::Frame(frame)) = parser.poll() else { panic!("no frame") };
/// assert_eq!(frame.bytes(), image);
/// assert_eq!(parser.headers().content_type(), Some("image/jpeg"));
/// ```
///
/// Bytes that are not part of an image come out as [`Event::Discarded`]: delimiters and headers as
/// [`Framing`](crate::DiscardReason::Framing), which is no loss; the body of a part that is no JPEG as
/// [`NotJpeg`](crate::DiscardReason::NotJpeg); the rest as from a [`Splitter`]. The line break before a delimiter counts as
/// part of what stands before it, except after a whole or truncated image. The transfer coding of HTTP (`chunked`) must
/// be undone before.
///
/// Memory is bounded as in a [`Splitter`], plus [`ParserConfig::max_header_bytes`].
#[derive(Debug)]
pub struct Parser {
    splitter: Splitter,
}

impl Default for Parser {
    fn default() -> Self {
        Self::new(ParserConfig::default())
    }
}

impl Parser {
    /// Makes a parser that expects a body to begin.
    pub fn new(config: ParserConfig) -> Self {
        let gap = Gap::new(config.max_header_bytes);
        Self {
            splitter: Splitter::with_gap(config.splitter, gap),
        }
    }

    /// Appends a chunk of the body, of any size; see [`Splitter::push`].
    pub fn push(&mut self, chunk: impl Into<Bytes>) {
        self.splitter.push(chunk);
    }

    /// Room for the next read; see [`Splitter::spare_mut`].
    pub fn spare_mut(&mut self) -> &mut [u8] {
        self.splitter.spare_mut()
    }

    /// Tells how many bytes the reader has put at the start of [`spare_mut`](Self::spare_mut).
    ///
    /// # Panics
    ///
    /// When that is more than there was room for.
    pub fn filled(&mut self, n: usize) {
        self.splitter.filled(n);
    }

    /// Says that the body has ended; see [`Splitter::finish`].
    pub fn finish(&mut self) {
        self.splitter.finish();
    }

    /// Takes the next event, or `None` when more bytes are needed.
    pub fn poll(&mut self) -> Option<Event> {
        self.splitter.poll()
    }

    /// The headers of the part that the frame just polled came in; they are known until the next call of [`poll`](Self::poll).
    ///
    /// Default values where the part had no headers, or where damage or other bytes before the image leave open whether it is of the
    /// same part.
    pub fn headers(&self) -> PartHeaders {
        self.splitter.gap_headers().cloned().unwrap_or_default()
    }
}

/// Real headers have 60 to 600 bytes.
const DEFAULT_MAX_HEADER_BYTES: usize = 8 << 10;

/// Less would cut lines that ordinary cameras send.
const SMALLEST_HEADER_LIMIT_BYTES: usize = 256;
