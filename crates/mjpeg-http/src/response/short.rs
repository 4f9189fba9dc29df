//! The short answers.

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Response, StatusCode,
    header::{self, HeaderName},
};

use crate::{
    cors::{self, CorsPolicy},
    response::body::ResponseBody,
    viewers::admission::Full,
};

/// Answers a CORS preflight, or `OPTIONS`.
pub(crate) fn preflight(request: &HeaderMap, policy: &CorsPolicy) -> Response<ResponseBody> {
    let mut response = Response::new(ResponseBody::whole(""));
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    for (name, value) in PREFLIGHT {
        headers.insert(name, value);
    }
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        cors::asked_headers(request),
    );
    // A page of a public address asks before it reads from a private one (Private Network Access).
    let is_admitted = cors::header_value(&policy.allowed(request)).is_some();
    let asked = request.get("access-control-request-private-network");
    if is_admitted && asked.is_some_and(|value| value == "true") {
        headers.insert(ALLOW_PRIVATE_NETWORK, HeaderValue::from_static("true"));
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

pub(crate) fn unknown_action() -> Response<ResponseBody> {
    let text = "There is no such action; there are ?action=stream and ?action=snapshot\n";
    error(StatusCode::BAD_REQUEST, text)
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

pub(crate) fn unavailable(text: impl Into<Bytes>) -> Response<ResponseBody> {
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

pub(crate) fn kicked() -> Response<ResponseBody> {
    let text = "This viewer was disconnected. With another key, or later, it may come back.\n";
    error(StatusCode::GONE, text)
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
const ALLOW_PRIVATE_NETWORK: HeaderName =
    HeaderName::from_static("access-control-allow-private-network");
const PREFLIGHT: [(HeaderName, HeaderValue); 4] = [
    (header::ALLOW, ALLOWED),
    (header::ACCESS_CONTROL_ALLOW_METHODS, ALLOWED),
    (
        header::VARY,
        HeaderValue::from_static(
            "Access-Control-Request-Headers, Access-Control-Request-Private-Network",
        ),
    ),
    (
        header::ACCESS_CONTROL_MAX_AGE,
        HeaderValue::from_static("86400"),
    ),
];
