//! Where the chunks of a body begin and end (RFC 9112 section 7.1).

/// Follows the chunks of a body.
///
/// A body that is announced as chunked, but whose first line is no chunk size, is read as it is:
/// some servers add the header and do not act on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Chunks {
    /// A line with a size is next; the first such line, if true.
    Size(bool),
    /// So many bytes of content are next.
    Content(u64),
    /// The line break after the content is next.
    Break,
    /// Lines of a trailer are next, of so many bytes at most.
    Trailer(usize),
    Ended,
    /// It was not chunked after all.
    Raw,
}

/// A step through bytes that are no content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FramingStep {
    /// So many bytes were framing.
    Skip(usize),
    /// More bytes are needed.
    More,
    /// The framing is broken.
    Broken(&'static str),
}

impl Chunks {
    pub(super) fn new() -> Self {
        Self::Size(true)
    }

    /// Reads the framing at the start of these bytes, if framing is next.
    pub(super) fn step(&mut self, bytes: &[u8]) -> FramingStep {
        match *self {
            Self::Content(_) | Self::Ended | Self::Raw => FramingStep::Skip(0),
            Self::Size(is_first) => self.size(bytes, is_first),
            Self::Break => match bytes {
                [] | [b'\r'] => FramingStep::More,
                [b'\r', b'\n', ..] => self.becomes(Self::Size(false), 2),
                [b'\n', ..] => self.becomes(Self::Size(false), 1),
                _ => FramingStep::Broken("a chunk is longer than its size"),
            },
            Self::Trailer(left) => match line(bytes) {
                Some(end) if bytes[..end].trim_ascii().is_empty() => self.becomes(Self::Ended, end),
                Some(end) if end <= left => self.becomes(Self::Trailer(left - end), end),
                None if bytes.len() <= left => FramingStep::More,
                _ => FramingStep::Broken("the trailer of the chunks is too long"),
            },
        }
    }

    fn size(&mut self, bytes: &[u8], is_first: bool) -> FramingStep {
        let digits = bytes.iter().take_while(|b| b.is_ascii_hexdigit()).count();
        // A size is followed by an extension, blanks or the end of the line.
        let goes_on = bytes.get(digits).is_none_or(|b| b"; \t\r\n".contains(b));
        if digits > MAX_DIGITS || !goes_on || (digits == 0 && !bytes.is_empty()) {
            return self.no_size(is_first);
        }
        let Some(end) = line(bytes) else {
            return if bytes.len() > MAX_LINE_BYTES {
                self.no_size(is_first)
            } else {
                FramingStep::More
            };
        };
        let size = str::from_utf8(&bytes[..digits]).ok();
        match size.and_then(|size| u64::from_str_radix(size, 16).ok()) {
            Some(0) => self.becomes(Self::Trailer(MAX_TRAILER_BYTES), end),
            Some(size) => self.becomes(Self::Content(size), end),
            None => self.no_size(is_first),
        }
    }

    fn no_size(&mut self, is_first: bool) -> FramingStep {
        if is_first {
            return self.becomes(Self::Raw, 0);
        }
        FramingStep::Broken("a chunk has no size")
    }

    /// Records that content was taken.
    pub(super) fn took(&mut self, bytes: usize) {
        if let Self::Content(left) = self {
            *left = left.saturating_sub(bytes as u64);
            if *left == 0 {
                *self = Self::Break;
            }
        }
    }

    fn becomes(&mut self, next: Self, bytes: usize) -> FramingStep {
        *self = next;
        FramingStep::Skip(bytes)
    }
}

/// The length of the first line, with its line break.
fn line(bytes: &[u8]) -> Option<usize> {
    Some(bytes.iter().position(|&b| b == b'\n')? + 1)
}

/// The longest line with a size, in bytes.
const MAX_LINE_BYTES: usize = 4 << 10;

/// The longest size, in hexadecimal digits.
const MAX_DIGITS: usize = 16;

/// The longest trailer, in bytes.
const MAX_TRAILER_BYTES: usize = 16 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    /// The content of a body that is read in pieces, and what is wrong with it.
    fn read(body: &[u8], piece: usize) -> (Vec<u8>, Result<Chunks, &'static str>) {
        let (mut chunks, mut content) = (Chunks::new(), Vec::new());
        let mut at = 0;
        let mut seen = 0;
        while chunks != Chunks::Ended && (seen < body.len() || at < seen) {
            if at == seen {
                seen = body.len().min(seen + piece);
            }
            let taken = match chunks {
                Chunks::Content(left) => (seen - at).min(left as usize),
                Chunks::Raw => seen - at,
                _ => 0,
            };
            content.extend_from_slice(&body[at..at + taken]);
            chunks.took(taken);
            at += taken;
            match chunks.step(&body[at..seen]) {
                FramingStep::Skip(n) => at += n,
                FramingStep::More if seen == body.len() => break,
                FramingStep::More => seen = body.len().min(seen + piece),
                FramingStep::Broken(why) => return (content, Err(why)),
            }
        }
        (content, Ok(chunks))
    }

    #[test]
    fn content_is_what_the_sizes_enclose() {
        for piece in [1, 2, 3, 7, 100] {
            let body = b"3\r\nabc\r\n0A ;x=y\r\n0123456789\r\n1\nz\n0\r\nT: x\r\n\r\n";
            assert_eq!(
                read(body, piece),
                (b"abc0123456789z".to_vec(), Ok(Chunks::Ended))
            );
            let (content, end) = read(b"3\r\nabc\r\nxyz\r\n", piece);
            assert_eq!((&content[..], end.is_err()), (&b"abc"[..], true));
            let (content, end) = read(b"3\r\nabcd\r\n", piece);
            assert_eq!((&content[..], end.is_err()), (&b"abc"[..], true));
        }
    }

    #[test]
    fn body_that_is_not_chunked_is_read_as_it_is() {
        for piece in [1, 3, 100] {
            for body in [
                &b"--frame\r\nContent-Type: x\r\n"[..],
                b"\xFF\xD8\xFF",
                b"abcdefgh\r\n",
            ] {
                assert_eq!(read(body, piece), (body.to_vec(), Ok(Chunks::Raw)));
            }
        }
    }

    #[test]
    fn lines_have_limits() {
        let endless = [b"1;".to_vec(), vec![b'a'; MAX_LINE_BYTES]].concat();
        let mut chunks = Chunks::Size(false);
        assert!(matches!(chunks.step(&endless), FramingStep::Broken(_)));
        assert_eq!(chunks.step(&endless[..MAX_LINE_BYTES]), FramingStep::More);
        let mut chunks = Chunks::Trailer(MAX_TRAILER_BYTES);
        let trailer = vec![b'a'; MAX_TRAILER_BYTES + 1];
        assert_eq!(chunks.step(&trailer[1..]), FramingStep::More);
        assert!(matches!(chunks.step(&trailer), FramingStep::Broken(_)));
    }
}
