//! The head of a response, read as cameras write it.
//!
//! Only what is needed of a head can make it wrong: a status. A header that is malformed,
//! contradicts another or makes no sense is ignored, as no picture depends on it.

use mjpeg_codec::multipart::{PartHeaders, RelayHeaders};

use super::extent::{Extent, FramingHeaders, coding, has_token};
use crate::observed::quirk::CameraQuirk;

/// What is needed of the head of a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ResponseHead {
    pub(super) status: u16,
    /// Where the body ends.
    pub(super) extent: Extent,
    /// The connection can be used again after the body.
    pub(super) keeps: bool,
    pub(super) content_type: Option<Vec<u8>>,
    /// A coding of the body that cannot be undone.
    pub(super) coding: Option<Vec<u8>>,
    pub(super) location: Option<Vec<u8>>,
    /// The values of `WWW-Authenticate`.
    pub(super) challenges: Vec<Vec<u8>>,
    /// The values of `Set-Cookie`.
    pub(super) cookies: Vec<Vec<u8>>,
    /// What servers and relays say of a picture: those headers that parts have as well.
    pub(super) marks: PartHeaders,
    /// The value of `Server`.
    pub(super) server: Option<Vec<u8>>,
    /// What is odd about it.
    pub(super) quirks: Vec<CameraQuirk>,
}

/// What the first bytes of a response are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    Undecided,
    Head,
    /// A body without a head, as HTTP/0.9 has it.
    Body,
    Neither,
}

impl ResponseHead {
    /// The head that a response without one is read as.
    pub(super) fn missing() -> Self {
        Self {
            quirks: vec![CameraQuirk::NoHead],
            ..Self::of_status(200)
        }
    }

    fn of_status(status: u16) -> Self {
        Self {
            status,
            extent: Extent::ToEnd,
            keeps: false,
            content_type: None,
            coding: None,
            location: None,
            challenges: Vec::new(),
            cookies: Vec::new(),
            marks: PartHeaders::default(),
            server: None,
            quirks: Vec::new(),
        }
    }

    /// Reads a head, without the blank line after it. Returns `None` without a status.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut lines = lines(bytes);
        let (is_1_0, status) = status_line(&lines.next()?)?;
        let mut head = Self::of_status(status);
        let mut framing = FramingHeaders::default();
        let mut keeps = !is_1_0;
        for line in lines {
            let Some(colon) = line.iter().position(|&b| b == b':') else {
                continue;
            };
            let name = line[..colon].trim_ascii().to_ascii_lowercase();
            let value = line[colon + 1..].trim_ascii();
            match &name[..] {
                b"content-type" if head.content_type.is_none() => {
                    head.content_type = Some(value.into());
                }
                b"content-length" => framing.length(value),
                b"transfer-encoding" => {
                    framing.is_chunked |= has_token(value, b"chunked");
                    head.coding = head.coding.or_else(|| coding(value));
                }
                b"content-encoding" => head.coding = head.coding.or_else(|| coding(value)),
                b"connection" if has_token(value, b"close") => keeps = false,
                b"connection" if has_token(value, b"keep-alive") => keeps = true,
                b"server" if head.server.is_none() => head.server = Some(value.into()),
                b"location" if head.location.is_none() => head.location = Some(value.into()),
                b"www-authenticate" if head.challenges.len() < MAX_VALUES => {
                    head.challenges.push(value.into());
                }
                mark if RelayHeaders::NAMES
                    .iter()
                    .any(|known| known.as_bytes() == mark) =>
                {
                    head.marks = head.marks.with_received(&name, value);
                }
                b"set-cookie" if head.cookies.len() < MAX_VALUES => head.cookies.push(value.into()),
                _ => {}
            }
        }
        head.extent = framing.extent(status, head.is_multipart());
        head.keeps = keeps && head.extent != Extent::ToEnd;
        Some(head)
    }

    /// Whether the body is announced as a multipart stream.
    pub(super) fn is_multipart(&self) -> bool {
        self.media_type().starts_with(b"multipart/")
    }

    /// The media type in lower case, without parameters; empty if there is none.
    pub(super) fn media_type(&self) -> Vec<u8> {
        let whole = self.content_type.as_deref().unwrap_or_default();
        let end = whole.iter().position(|b| b"; ,\t".contains(b));
        whole[..end.unwrap_or(whole.len())].to_ascii_lowercase()
    }
}

/// Decides what a response begins with.
pub(super) fn start(bytes: &[u8]) -> Start {
    // Blank lines before a head are passed over (RFC 9112 section 2.2).
    let Some(begin) = bytes.iter().position(|b| !b"\r\n\t ".contains(b)) else {
        return Start::Undecided;
    };
    let bytes = &bytes[begin..];
    let heads = [&b"HTTP"[..], b"ICY "];
    let begins = |with: &[u8]| {
        let n = bytes.len().min(with.len());
        bytes[..n].eq_ignore_ascii_case(&with[..n])
    };
    if let Some(head) = heads.iter().find(|head| begins(head)) {
        return if bytes.len() < head.len() {
            Start::Undecided
        } else {
            Start::Head
        };
    }
    match bytes {
        [0xFF, 0xD8, ..] | [b'-', b'-', ..] => Start::Body,
        [0xFF] | [b'-'] => Start::Undecided,
        _ => Start::Neither,
    }
}

/// Finds the end of a head: the blank line after it. `searched` bytes were searched before.
pub(in crate::source) fn end(bytes: &[u8], searched: usize) -> Option<usize> {
    // Blank lines before the head do not end it.
    let begin = bytes.iter().position(|b| !b"\r\n\t ".contains(b))?;
    let mut from = begin.max(searched.saturating_sub(3));
    while let Some(at) = bytes[from..].iter().position(|&b| b == b'\n') {
        let rest = &bytes[from + at + 1..];
        match rest {
            [b'\n', ..] => return Some(from + at + 2),
            [b'\r', b'\n', ..] => return Some(from + at + 3),
            _ => from += at + 1,
        }
    }
    None
}

/// The lines of a head. A line that begins with a blank continues the one before.
pub(in crate::source) fn lines(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let mut physical = bytes
        .split(|&b| b == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .skip_while(|line| line.trim_ascii().is_empty())
        .peekable();
    std::iter::from_fn(move || {
        let mut line = physical.next()?.to_vec();
        while let Some(more) =
            physical.next_if(|line| line.starts_with(b" ") || line.starts_with(b"\t"))
        {
            line.push(b' ');
            line.extend_from_slice(more.trim_ascii());
        }
        Some(line)
    })
}

/// Reads a status line: whether it is of HTTP/1.0 or older, and the status.
fn status_line(line: &[u8]) -> Option<(bool, u16)> {
    let mut words = line
        .split(|b| b" \t".contains(b))
        .filter(|word| !word.is_empty());
    let version = words.next()?.to_ascii_uppercase();
    let status = words.next()?.get(..3)?;
    let is_number = status.iter().all(u8::is_ascii_digit);
    let status = str::from_utf8(status).ok().filter(|_| is_number)?;
    let status = status
        .parse()
        .ok()
        .filter(|status| (100..600).contains(status))?;
    Some((
        !version.starts_with(b"HTTP/1.1") && !version.starts_with(b"HTTP/2"),
        status,
    ))
}

/// How many challenges and cookies of one head are read.
const MAX_VALUES: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> ResponseHead {
        ResponseHead::parse(text.as_bytes()).expect("a status")
    }

    #[test]
    fn lengths_that_make_no_sense_are_none() {
        let extent = |headers: &str| parse(&format!("HTTP/1.1 200 OK\r\n{headers}")).extent;
        for useless in [
            "-1",
            "",
            "many",
            "1, 2",
            "99999999999999999999",
            "0x10",
            "1.5",
            "+1",
        ] {
            let headers = format!("Content-Length: {useless}\r\n");
            assert_eq!(extent(&headers), Extent::ToEnd, "{useless}");
        }
        let two = |a, b| extent(&format!("Content-Length: {a}\r\nContent-length: {b}\r\n"));
        assert_eq!(two("7", "8"), Extent::ToEnd);
        assert_eq!(two("7", "7"), Extent::Length(7));
        assert_eq!(extent("Content-Length: 7, 7\r\n"), Extent::Length(7));
        assert_eq!(extent("Content-Length : 007\r\n"), Extent::Length(7));
        let stream = "Content-Type: multipart/x-mixed-replace\r\n";
        assert_eq!(
            extent(&format!("{stream}Content-Length: 0\r\n")),
            Extent::ToEnd
        );
        assert_eq!(
            extent("Transfer-Encoding: Chunked\r\nContent-Length: 3\r\n"),
            Extent::Chunked
        );
        assert_eq!(extent("Transfer-Encoding: identity\r\n"), Extent::ToEnd);
    }

    #[test]
    fn only_codings_that_change_the_bytes_are_kept() {
        let coding =
            |value: &str| parse(&format!("HTTP/1.0 200 OK\nContent-Encoding: {value}\n")).coding;
        for harmless in [
            "none", "binary", "8bit", "7bit", "identity", "", "utf-8", "jpeg",
        ] {
            assert_eq!(coding(harmless), None, "{harmless}");
        }
        for real in ["gzip", "GZIP", "identity, br", "deflate"] {
            assert_eq!(coding(real), Some(real.into()));
        }
        assert!(
            parse("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n")
                .coding
                .is_some()
        );
    }

    #[test]
    fn status_is_read_from_odd_lines_and_nothing_else() {
        for (line, status, keeps) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 1", 200, true),
            ("HTTP/1.0 200 OK\r\nContent-Length: 1", 200, false),
            (
                "HTTP/1.0 200 OK\r\nContent-Length: 1\r\nConnection: Keep-Alive",
                200,
                true,
            ),
            (
                "HTTP/1.1 200\r\nContent-Length: 1\r\nConnection: x, close",
                200,
                false,
            ),
            ("ICY 200 OK\r\nContent-Length: 1", 200, false),
            ("http/1.1  503 Busy\nContent-Length: 1", 503, true),
            (
                "\r\n\r\nHTTP/1.1 206 Partial Content\r\nContent-Length: 1",
                206,
                true,
            ),
            ("HTTP/1.1 200 OK", 200, false),
        ] {
            let head = parse(line);
            assert_eq!((head.status, head.keeps), (status, keeps), "{line}");
        }
        for bad in [
            "",
            "HTTP/1.1",
            "HTTP/9.9 hello",
            "HTTP/1.1 99 x",
            "HTTP/1.1 -20 x",
        ] {
            assert_eq!(ResponseHead::parse(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn folded_lines_are_one_and_lines_without_a_colon_none() {
        let head = parse("HTTP/1.1 200 OK\nContent-Type: multipart/\n  mixed\nno header\n : x\n");
        assert_eq!(head.content_type.as_deref(), Some(&b"multipart/ mixed"[..]));
    }

    #[test]
    fn first_bytes_tell_a_head_from_a_body() {
        for (bytes, found) in [
            (&b""[..], Start::Undecided),
            (b"\r\n", Start::Undecided),
            (b"HT", Start::Undecided),
            (b"\nHTTP", Start::Head),
            (b"ICY 200", Start::Head),
            (b"\xFF", Start::Undecided),
            (b"\xFF\xD8", Start::Body),
            (b"\r\n--b", Start::Body),
            (b"SSH", Start::Neither),
            (b"<html>", Start::Neither),
        ] {
            assert_eq!(start(bytes), found, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn end_of_a_head_is_found_however_it_was_searched_before() {
        for head in [
            "HTTP/1.1 200 OK\r\nA: b\r\n\r\n",
            "HTTP/1.1 200 OK\nA: b\n\n",
            "\r\nHTTP/1.1 200\n\r\n",
        ] {
            let all = [head.as_bytes(), b"body\n\n"].concat();
            let mut searched = 0;
            for n in 0..=all.len() {
                let found = end(&all[..n], searched);
                assert_eq!(
                    found,
                    (n >= head.len()).then_some(head.len()),
                    "{head:?} {n}"
                );
                searched = if n < head.len() { n } else { 0 };
            }
        }
    }
}
