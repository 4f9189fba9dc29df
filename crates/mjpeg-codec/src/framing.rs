//! Reads the framing of a multipart stream: the lines between its images.

use memchr::memmem;

use crate::error::DiscardReason;

pub(crate) mod allow_origin;
pub(crate) mod headers;

use headers::PartHeaders;

/// Reads delimiters and part headers line by line, and classifies each line.
///
/// Cameras make every possible mistake here: boundaries declared with dashes, declared as another
/// one, repeated or missing; LF only; wrong or missing lengths. The reader therefore relies on no
/// declaration: a delimiter is a line that begins with two dashes, and an image begins at its SOI.
#[derive(Debug)]
pub(crate) struct FramingReader {
    phase: Phase,
    headers: PartHeaders,
    /// The bytes of headers since the last delimiter or image.
    header_bytes: usize,
    max_header_bytes: usize,
    /// The latest delimiter, without its line end. A part that holds no image ends only at this
    /// line.
    delimiter: Vec<u8>,
    /// The next line is the rest of one that was too long.
    inside_line: bool,
}

/// Where the reader is in the current part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// At the start of the stream, or after an image.
    Between,
    /// After a delimiter or a known header.
    Headers,
    /// After the blank line that ends the headers: the image should begin.
    Body,
    /// In a body that began with something else.
    NotJpeg,
    /// In bytes that belong to no known part.
    Noise,
}

impl FramingReader {
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

    /// Reads the next line, including its line end. The last line of the stream may lack one.
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
            // If the delimiter is missing, the headers show that a part begins.
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
            // The line break that ends an image, or a superfluous empty line.
            Phase::Between | Phase::Body if text.is_empty() => DiscardReason::Framing,
            Phase::Body | Phase::NotJpeg => self.not_jpeg(),
            Phase::Between | Phase::Noise => self.noise(),
        }
    }

    /// Reads the first [`max_header_bytes`](Self::max_header_bytes) of a longer line.
    pub(crate) fn too_long(&mut self) -> DiscardReason {
        self.inside_line = true;
        match self.phase {
            Phase::Headers => self.too_many(),
            Phase::Body | Phase::NotJpeg => self.not_jpeg(),
            Phase::Between | Phase::Noise => self.noise(),
        }
    }

    /// Reads the bytes of a line that precede an image on it.
    pub(crate) fn before_image(&mut self) -> DiscardReason {
        match self.phase {
            Phase::Headers | Phase::Body => DiscardReason::Garbage,
            Phase::NotJpeg => DiscardReason::NotJpeg,
            Phase::Between | Phase::Noise => self.noise(),
        }
    }

    /// Handles the end of an image, whole or broken. Its headers remain until the next part.
    pub(crate) fn image_ended(&mut self) {
        self.phase = Phase::Between;
        self.header_bytes = 0;
        self.inside_line = false;
    }

    /// Handles bytes that were skipped unread and may hold framing.
    pub(crate) fn forget_part(&mut self) {
        self.noise();
        self.inside_line = true;
    }

    /// Prepares for another stream.
    pub(crate) fn stream_ended(&mut self) {
        *self = Self::new(self.max_header_bytes);
    }

    /// Drops the headers because no framing stood between a broken frame and the next one: the
    /// broken frame may have swallowed the headers of the next.
    pub(crate) fn forget_headers(&mut self) {
        self.headers.clear();
    }

    /// Returns the headers of the current part.
    pub(crate) fn headers(&self) -> &PartHeaders {
        &self.headers
    }

    /// Returns how many bytes of `data` belong to a frame without EOI: those before the next
    /// delimiter and the line break that belongs to it (RFC 2046 section 5.1.1). `data` is the end
    /// of the frame and the bytes after it.
    pub(crate) fn before_delimiter(&self, data: &[u8]) -> usize {
        // A known delimiter may lack the line break before it; an unknown one must be a line.
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

    /// Returns the length of the longest line accepted, including its line end.
    pub(crate) fn max_header_bytes(&self) -> usize {
        self.max_header_bytes
    }

    fn begin_headers(&mut self) {
        self.phase = Phase::Headers;
        self.headers.clear();
    }

    fn header(&mut self, bytes: usize, text: &[u8]) -> DiscardReason {
        self.header_bytes += bytes;
        if self.header_bytes > self.max_header_bytes {
            return self.too_many();
        }
        match headers::split(text) {
            Some((name, value)) => self.headers.take(name, value),
            // Some streams have other text here, such as chunk sizes. Headers may follow it.
            None if headers::all_text(text) => {}
            None => return self.noise(),
        }
        DiscardReason::Framing
    }

    /// Handles headers that are too long: ignores the rest, up to the next delimiter or image.
    fn too_many(&mut self) -> DiscardReason {
        self.header_bytes = self.max_header_bytes.saturating_add(1);
        self.noise()
    }

    fn not_jpeg(&mut self) -> DiscardReason {
        self.phase = Phase::NotJpeg;
        DiscardReason::NotJpeg
    }

    /// Handles bytes that belong to no known part. The next image has no headers then.
    fn noise(&mut self) -> DiscardReason {
        self.phase = Phase::Noise;
        self.headers.clear();
        DiscardReason::Garbage
    }

    fn is_delimiter(&self, text: &[u8]) -> bool {
        let in_body = matches!(self.phase, Phase::Body | Phase::NotJpeg);
        may_be_delimiter(text) && (!in_body || text.starts_with(&self.delimiter))
    }
}

/// Returns whether a line can be a delimiter: two dashes and printable text, not too long.
fn may_be_delimiter(line: &[u8]) -> bool {
    (3..=LONGEST_DELIMITER_BYTES).contains(&line.len())
        && line.starts_with(b"--")
        && line.iter().all(|b| (b' '..=b'~').contains(b))
}

/// RFC 2046 allows boundaries of 70 characters. Cameras add extra dashes before and after them.
const LONGEST_DELIMITER_BYTES: usize = 128;
