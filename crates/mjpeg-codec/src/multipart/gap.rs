//! What stands between the images of a multipart stream, line by line.

use memchr::memmem;

use super::{PartHeaders, headers};
use crate::error::DiscardReason;

/// Reads delimiters and part headers, and tells of each line what it was.
///
/// Cameras err in every way here (boundary declared with dashes, declared as another one, repeated or missing; LF only; lengths
/// wrong or missing), so nothing that was declared is relied on: a delimiter is a line that begins with two dashes,
/// and an image begins at its SOI.
#[derive(Debug)]
pub(crate) struct Gap {
    phase: Phase,
    headers: PartHeaders,
    /// Since the last delimiter or image.
    header_bytes: usize,
    max_header_bytes: usize,
    /// The last delimiter, without its line end. Of a part's body that is no image, only this line is the end.
    delimiter: Vec<u8>,
    /// The next line is the rest of one that was too long.
    inside_line: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// At the start of the stream, or after an image.
    Between,
    Headers,
    /// Behind the blank line that ends the headers: the image should begin.
    Body,
    /// In a body that began with something else.
    NotJpeg,
    /// In bytes of which no part is known.
    Noise,
}

impl Gap {
    pub(crate) fn new(max_header_bytes: usize) -> Self {
        Self {
            phase: Phase::Between,
            headers: PartHeaders::default(),
            header_bytes: 0,
            max_header_bytes,
            delimiter: Vec::new(),
            inside_line: false,
        }
    }

    /// Takes the next line, with its line end; at the end of the stream it may lack one.
    pub(crate) fn line(&mut self, line: &[u8]) -> DiscardReason {
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        if !std::mem::take(&mut self.inside_line) {
            if self.is_delimiter(text) {
                self.begin_headers();
                self.header_bytes = 0;
                let text = text.trim_ascii_end();
                self.delimiter = text.strip_suffix(b"--").unwrap_or(text).to_vec();
                return DiscardReason::Framing;
            }
            // Where a delimiter is missing, the headers tell that a part begins.
            if self.phase != Phase::Headers && headers::is_known(text) {
                self.begin_headers();
            }
        }
        match self.phase {
            Phase::Headers if text.is_empty() => {
                self.phase = Phase::Body;
                DiscardReason::Framing
            }
            Phase::Headers => self.header(line.len(), text),
            // The line break that ends an image, or an empty line too many.
            Phase::Between | Phase::Body if text.is_empty() => DiscardReason::Framing,
            Phase::Body | Phase::NotJpeg => self.not_jpeg(),
            Phase::Between | Phase::Noise => self.noise(),
        }
    }

    /// Takes the first [`max_header_bytes`](Self::max_header_bytes) of a line that is longer than that.
    pub(crate) fn too_long(&mut self) -> DiscardReason {
        self.inside_line = true;
        match self.phase {
            Phase::Headers => self.too_many(),
            Phase::Body | Phase::NotJpeg => self.not_jpeg(),
            Phase::Between | Phase::Noise => self.noise(),
        }
    }

    /// Takes what stands on a line before an image.
    pub(crate) fn before_image(&mut self) -> DiscardReason {
        match self.phase {
            Phase::Headers | Phase::Body => DiscardReason::Garbage,
            Phase::NotJpeg => DiscardReason::NotJpeg,
            Phase::Between | Phase::Noise => self.noise(),
        }
    }

    /// An image has ended, whole or broken. Its headers stand until those of another part come.
    pub(crate) fn image_ended(&mut self) {
        self.phase = Phase::Between;
        self.header_bytes = 0;
        self.inside_line = false;
    }

    /// Bytes are passed over unread, and framing may be among them.
    pub(crate) fn forget_part(&mut self) {
        self.noise();
        self.inside_line = true;
    }

    /// The stream has ended; another one may begin.
    pub(crate) fn stream_ended(&mut self) {
        *self = Self::new(self.max_header_bytes);
    }

    /// Between a broken frame and the next one stood no framing: the broken one may have swallowed the next one's headers.
    pub(crate) fn forget_headers(&mut self) {
        self.headers = PartHeaders::default();
    }

    /// The headers of the part in hand.
    pub(crate) fn headers(&self) -> &PartHeaders {
        &self.headers
    }

    /// How much of `data`, the end of a frame without EOI and what came after it, is the frame's: what lies before the next
    /// delimiter and the line break that belongs to it (RFC 2046 section 5.1.1).
    pub(crate) fn before_delimiter(&self, data: &[u8]) -> usize {
        // The line break may be missing before a delimiter that is known; one that is not known must be a line.
        let known = match &self.delimiter[..] {
            [] => None,
            delimiter => memmem::find(data, delimiter),
        };
        let mut lines = memmem::find_iter(data, b"\n--").map(|at| at + 1);
        let line = lines.find(|&at| {
            let longest = data.len().min(at + LONGEST_DELIMITER_BYTES + "\r\n".len());
            let mut lines = data[at..longest].split(|&b| b == b'\n');
            let line = lines.next().unwrap_or_default();
            may_be_delimiter(line.strip_suffix(b"\r").unwrap_or(line))
        });
        let Some(at) = known.into_iter().chain(line).min() else {
            return data.len();
        };
        let frame = data[..at].strip_suffix(b"\n").unwrap_or(&data[..at]);
        frame.strip_suffix(b"\r").unwrap_or(frame).len()
    }

    /// The longest line that is taken for one, with its line end.
    pub(crate) fn max_header_bytes(&self) -> usize {
        self.max_header_bytes
    }

    fn begin_headers(&mut self) {
        self.phase = Phase::Headers;
        self.headers = PartHeaders::default();
    }

    fn header(&mut self, bytes: usize, text: &[u8]) -> DiscardReason {
        self.header_bytes += bytes;
        if self.header_bytes > self.max_header_bytes {
            return self.too_many();
        }
        match headers::split(text) {
            Some((name, value)) => self.headers.take(name, value),
            // Other text stands here in some streams, such as chunk sizes; the headers may go on after it.
            None if headers::all_text(text) => {}
            None => return self.noise(),
        }
        DiscardReason::Framing
    }

    /// The headers are too long: no more of them until the next delimiter or image.
    fn too_many(&mut self) -> DiscardReason {
        self.header_bytes = self.max_header_bytes.saturating_add(1);
        self.noise()
    }

    fn not_jpeg(&mut self) -> DiscardReason {
        self.phase = Phase::NotJpeg;
        DiscardReason::NotJpeg
    }

    /// What part comes after this is not known, so an image that does has no headers.
    fn noise(&mut self) -> DiscardReason {
        self.phase = Phase::Noise;
        self.headers = PartHeaders::default();
        DiscardReason::Garbage
    }

    fn is_delimiter(&self, text: &[u8]) -> bool {
        let in_body = matches!(self.phase, Phase::Body | Phase::NotJpeg);
        may_be_delimiter(text) && (!in_body || text.starts_with(&self.delimiter))
    }
}

fn may_be_delimiter(line: &[u8]) -> bool {
    (3..=LONGEST_DELIMITER_BYTES).contains(&line.len())
        && line.starts_with(b"--")
        && line.iter().all(|b| (b' '..=b'~').contains(b))
}

/// RFC 2046 allows boundaries of 70 characters. Cameras put dashes too many before and after them.
const LONGEST_DELIMITER_BYTES: usize = 128;
