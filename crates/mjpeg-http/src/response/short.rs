//! The short answers.

use bytes::Bytes;
use http::{
    HeaderValue, Response, StatusCode,
    header::{self, HeaderName},
};

use crate::{response::body::ResponseBody, viewers::admission::Full};

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
    let text = "This is a relay: it cannot control the camera.\n";
    error(StatusCode::NOT_IMPLEMENTED, text)
}

pub(crate) fn not_found() -> Response<ResponseBody> {
    let text = "Nothing here. The stream is at / and at /stream, a picture at /snapshot\n";
    error(StatusCode::NOT_FOUND, text)
}

pub(crate) fn closed() -> Response<ResponseBody> {
    unavailable("The stream is being stopped.\n")
}

pub(crate) fn undecided() -> Response<ResponseBody> {
    unavailable("Access could not be checked in time.\n")
}

fn unavailable(text: impl Into<Bytes>) -> Response<ResponseBody> {
    let mut response = error(StatusCode::SERVICE_UNAVAILABLE, text);
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, RETRY_WHEN_FULL);
    response
}

/// Code 508 (RFC 5842 section 7.2).
pub(crate) fn looped() -> Response<ResponseBody> {
    let text = "Relays read one another in a loop, or too many stand in a row.\n";
    error(StatusCode::LOOP_DETECTED, text)
}

pub(crate) fn no_such_stream() -> Response<ResponseBody> {
    error(StatusCode::NOT_FOUND, "There is no such stream here.\n")
}

pub(crate) fn full(full: Full) -> Response<ResponseBody> {
    unavailable(full.reason())
}

/// A permanent redirect to a relative URL.
pub(crate) fn moved(location: &str) -> Response<ResponseBody> {
    let Ok(location) = HeaderValue::try_from(location) else {
        return not_found();
    };
    let mut response = error(
        StatusCode::PERMANENT_REDIRECT,
        "The stream is one level down.\n",
    );
    response.headers_mut().insert(header::LOCATION, location);
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

const ALLOWED: HeaderValue = HeaderValue::from_static("GET, HEAD, OPTIONS");
/// In seconds: long enough to detect a dead viewer.
const RETRY_WHEN_FULL: HeaderValue = HeaderValue::from_static("5");
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
