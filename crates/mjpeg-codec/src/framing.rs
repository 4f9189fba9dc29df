//! Reads the framing of a multipart stream: the lines between its images.

use std::ops::Range;

use crate::error::DiscardReason;

pub(crate) mod allow_origin;
mod contents;
mod delimiter;
pub(crate) mod headers;

use contents::Contents;
use delimiter::{Delimiter, may_be_delimiter};
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
    contents: Contents,
    /// The bytes of headers since the last delimiter or image.
    header_bytes: usize,
    max_header_bytes: usize,
    /// A part that holds no image ends only at this line.
    delimiter: Delimiter,
    /// The next line is the rest of one that was too long.
    inside_line: bool,
    /// The current image stands directly behind the framing of its part.
    has_part: bool,
    /// The bytes passed over in the current part.
    passed_bytes: usize,
}

/// Where the reader is in the current part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// At the start of the stream, or after a broken image.
    Between,
    /// After a delimiter or a known header.
    Headers,
    /// After the blank line that ends the headers: the image should begin.
    Body,
    /// In a body that began with something else.
    NotJpeg,
    /// In bytes that belong to no known part.
    Noise,
    /// After the image of a part. Another image belongs to the same part.
    Rest,
    /// In another image of a part, or behind it: passed over to the next delimiter.
    Extra,
    /// In a body whose type is none of an image: passed over to the next delimiter.
    Other,
}

impl FramingReader {
    pub(crate) fn new(max_header_bytes: usize) -> Self {
        Self {
            phase: Phase::Between,
            headers: PartHeaders::default(),
            contents: Contents::default(),
            header_bytes: 0,
            max_header_bytes,
            delimiter: Delimiter::default(),
            inside_line: false,
            has_part: false,
            passed_bytes: 0,
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
                self.delimiter.take(text);
                return DiscardReason::Framing;
            }
            // If the delimiter is missing, the headers show that a part begins.
            if self.phase != Phase::Headers && headers::is_known(text) {
                self.begin_headers();
            }
        }
        match self.phase {
            Phase::Headers if text.is_empty() => {
                self.begin_body();
                DiscardReason::Framing
            }
            Phase::Headers => self.header(line.len(), text),
            // The line break that ends an image, or a superfluous empty line.
            Phase::Between | Phase::Body | Phase::Rest if text.is_empty() => DiscardReason::Framing,
            Phase::Body => self.not_jpeg(),
            Phase::NotJpeg => DiscardReason::NotJpeg,
            Phase::Between | Phase::Noise => self.noise(),
            Phase::Rest | Phase::Extra | Phase::Other => {
                let reason = self.pass(line.len());
                if self.delimiter.ends(text) {
                    self.begin_headers();
                    self.header_bytes = 0;
                }
                reason
            }
        }
    }

    /// Reads the first [`max_header_bytes`](Self::max_header_bytes) of a longer line.
    pub(crate) fn too_long(&mut self, bytes: usize) -> DiscardReason {
        self.inside_line = true;
        match self.phase {
            Phase::Headers => self.too_many(),
            Phase::Body => self.not_jpeg(),
            Phase::NotJpeg => DiscardReason::NotJpeg,
            Phase::Between | Phase::Noise => self.noise(),
            Phase::Rest | Phase::Extra | Phase::Other => self.pass(bytes),
        }
    }

    /// Returns whether an SOI may be one here.
    pub(crate) fn may_hold_image(&self) -> bool {
        !matches!(self.phase, Phase::Extra | Phase::Other)
    }

    /// Returns whether the image that begins here is the one of its part. If not, it is passed
    /// over.
    pub(crate) fn begins_image(&mut self) -> bool {
        if self.phase == Phase::Rest {
            (self.phase, self.passed_bytes) = (Phase::Extra, 0);
            return false;
        }
        self.has_part = matches!(self.phase, Phase::Headers | Phase::Body);
        true
    }

    /// Reads the bytes of a line that precede an image on it.
    pub(crate) fn before_image(&mut self, bytes: usize) -> DiscardReason {
        match self.phase {
            Phase::Body if self.contents != Contents::Unknown => self.not_jpeg(),
            Phase::Headers | Phase::Body => DiscardReason::Garbage,
            Phase::NotJpeg => DiscardReason::NotJpeg,
            Phase::Between | Phase::Noise => self.noise(),
            Phase::Rest | Phase::Extra | Phase::Other => self.pass(bytes),
        }
    }

    /// Handles the end of a whole image. Its headers remain until the next part.
    pub(crate) fn image_ended(&mut self) {
        self.image_broke();
        if self.has_part {
            self.phase = Phase::Rest;
        }
    }

    /// Handles the end of a broken image. The next one may be the one of this part.
    pub(crate) fn image_broke(&mut self) {
        self.phase = Phase::Between;
        self.header_bytes = 0;
        self.inside_line = false;
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

    /// Returns the latest delimiter.
    pub(crate) fn delimiter(&self) -> Option<&[u8]> {
        self.delimiter.text()
    }

    /// Returns the headers of the current part.
    pub(crate) fn headers(&self) -> &PartHeaders {
        &self.headers
    }

    /// Returns where a frame without EOI ends if the next delimiter, or something that looks like
    /// one, begins within a range of `data`: before the line break that belongs to the delimiter
    /// (RFC 2046 section 5.1.1). The frame's entropy-coded data begin at `start`.
    pub(crate) fn before_delimiter(
        &self,
        data: &[u8],
        start: usize,
        within: Range<usize>,
    ) -> Option<usize> {
        let data = &data[start..];
        let within = within.start - start..within.end - start;
        let at = self.delimiter.find(data, within)?;
        let frame = data[..at].strip_suffix(b"\n").unwrap_or(&data[..at]);
        Some(start + frame.strip_suffix(b"\r").unwrap_or(frame).len())
    }

    /// Searches a scan for a line that is the stream's delimiter. Returns where the line ends, or
    /// from where to search when there are more data.
    pub(crate) fn delimiter_line(&self, data: &[u8], from: usize) -> Result<usize, usize> {
        self.delimiter.line(data, from)
    }

    /// Returns the length of the longest line accepted, including its line end.
    pub(crate) fn max_header_bytes(&self) -> usize {
        self.max_header_bytes
    }

    fn begin_headers(&mut self) {
        self.phase = Phase::Headers;
        self.contents = Contents::default();
        self.headers.clear();
    }

    fn begin_body(&mut self) {
        self.passed_bytes = 0;
        self.phase = match self.contents {
            Contents::NoImage => Phase::Other,
            Contents::HardlyImage | Contents::Unknown => Phase::Body,
        };
    }

    fn header(&mut self, bytes: usize, text: &[u8]) -> DiscardReason {
        self.header_bytes += bytes;
        if self.header_bytes > self.max_header_bytes {
            return self.too_many();
        }
        match headers::split(text) {
            Some((name, value)) => {
                self.contents.take(name, value);
                self.headers.take(name, value);
            }
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
        self.phase = match self.contents {
            Contents::Unknown => Phase::NotJpeg,
            Contents::NoImage | Contents::HardlyImage => Phase::Other,
        };
        DiscardReason::NotJpeg
    }

    /// Handles bytes that belong to no known part. The next image has no headers then.
    fn noise(&mut self) -> DiscardReason {
        self.phase = Phase::Noise;
        self.headers.clear();
        DiscardReason::Garbage
    }

    /// Handles bytes of a part that are passed over. If no delimiter comes, the stream has none:
    /// then images are looked for again.
    fn pass(&mut self, bytes: usize) -> DiscardReason {
        let reason = match self.phase {
            Phase::Extra => DiscardReason::ExtraImage,
            Phase::Other => DiscardReason::NotJpeg,
            _ => return DiscardReason::Garbage,
        };
        self.passed_bytes = self.passed_bytes.saturating_add(bytes);
        if self.passed_bytes > MOST_PASSED_BYTES {
            self.noise();
        }
        reason
    }

    fn is_delimiter(&self, text: &[u8]) -> bool {
        use Phase::{Body, Extra, NotJpeg, Other};
        let in_body = matches!(self.phase, Body | NotJpeg | Extra | Other);
        may_be_delimiter(text) && (!in_body || self.delimiter.begins(text))
    }
}

/// How much of a part is passed over at most: more than previews and sound take, and little enough
/// that the pictures of a stream without delimiters are soon back.
const MOST_PASSED_BYTES: usize = 1 << 20;
