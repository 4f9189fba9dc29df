//! The head of a request that sends pictures.

use percent_encoding::percent_decode;

use super::url::decoded_path;
use crate::source::{
    http::{
        extent::{Extent, FramingHeaders, has_token},
        head::lines,
    },
    push::head::PushHead,
};

/// What is needed of the head of a request.
#[derive(Clone, Debug)]
pub(super) struct PushRequestHead {
    pub(super) method: PushMethod,
    /// Decoded, without the query.
    pub(super) path: String,
    /// What is given as the token.
    pub(super) tokens: Vec<Vec<u8>>,
    /// A web page sends it.
    pub(super) has_origin: bool,
    /// The sender waits for `100 Continue`.
    pub(super) expects: bool,
    /// Where the body ends; `None` if it says nothing of a body.
    pub(super) extent: Option<Extent>,
    /// The sender may send another request on the connection.
    pub(super) keeps: bool,
    pub(super) push: PushHead,
}

/// What a request does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PushMethod {
    /// `POST` or `PUT`.
    Push,
    Other,
}

/// What is wrong with a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BadHead {
    /// The first line is none of HTTP/1.
    NoRequest,
    /// The path is not UTF-8, or has control characters.
    BadPath,
    /// A length is not a number, or two of them differ.
    BadLength,
}

impl BadHead {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::NoRequest => "this port takes pictures by HTTP/1.1: POST /PATH HTTP/1.1",
            Self::BadPath => "the path of the request is not UTF-8, or has control characters",
            Self::BadLength => {
                "Content-Length is not a number: send the number of bytes of the body, once, or \
                 Transfer-Encoding: chunked"
            }
        }
    }
}

impl PushRequestHead {
    /// Reads a head, without the blank line after it.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, BadHead> {
        let mut lines = lines(bytes);
        let first = lines.next().ok_or(BadHead::NoRequest)?;
        let (method, target, is_1_0) = request_line(&first).ok_or(BadHead::NoRequest)?;
        let (path, query) = match target.iter().position(|&b| b == b'?') {
            Some(at) => (&target[..at], &target[at + 1..]),
            None => (target, &[][..]),
        };
        let path = str::from_utf8(path)
            .ok()
            .and_then(|path| decoded_path(path).ok());
        let mut head = Self {
            method,
            path: path.ok_or(BadHead::BadPath)?,
            tokens: query_tokens(query),
            has_origin: false,
            expects: false,
            extent: None,
            keeps: !is_1_0,
            push: PushHead::default(),
        };
        let mut framing = FramingHeaders::default();
        for line in lines {
            let Some(colon) = line.iter().position(|&b| b == b':') else {
                continue;
            };
            let name = line[..colon].trim_ascii().to_ascii_lowercase();
            head.field(&name, line[colon + 1..].trim_ascii(), &mut framing);
        }
        head.extent = framing.request_extent().map_err(|()| BadHead::BadLength)?;
        if head.extent.is_none() && is_1_0 && method == PushMethod::Push {
            // An old way: the body ends with the connection.
            head.extent = Some(Extent::ToEnd);
        }
        if let Some(Extent::Length(length)) = head.extent {
            head.push.length = Some(length);
        }
        head.keeps &= head.extent != Some(Extent::ToEnd);
        Ok(head)
    }

    fn field(&mut self, name: &[u8], value: &[u8], framing: &mut FramingHeaders) {
        match name {
            b"content-length" => framing.length(value),
            b"connection" if has_token(value, b"close") => self.keeps = false,
            b"connection" if has_token(value, b"keep-alive") => self.keeps = true,
            b"expect" => self.expects |= value.eq_ignore_ascii_case(b"100-continue"),
            b"origin" => self.has_origin = true,
            b"authorization" => self.tokens.extend(authorization(value)),
            _ => {
                framing.is_chunked |= name == b"transfer-encoding" && has_token(value, b"chunked");
                self.push.field(name, value);
            }
        }
    }
}

/// Reads a request line: the method, the target, and whether it is of HTTP/1.0.
fn request_line(line: &[u8]) -> Option<(PushMethod, &[u8], bool)> {
    let mut words = line
        .split(|b| b" \t".contains(b))
        .filter(|word| !word.is_empty());
    let (method, target, version) = (words.next()?, words.next()?, words.next()?);
    let is_1_0 = match version {
        b"HTTP/1.1" => false,
        b"HTTP/1.0" => true,
        _ => return None,
    };
    if words.next().is_some() || !method.iter().all(u8::is_ascii_uppercase) {
        return None;
    }
    let method = match method {
        b"POST" | b"PUT" => PushMethod::Push,
        _ => PushMethod::Other,
    };
    // Some send the whole URL, as to a proxy (RFC 9112 section 3.2.2).
    let target = match target.strip_prefix(b"http://") {
        Some(rest) => match rest.iter().position(|&b| b == b'/') {
            Some(at) => &rest[at..],
            None => b"/",
        },
        None => target,
    };
    Some((method, target, is_1_0))
}

/// The values of `token` in a query.
fn query_tokens(query: &[u8]) -> Vec<Vec<u8>> {
    let values = query.split(|&b| b == b'&');
    let values = values.filter_map(|pair| pair.strip_prefix(b"token="));
    values
        .take(MAX_TOKENS)
        .map(|value| percent_decode(value).collect())
        .collect()
}

/// What an `Authorization` gives as the token: `Bearer TOKEN`, or the password of a Basic login.
fn authorization(value: &[u8]) -> Option<Vec<u8>> {
    use base64::{Engine as _, engine::general_purpose::STANDARD};

    let blank = value.iter().position(|&b| b == b' ')?;
    let (scheme, rest) = (&value[..blank], value[blank..].trim_ascii());
    if scheme.eq_ignore_ascii_case(b"bearer") {
        return Some(rest.into());
    }
    if !scheme.eq_ignore_ascii_case(b"basic") {
        return None;
    }
    let login = STANDARD.decode(rest).ok()?;
    let colon = login.iter().position(|&b| b == b':')?;
    Some(login[colon + 1..].into())
}

/// How many tokens of one query are tried.
const MAX_TOKENS: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(head: &str) -> Result<PushRequestHead, BadHead> {
        PushRequestHead::parse(head.as_bytes())
    }

    #[test]
    fn request_line_is_read_as_senders_write_it() {
        for (line, path) in [
            ("POST /cam1 HTTP/1.1", "/cam1"),
            ("PUT /cam1?token=x HTTP/1.1", "/cam1"),
            ("\r\nPOST /cam%201 HTTP/1.0", "/cam 1"),
            ("POST http://relay:8090/cam1?x HTTP/1.1", "/cam1"),
            ("POST http://relay:8090 HTTP/1.1", "/"),
        ] {
            let head = parse(line).unwrap();
            assert_eq!(
                (&*head.path, head.method),
                (path, PushMethod::Push),
                "{line}"
            );
        }
        assert_eq!(parse("GET / HTTP/1.1").unwrap().method, PushMethod::Other);
        for line in [
            "",
            "POST /",
            "POST / HTTP/2.0",
            "post / HTTP/1.1",
            "\x16\x03\x01",
            "a b c d",
        ] {
            assert_eq!(parse(line).unwrap_err(), BadHead::NoRequest, "{line:?}");
        }
        for line in [
            "POST /%FF HTTP/1.1",
            "POST /%0A HTTP/1.1",
            "POST cam HTTP/1.1",
        ] {
            assert_eq!(parse(line).unwrap_err(), BadHead::BadPath, "{line:?}");
        }
    }

    #[test]
    fn body_ends_where_the_head_says() {
        let extent = |headers: &str| {
            let head = parse(&format!("POST / HTTP/1.1\r\n{headers}"));
            head.map(|head| (head.extent, head.keeps))
        };
        assert_eq!(extent(""), Ok((None, true)));
        assert_eq!(
            extent("Content-Length: 7\r\nConnection: close\r\n"),
            Ok((Some(Extent::Length(7)), false))
        );
        assert_eq!(
            extent("Transfer-Encoding: chunked\r\nContent-Length: 7\r\n"),
            Ok((Some(Extent::Chunked), true))
        );
        for bad in ["-1", "x", "1, 2", "99999999999999999999"] {
            let length = format!("Content-Length: {bad}\r\n");
            assert_eq!(extent(&length), Err(BadHead::BadLength), "{bad}");
        }
        let old = parse("POST / HTTP/1.0\r\nConnection: keep-alive\r\n").unwrap();
        assert_eq!((old.extent, old.keeps), (Some(Extent::ToEnd), false));
    }

    #[test]
    fn token_is_found_where_senders_put_it() {
        let tokens = |line: &str, header: &str| {
            parse(&format!("POST {line} HTTP/1.1\r\n{header}\r\n"))
                .unwrap()
                .tokens
        };
        for (line, header) in [
            ("/?token=a%20b", "X: y"),
            ("/?x=1&token=a%20b&y", "X: y"),
            ("/", "Authorization: Bearer a b"),
            ("/", "authorization: BEARER   a b"),
            ("/", "Authorization: Basic dXNlcjphIGI="),
            ("/", "Authorization: Basic OmEgYg=="),
        ] {
            assert_eq!(tokens(line, header), [b"a b".to_vec()], "{line} {header}");
        }
        for header in [
            "Authorization: a",
            "Authorization: Digest a b",
            "Authorization: Basic ?",
        ] {
            assert!(tokens("/?tokens=a&xtoken=a", header).is_empty(), "{header}");
        }
    }
}
