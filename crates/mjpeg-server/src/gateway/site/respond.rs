//! Answers of every kind.

use bytes::Bytes;
use http::{
    HeaderValue, Response, StatusCode,
    header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, LOCATION, X_CONTENT_TYPE_OPTIONS},
};
use http_body_util::{Full, combinators::UnsyncBoxBody};
use serde::Serialize;

/// The body of any answer.
pub(super) type SiteBody = UnsyncBoxBody<Bytes, Box<dyn std::error::Error + Send + Sync>>;

/// An error for programs (RFC 9457).
#[derive(Serialize)]
struct Problem<'a> {
    title: &'a str,
    status: u16,
    /// A stable word for machines.
    code: &'a str,
    /// What is wrong, for people.
    detail: &'a str,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'a str>,
}

pub(super) fn problem(
    status: StatusCode,
    code: &str,
    detail: &str,
    hint: Option<&str>,
) -> Response<Full<Bytes>> {
    let problem = Problem {
        title: status.canonical_reason().unwrap_or_default(),
        status: status.as_u16(),
        code,
        detail,
        hint,
    };
    match serde_json::to_vec(&problem) {
        Ok(json) => answer(status, "application/problem+json", json),
        // No type here has keys that are not text, the one reason to fail.
        Err(_) => text(StatusCode::INTERNAL_SERVER_ERROR, "internal error\n"),
    }
}

pub(super) fn text(status: StatusCode, text: impl Into<Bytes>) -> Response<Full<Bytes>> {
    answer(status, "text/plain; charset=utf-8", text)
}

/// A value for the page's script.
pub(super) fn json(value: &impl Serialize) -> Response<Full<Bytes>> {
    match serde_json::to_vec(value) {
        Ok(json) => answer(StatusCode::OK, "application/json", json),
        // No type here has keys that are not text, the one reason to fail.
        Err(_) => text(StatusCode::INTERNAL_SERVER_ERROR, "internal error\n"),
    }
}

/// Something was done, and there is nothing to say of it.
pub(super) fn nothing() -> Response<Full<Bytes>> {
    let mut response = text(StatusCode::NO_CONTENT, "");
    response.headers_mut().remove(CONTENT_TYPE);
    response
}

pub(super) fn not_allowed(methods: &'static str) -> Response<Full<Bytes>> {
    let detail = "this path does not take this method";
    let status = StatusCode::METHOD_NOT_ALLOWED;
    let mut response = problem(status, "method_not_allowed", detail, None);
    response
        .headers_mut()
        .insert(ALLOW, HeaderValue::from_static(methods));
    response
}

/// What is here may be read from this machine only.
pub(super) fn only_local() -> Response<Full<Bytes>> {
    problem(
        StatusCode::FORBIDDEN,
        "forbidden",
        "metrics are only for clients on this machine, as there are no users",
        Some("serve them on a loopback address or a Unix socket, or give a user the right metrics"),
    )
}

/// The request names another host (RFC 9110, 15.5.20).
pub(super) fn misdirected() -> Response<Full<Bytes>> {
    problem(
        StatusCode::MISDIRECTED_REQUEST,
        "misdirected_request",
        "this host name is not known here",
        Some("use an IP address or the machine's name, or add the name to hosts"),
    )
}

/// A permanent redirect to the same path with a slash at its end.
pub(super) fn to_folder(path: &str) -> Response<Full<Bytes>> {
    let name = path.rsplit('/').next().unwrap_or_default();
    to(&format!("./{name}/"))
}

/// A permanent redirect to this address, which is relative to that of the request.
pub(super) fn to(address: &str) -> Response<Full<Bytes>> {
    let mut response = text(StatusCode::PERMANENT_REDIRECT, "The page is elsewhere.\n");
    if let Ok(location) = HeaderValue::try_from(address) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}

fn answer(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
