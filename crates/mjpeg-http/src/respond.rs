//! The responses, and what their headers say.

use bytes::Bytes;
use http::{
    HeaderValue, Response, StatusCode, Version,
    header::{self, HeaderName},
};
use mjpeg_codec::multipart::Boundary;

use crate::{ResponseBody, admission::Full, asked::StreamWish};

/// The head of a stream response, to a client of that HTTP version.
pub(crate) fn stream_head(version: Version, wish: &StreamWish) -> Response<()> {
    let mut response = Response::new(());
    if version < Version::HTTP_2 {
        // A 1.0 response of unknown length is ended by close and never chunked, whatever the client's version.
        *response.version_mut() = Version::HTTP_10;
        response.headers_mut().insert(header::CONNECTION, CLOSE);
    }
    let content_type = Boundary::default().content_type();
    let content_type = if wish.mixed {
        content_type.replace("x-mixed-replace", "mixed")
    } else {
        content_type
    };
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::try_from(content_type)
            .expect("a boundary holds no character that a header may not"),
    );
    for (name, value) in NEVER_STORED {
        headers.insert(name, value);
    }
    open_to_all(response)
}

pub(crate) fn preflight() -> Response<ResponseBody> {
    let mut response = Response::new(ResponseBody::whole(""));
    *response.status_mut() = StatusCode::NO_CONTENT;
    for (name, value) in PREFLIGHT {
        response.headers_mut().insert(name, value);
    }
    response
}

pub(crate) fn not_allowed() -> Response<ResponseBody> {
    let text = "Streams and pictures are read with GET.\n";
    let mut response = error(StatusCode::METHOD_NOT_ALLOWED, text);
    response.headers_mut().insert(header::ALLOW, ALLOWED);
    response
}

pub(crate) fn no_control() -> Response<ResponseBody> {
    let text = "This is a relay: it has no controls of the camera.\n";
    error(StatusCode::NOT_IMPLEMENTED, text)
}

pub(crate) fn nothing_here() -> Response<ResponseBody> {
    let text = "Nothing here. The stream is at / and at /stream, a picture at /snapshot\n";
    error(StatusCode::NOT_FOUND, text)
}

pub(crate) fn full(full: Full) -> Response<ResponseBody> {
    let mut response = error(StatusCode::SERVICE_UNAVAILABLE, full.reason());
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, RETRY_WHEN_FULL);
    response
}

pub(crate) fn error(status: StatusCode, text: impl Into<Bytes>) -> Response<ResponseBody> {
    let mut response = Response::new(ResponseBody::whole(text));
    *response.status_mut() = status;
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    response
}

pub(crate) fn open_to_all<B>(mut response: Response<B>) -> Response<B> {
    for (name, value) in OPEN_TO_ALL {
        response.headers_mut().insert(name, value);
    }
    response
}

const ALLOWED: HeaderValue = HeaderValue::from_static("GET, HEAD, OPTIONS");
/// In seconds: time enough for a viewer that is dead to be found out.
const RETRY_WHEN_FULL: HeaderValue = HeaderValue::from_static("5");
const CLOSE: HeaderValue = HeaderValue::from_static("close");

/// CORS for scripts and canvases, and its counterpart for pages that isolate themselves (`Cross-Origin-Embedder-Policy`).
const OPEN_TO_ALL: [(HeaderName, HeaderValue); 4] = [
    (
        header::ACCESS_CONTROL_ALLOW_ORIGIN,
        HeaderValue::from_static("*"),
    ),
    (
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static("ETag, Age, Last-Modified, Retry-After, X-Timestamp, X-Online"),
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("cross-origin"),
    ),
    (
        HeaderName::from_static("timing-allow-origin"),
        HeaderValue::from_static("*"),
    ),
];

const PREFLIGHT: [(HeaderName, HeaderValue); 4] = [
    (header::ALLOW, ALLOWED),
    (header::ACCESS_CONTROL_ALLOW_METHODS, ALLOWED),
    (
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        HeaderValue::from_static("*"),
    ),
    (
        header::ACCESS_CONTROL_MAX_AGE,
        HeaderValue::from_static("86400"),
    ),
];

/// For caches of every age, and for nginx, which would otherwise hold the stream back.
pub(crate) const NEVER_STORED: [(HeaderName, HeaderValue); 4] = [
    (
        header::CACHE_CONTROL,
        HeaderValue::from_static("no-store, no-cache, must-revalidate, max-age=0"),
    ),
    (header::PRAGMA, HeaderValue::from_static("no-cache")),
    (
        header::EXPIRES,
        HeaderValue::from_static("Mon, 03 Jan 2000 12:34:56 GMT"),
    ),
    (
        HeaderName::from_static("x-accel-buffering"),
        HeaderValue::from_static("no"),
    ),
];
