//! Heads of RTSP messages (RFC 2326 section 4), read as cameras write them.

use crate::source::http::head::lines;

/// The head of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct MessageHead {
    /// `None` if it is a request.
    pub(super) status: Option<u16>,
    /// Names in lower case, and values.
    headers: Vec<(Vec<u8>, Vec<u8>)>,
}

/// A response, body included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RtspResponse {
    pub(super) status: u16,
    pub(super) head: MessageHead,
    pub(super) body: Vec<u8>,
}

impl MessageHead {
    /// Reads a head. Returns `None` if its first line is that of no message.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut lines = lines(bytes);
        let first = lines.next()?;
        let mut words = first.split(|b| *b == b' ').filter(|word| !word.is_empty());
        let status = if words.next()?.starts_with(b"RTSP/") {
            let number = str::from_utf8(words.next()?).ok()?.parse();
            Some(number.ok().filter(|status| (100..1000).contains(status))?)
        } else {
            // `OPTIONS * RTSP/1.0`
            words
                .next_back()
                .filter(|version| version.starts_with(b"RTSP/"))?;
            None
        };
        let header = |line: Vec<u8>| {
            let colon = line.iter().position(|&b| b == b':')?;
            let name = line[..colon].trim_ascii().to_ascii_lowercase();
            Some((name, line[colon + 1..].trim_ascii().to_vec()))
        };
        Some(Self {
            status,
            headers: lines.filter_map(header).take(MAX_HEADERS).collect(),
        })
    }

    /// The values of the headers of this name.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        let named = move |(known, _): &&(Vec<u8>, Vec<u8>)| known == name.as_bytes();
        self.headers
            .iter()
            .filter(named)
            .map(|(_, value)| &value[..])
    }

    /// The value of the first header of this name, if it is plain text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let value = self.all(name).next()?;
        let is_plain = value.iter().all(|b| (b' '..=b'~').contains(b));
        str::from_utf8(value).ok().filter(|_| is_plain)
    }

    /// The number of the request that a response answers, or of a request.
    pub(super) fn number(&self) -> Option<u32> {
        self.text("cseq")?.parse().ok()
    }

    /// The length of the body.
    pub(super) fn body_bytes(&self) -> Option<usize> {
        match self.text("content-length") {
            Some(text) => text.parse().ok(),
            None => Some(0),
        }
    }
}

impl RtspResponse {
    /// The identifier of the session, and after how much silence it ends, in seconds.
    pub(super) fn session(&self) -> Option<(&str, u64)> {
        let mut parts = self.head.text("session")?.split(';');
        let id = parts.next()?.trim();
        let timeout = parts.find_map(|part| part.trim().strip_prefix("timeout=")?.parse().ok());
        Some((id, timeout.unwrap_or(DEFAULT_TIMEOUT_SECONDS))).filter(|(id, _)| !id.is_empty())
    }

    /// The channels that packets and reports come on.
    pub(super) fn channels(&self) -> Option<(u8, Option<u8>)> {
        let mut parts = self.head.text("transport")?.split(';');
        let range = parts.find_map(|part| part.trim().strip_prefix("interleaved="))?;
        let (first, second) = match range.split_once('-') {
            Some((first, second)) => (first, second.parse().ok()),
            None => (range, None),
        };
        Some((first.parse().ok()?, second))
    }
}

/// How many headers of a head are read.
const MAX_HEADERS: usize = 128;

/// RFC 2326 section 12.37.
const DEFAULT_TIMEOUT_SECONDS: u64 = 60;

#[cfg(test)]
mod tests {
    use super::*;

    fn response(head: &str) -> RtspResponse {
        let head = MessageHead::parse(head.as_bytes()).unwrap();
        RtspResponse {
            status: head.status.unwrap(),
            head,
            body: Vec::new(),
        }
    }

    #[test]
    fn sessions_and_channels_are_read_as_cameras_write_them() {
        for (line, session) in [
            ("Session: abc", Some(("abc", 60))),
            ("session:abc;timeout=30", Some(("abc", 30))),
            ("SESSION: abc; Timeout = 5; timeout=7", Some(("abc", 7))),
            ("Session: abc;timeout=soon", Some(("abc", 60))),
            ("Session: ;timeout=30", None),
            ("Session: a\u{1b}c", None),
            ("No: session", None),
        ] {
            let response = response(&format!("RTSP/1.0 200 OK\r\n{line}\r\n"));
            assert_eq!(response.session(), session, "{line}");
        }
        for (value, channels) in [
            ("RTP/AVP/TCP;unicast;interleaved=0-1", Some((0, Some(1)))),
            ("RTP/AVP/TCP; interleaved=8-9;ssrc=1", Some((8, Some(9)))),
            ("RTP/AVP/TCP;interleaved=2", Some((2, None))),
            ("RTP/AVP/TCP;interleaved=256-257", None),
            ("RTP/AVP;unicast;client_port=1-2", None),
        ] {
            let response = response(&format!("RTSP/1.0 200 OK\nTransport: {value}\n"));
            assert_eq!(response.channels(), channels, "{value}");
        }
    }

    #[test]
    fn first_line_tells_responses_from_requests() {
        let status = |line: &str| MessageHead::parse(line.as_bytes()).map(|head| head.status);
        assert_eq!(status("RTSP/1.0 200 OK\r\n"), Some(Some(200)));
        assert_eq!(status("RTSP/1.0  454\r\n"), Some(Some(454)));
        assert_eq!(status("OPTIONS * RTSP/1.0\r\n"), Some(None));
        assert_eq!(status("HTTP/1.1 200 OK\r\n"), None);
        for wrong in [
            "RTSP/1.0\r\n",
            "RTSP/1.0 OK\r\n",
            "RTSP/1.0 99\r\n",
            "RTSP/1.0 1000\r\n",
        ] {
            assert_eq!(status(wrong), None, "{wrong}");
        }
    }
}
