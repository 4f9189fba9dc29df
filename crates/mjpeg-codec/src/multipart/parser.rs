//! Reads the multipart stream of an HTTP camera.

use bytes::Bytes;

use crate::{
    config::SplitterConfig,
    found::{Found, Polled},
    framing::{FramingReader, headers::PartHeaders},
    splitter::Splitter,
};

/// The limits of a [`Parser`].
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
    /// Sets the limits for the images.
    pub fn with_splitter(mut self, splitter: SplitterConfig) -> Self {
        self.splitter = splitter;
        self
    }

    /// Sets the maximum length of one part's headers, in bytes including their line ends.
    ///
    /// The default is 8 KiB. Values below [`MIN_HEADER_BYTES`](Self::MIN_HEADER_BYTES) are raised
    /// to it, so that 0 means "as strict as possible": with less, the lines of ordinary cameras
    /// would be cut.
    ///
    /// Longer headers are dropped as garbage, and the part's image is read without them. A line
    /// anywhere else in the framing is limited to the same length.
    pub fn with_max_header_bytes(mut self, bytes: usize) -> Self {
        self.max_header_bytes = bytes.max(Self::MIN_HEADER_BYTES);
        self
    }

    /// Returns the limits for the images.
    pub fn splitter(&self) -> &SplitterConfig {
        &self.splitter
    }

    /// Returns the maximum length of one part's headers, in bytes.
    pub fn max_header_bytes(&self) -> usize {
        self.max_header_bytes
    }

    /// The smallest limit for the headers of a part, in bytes.
    pub const MIN_HEADER_BYTES: usize = 256;
}

/// Reads the body of a `multipart/x-mixed-replace` response, or any multipart stream of JPEG images
/// (RFC 2046 section 5.1).
///
/// It is a [`Splitter`] that also understands the bytes between the images. It finds the same
/// frames as a splitter, with three exceptions: only the first image of a part comes out, parts
/// that hold sound or text are passed over, and a frame without EOI ends before the next delimiter.
/// The framing serves only as a hint: the parser needs neither the boundary from the response's
/// `Content-Type` nor a `Content-Length`, and reads the streams of cameras that get these wrong.
/// [The module's documentation](super) lists what it tolerates.
///
/// ```
/// use mjpeg_codec::{Found, multipart::Parser};
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
/// assert!(matches!(framing, Some(Found::Discarded { .. })));
/// let Some(Found::Frame(frame)) = parser.poll() else { panic!("no frame") };
/// assert_eq!(frame.bytes(), image);
/// assert_eq!(parser.headers().content_type(), Some("image/jpeg"));
/// ```
///
/// Bytes that are not part of an image come out as [`Found::Discarded`]: delimiters and headers as
/// [`Framing`](crate::DiscardReason::Framing), which means no loss; the body of a part that is not
/// a JPEG image as [`NotJpeg`](crate::DiscardReason::NotJpeg); the rest as from a [`Splitter`]. The
/// line break before a delimiter belongs to the bytes before it, except after a whole or truncated
/// image. Undo HTTP's transfer coding (`chunked`) before parsing.
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
    /// Creates a parser that expects the beginning of a body.
    pub fn new(config: ParserConfig) -> Self {
        let framing = FramingReader::new(config.max_header_bytes);
        Self {
            splitter: Splitter::with_framing(config.splitter, framing),
        }
    }

    /// Appends a chunk of the body, of any size; see [`Splitter::push`].
    pub fn push(&mut self, chunk: impl Into<Bytes>) {
        self.splitter.push(chunk);
    }

    #[cfg(feature = "tokio-util")]
    pub(crate) fn push_slice(&mut self, chunk: &[u8]) {
        self.splitter.push_slice(chunk);
    }

    /// Returns room for the next read; see [`Splitter::spare_mut`].
    pub fn spare_mut(&mut self) -> &mut [u8] {
        self.splitter.spare_mut()
    }

    /// Takes the first `n` bytes of [`spare_mut`](Self::spare_mut) as the next bytes of the body.
    ///
    /// # Panics
    ///
    /// If `n` exceeds the length of that room.
    pub fn filled(&mut self, n: usize) {
        self.splitter.filled(n);
    }

    /// Ends the body; see [`Splitter::finish`].
    pub fn finish(&mut self) {
        self.splitter.finish();
    }

    /// Ends the body where it may not have been meant to end; see [`Splitter::cut_off`].
    pub fn cut_off(&mut self) {
        self.splitter.cut_off();
    }

    /// Refills the flood allowance; see [`Splitter::refill`].
    pub fn refill(&mut self) {
        self.splitter.refill();
    }

    /// Returns what the decisions so far have cost; see [`Splitter::cost`].
    pub fn cost(&self) -> u64 {
        self.splitter.cost()
    }

    /// Returns the next frame or discarded range, or `None` if it needs more bytes; see
    /// [`Splitter::poll`].
    pub fn poll(&mut self) -> Option<Found> {
        self.splitter.poll()
    }

    /// Looks for the next frame or discarded range, with a bound on the work; see
    /// [`Splitter::poll_within`].
    pub fn poll_within(&mut self, work: &mut usize) -> Polled {
        self.splitter.poll_within(work)
    }

    /// Returns the latest line that separates parts, with its dashes and without its line end;
    /// `None` before the first.
    ///
    /// Reading does not need it. It tells whether a camera uses the boundary that it declares.
    pub fn delimiter(&self) -> Option<&[u8]> {
        self.splitter.delimiter()
    }

    /// Returns the headers of the part that held the frame just polled. They are valid until the
    /// next call of [`poll`](Self::poll) or [`poll_within`](Self::poll_within).
    ///
    /// They are empty if the part had no headers, or if damage or other bytes before the image
    /// leave open whether it belongs to the same part.
    pub fn headers(&self) -> PartHeaders {
        self.splitter.part_headers().cloned().unwrap_or_default()
    }
}

/// Cameras' headers have 60 to 600 bytes.
const DEFAULT_MAX_HEADER_BYTES: usize = 8 << 10;
