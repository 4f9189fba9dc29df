//! Which answer a request gets.

use http::{
    HeaderValue, Method, Response, StatusCode, Version,
    header::{self, HeaderName},
};
use mjpeg_codec::multipart::Boundary;

use crate::{MjpegBody, ResponseBody};

/// Answers a request by its method, path and HTTP version; `body` makes the stream if that is what it gets.
pub(crate) fn respond(
    method: &Method,
    path: &str,
    version: Version,
    body: impl FnOnce() -> MjpegBody,
) -> Response<ResponseBody> {
    let mut response = match (method, path) {
        (&Method::GET, "/") => stream(version, body().into()),
        (&Method::HEAD, "/") => stream(version, ResponseBody::text("")),
        // `OPTIONS *` asks about the server as a whole (RFC 9110, 9.3.7).
        (&Method::OPTIONS, "/" | "*") => preflight(),
        (_, "/") => {
            let mut response = error(
                StatusCode::METHOD_NOT_ALLOWED,
                "The stream is read with GET.\n",
            );
            response.headers_mut().insert(header::ALLOW, ALLOWED);
            response
        }
        _ => error(StatusCode::NOT_FOUND, "Nothing here. The stream is at /\n"),
    };
    for (name, value) in OPEN_TO_ALL {
        response.headers_mut().insert(name, value);
    }
    response
}

fn stream(version: Version, body: ResponseBody) -> Response<ResponseBody> {
    let mut response = Response::new(body);
    if version < Version::HTTP_2 {
        // A 1.0 response of unknown length is ended by close and never chunked, whatever the client's version.
        *response.version_mut() = Version::HTTP_10;
        response.headers_mut().insert(header::CONNECTION, CLOSE);
    }
    let content_type = HeaderValue::try_from(Boundary::default().content_type());
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        content_type.expect("a boundary holds no character that a header may not"),
    );
    for (name, value) in NEVER_STORED {
        headers.insert(name, value);
    }
    response
}

fn preflight() -> Response<ResponseBody> {
    let mut response = Response::new(ResponseBody::text(""));
    *response.status_mut() = StatusCode::NO_CONTENT;
    for (name, value) in PREFLIGHT {
        response.headers_mut().insert(name, value);
    }
    response
}

fn error(status: StatusCode, text: &'static str) -> Response<ResponseBody> {
    let mut response = Response::new(ResponseBody::text(text));
    *response.status_mut() = status;
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    response
}

const ALLOWED: HeaderValue = HeaderValue::from_static("GET, HEAD, OPTIONS");
const CLOSE: HeaderValue = HeaderValue::from_static("close");

/// CORS for scripts and canvases, and its counterpart for pages that isolate themselves (`Cross-Origin-Embedder-Policy`).
const OPEN_TO_ALL: [(HeaderName, HeaderValue); 2] = [
    (
        header::ACCESS_CONTROL_ALLOW_ORIGIN,
        HeaderValue::from_static("*"),
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("cross-origin"),
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
const NEVER_STORED: [(HeaderName, HeaderValue); 4] = [
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
