//! The opening handshake (RFC 6455, 4.2).

use axum::response::{IntoResponse, Response};
use base64::{Engine, engine::general_purpose::STANDARD};
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version,
    header::{
        CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
        SEC_WEBSOCKET_VERSION, UPGRADE,
    },
};
use sha1_smol::Sha1;

use crate::{code::ErrorCode, error::Error, respond::Refused};

/// Reads the request of a client, and makes the response that opens the socket.
///
/// Returns the response that refuses it, if something is missing.
pub(crate) fn open(
    method: &Method,
    version: Version,
    headers: &HeaderMap,
) -> Result<Response, Box<Response>> {
    let refuse = |detail| {
        let error = Error::new(ErrorCode::BadRequest, detail);
        Err(Box::new(Refused(error).into_response()))
    };
    if version != Version::HTTP_11 {
        return refuse("a wall is opened over HTTP/1.1");
    }
    if method != Method::GET || !names(headers, &UPGRADE, "websocket") {
        return Err(Box::new(required("a wall is a WebSocket")));
    }
    if headers.get(SEC_WEBSOCKET_VERSION) != Some(&HeaderValue::from_static(VERSION)) {
        return Err(Box::new(required("a WebSocket of version 13 is needed")));
    }
    if !names(headers, &CONNECTION, "upgrade") {
        return refuse("Connection: Upgrade is missing");
    }
    let Some(accept) = headers.get(SEC_WEBSOCKET_KEY).and_then(accept) else {
        return refuse("Sec-WebSocket-Key is not 16 bytes in Base64");
    };
    if !names(headers, &SEC_WEBSOCKET_PROTOCOL, PROTOCOL) {
        return refuse("the subprotocol mjpeg-wall.1 must be offered");
    }
    let mut response = StatusCode::SWITCHING_PROTOCOLS.into_response();
    let headers = response.headers_mut();
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    let protocol = HeaderValue::from_static(PROTOCOL);
    headers.insert(SEC_WEBSOCKET_PROTOCOL, protocol);
    Ok(response)
}

/// Says that the request must be one for a WebSocket.
fn required(detail: &str) -> Response {
    let error = Error::new(ErrorCode::UpgradeRequired, detail);
    let mut response = Refused(error).into_response();
    let headers = response.headers_mut();
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static(VERSION));
    response
}

/// Whether a word is in the list of words that a header is.
fn names(headers: &HeaderMap, header: &HeaderName, word: &str) -> bool {
    let values = headers.get_all(header).iter();
    let mut words = values.flat_map(|value| value.as_bytes().split(|b| *b == b','));
    words.any(|one| one.trim_ascii().eq_ignore_ascii_case(word.as_bytes()))
}

/// What proves to the client that its key was read.
fn accept(key: &HeaderValue) -> Option<HeaderValue> {
    let key = key.as_bytes().trim_ascii();
    let mut decoded = [0; KEY_BYTES + 2];
    let length = STANDARD.decode_slice(key, &mut decoded).ok()?;
    if length != KEY_BYTES {
        return None;
    }
    let mut sha1 = Sha1::new();
    sha1.update(key);
    sha1.update(GUID);
    HeaderValue::try_from(STANDARD.encode(sha1.digest().bytes())).ok()
}

/// The protocol that is spoken.
const PROTOCOL: &str = "mjpeg-wall.1";
const VERSION: &str = "13";
const KEY_BYTES: usize = 16;
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(change: impl FnOnce(&mut HeaderMap)) -> u16 {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            (UPGRADE, "WebSocket"),
            (CONNECTION, "keep-alive, Upgrade"),
            (SEC_WEBSOCKET_VERSION, "13"),
            (SEC_WEBSOCKET_KEY, "dGhlIHNhbXBsZSBub25jZQ=="),
            (SEC_WEBSOCKET_PROTOCOL, "chat, mjpeg-wall.1"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        change(&mut headers);
        match open(&Method::GET, Version::HTTP_11, &headers) {
            Ok(response) => response.status().as_u16(),
            Err(refusal) => refusal.status().as_u16(),
        }
    }

    #[test]
    fn handshake_is_that_of_the_standard() {
        let key = HeaderValue::from_static("dGhlIHNhbXBsZSBub25jZQ==");
        assert_eq!(accept(&key).unwrap(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        assert_eq!(opened(|_| ()), 101);
    }

    #[test]
    fn what_is_missing_is_said() {
        let without = |name: HeaderName| opened(|headers| drop(headers.remove(name)));
        assert_eq!(without(UPGRADE), 426);
        assert_eq!(without(SEC_WEBSOCKET_VERSION), 426);
        assert_eq!(without(CONNECTION), 400);
        assert_eq!(without(SEC_WEBSOCKET_KEY), 400);
        assert_eq!(without(SEC_WEBSOCKET_PROTOCOL), 400);
        let with = |name: HeaderName, value: &'static str| {
            opened(|headers| drop(headers.insert(name, HeaderValue::from_static(value))))
        };
        assert_eq!(with(UPGRADE, "h2c"), 426);
        assert_eq!(with(SEC_WEBSOCKET_VERSION, "8"), 426);
        for key in ["", "dGhlIHNhbXBsZSBub25jZQ", "aGk=", "!!!!"] {
            assert_eq!(with(SEC_WEBSOCKET_KEY, key), 400, "{key}");
        }
        for protocol in ["chat", "mjpeg-wall.2", "mjpeg-wall.1x"] {
            assert_eq!(with(SEC_WEBSOCKET_PROTOCOL, protocol), 400, "{protocol}");
        }
    }

    #[test]
    fn other_versions_of_http_and_methods_open_nothing() {
        let headers = HeaderMap::new();
        let refused = |method: Method, version| {
            let refused = open(&method, version, &headers);
            refused.unwrap_err().status().as_u16()
        };
        assert_eq!(refused(Method::GET, Version::HTTP_2), 400);
        assert_eq!(refused(Method::GET, Version::HTTP_10), 400);
        assert_eq!(refused(Method::HEAD, Version::HTTP_11), 426);
    }
}
