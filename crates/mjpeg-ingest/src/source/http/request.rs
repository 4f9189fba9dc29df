//! Requests, as they are written.

use http::{
    HeaderMap,
    header::{self, HeaderName, HeaderValue},
};

use super::address::Origin;

/// The headers of a GET.
pub(super) struct Request(HeaderMap);

impl Request {
    /// Makes a request to this server.
    pub(super) fn new(origin: &Origin) -> Self {
        let mut request = Self(HeaderMap::new());
        request.set(header::HOST, origin.host_header().as_bytes());
        request.set(header::USER_AGENT, USER_AGENT.as_bytes());
        request.set(header::ACCEPT, ACCEPT.as_bytes());
        request.set(header::ACCEPT_ENCODING, b"identity");
        request
    }

    /// Sets a header. A value that cannot be sent is left out.
    pub(super) fn set(&mut self, name: HeaderName, value: &[u8]) {
        if let Ok(value) = HeaderValue::from_bytes(value) {
            self.0.insert(name, value);
        }
    }

    /// Puts these headers in the place of those with the same names.
    pub(super) fn replace(&mut self, headers: &HeaderMap) {
        self.0.extend(headers.clone());
    }

    /// Writes the request for this path.
    pub(super) fn written(&self, path: &str) -> Vec<u8> {
        let mut request = format!("GET {path} HTTP/1.1\r\n").into_bytes();
        for (name, value) in &self.0 {
            // Some devices know only `Authorization`, not `authorization`.
            let mut begins_word = true;
            for letter in name.as_str().bytes() {
                request.push(if begins_word {
                    letter.to_ascii_uppercase()
                } else {
                    letter
                });
                begins_word = letter == b'-';
            }
            request.extend_from_slice(b": ");
            request.extend_from_slice(value.as_bytes());
            request.extend_from_slice(b"\r\n");
        }
        request.extend_from_slice(b"\r\n");
        request
    }
}

const USER_AGENT: &str = concat!("mjpeg-ingest/", env!("CARGO_PKG_VERSION"));

/// Prefers images over a page, for servers that can choose.
const ACCEPT: &str = "multipart/x-mixed-replace, image/jpeg, */*;q=0.5";
