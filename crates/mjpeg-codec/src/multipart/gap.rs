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
    /// The last delimiter, without its line end. Of a part's body that is no image, only this line is the end.
    delimiter: Vec<u8>,
    header_bytes: usize,
    max_header_bytes: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Before the first part, or after an image.
    Outside,
    Headers,
    /// Behind the blank line that ends the headers: the image should begin.
    Body,
}

impl Gap {
    pub(crate) fn new(max_header_bytes: usize) -> Self {
        Self {
            phase: Phase::Outside,
            headers: PartHeaders::default(),
            delimiter: Vec::new(),
            header_bytes: 0,
            max_header_bytes,
        }
    }

    /// Takes the next line, with its line end.
    pub(crate) fn line(&mut self, line: &[u8]) -> DiscardReason {
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        if self.is_delimiter(text) {
            self.phase = Phase::Headers;
            self.headers = PartHeaders::default();
            self.header_bytes = 0;
            self.delimiter = text.strip_suffix(b"--").unwrap_or(text).to_vec();
            return DiscardReason::Framing;
        }
        match self.phase {
            Phase::Body => DiscardReason::NotJpeg,
            Phase::Headers if text.is_empty() => {
                self.phase = Phase::Body;
                DiscardReason::Framing
            }
            Phase::Headers => self.header(text),
            // The line break that ends an image, or an empty line too many.
            Phase::Outside if text.is_empty() => DiscardReason::Framing,
            // Headers without a delimiter before them.
            Phase::Outside if headers::split(text).is_some() => {
                self.phase = Phase::Headers;
                self.headers = PartHeaders::default();
                self.header_bytes = 0;
                self.header(text)
            }
            Phase::Outside => DiscardReason::Garbage,
        }
    }

    /// Bytes that are no line: too many without a line end, or just before an image.
    pub(crate) fn no_line(&self) -> DiscardReason {
        match self.phase {
            Phase::Body => DiscardReason::NotJpeg,
            Phase::Headers | Phase::Outside => DiscardReason::Garbage,
        }
    }

    /// An image has ended, whole or broken.
    pub(crate) fn image_ended(&mut self) {
        self.phase = Phase::Outside;
    }

    /// The headers of the part in hand.
    pub(crate) fn headers(&self) -> &PartHeaders {
        &self.headers
    }

    /// What of `data`, a frame without EOI and what came after it, lies before the next delimiter's line.
    pub(crate) fn before_delimiter<'a>(&self, data: &'a [u8]) -> &'a [u8] {
        let found = memmem::rfind(data, &self.delimiter).map(|at| &data[..at]);
        match found.and_then(|image| image.strip_suffix(b"\n")) {
            Some(image) if !self.delimiter.is_empty() => image.strip_suffix(b"\r").unwrap_or(image),
            _ => data,
        }
    }

    /// The longest line that is taken for one.
    pub(crate) fn max_header_bytes(&self) -> usize {
        self.max_header_bytes
    }

    fn header(&mut self, text: &[u8]) -> DiscardReason {
        self.header_bytes += text.len();
        if self.header_bytes > self.max_header_bytes {
            self.phase = Phase::Outside;
            self.headers = PartHeaders::default();
            return DiscardReason::Garbage;
        }
        // A line that is no header stands here in some cameras; what follows it counts all the same.
        if let Some((name, value)) = headers::split(text) {
            self.headers.take(name, value);
        }
        DiscardReason::Framing
    }

    fn is_delimiter(&self, text: &[u8]) -> bool {
        let looks_like_one = text.len() > 2
            && text.starts_with(b"--")
            && text.len() <= LONGEST_DELIMITER
            && text.iter().all(|b| (b' '..=b'~').contains(b));
        let in_body = self.phase == Phase::Body && !self.delimiter.is_empty();
        looks_like_one && (!in_body || text.starts_with(&self.delimiter))
    }
}

/// RFC 2046 allows boundaries of 70 characters. Cameras put dashes too many before and after them.
const LONGEST_DELIMITER: usize = 128;
