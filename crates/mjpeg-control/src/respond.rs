//! Answers of every kind.

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::{
    HeaderName, HeaderValue, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS},
};
use serde::Serialize;
use utoipa::{IntoResponses, ToSchema};

use crate::{
    code::ErrorCode,
    error::{Error, Violation},
};

/// A problem (RFC 9457), `application/problem+json`.
#[derive(Serialize, ToSchema)]
pub(crate) struct ProblemDetails {
    title: &'static str,
    status: u16,
    /// A stable word for machines, such as `already_exists`.
    code: &'static str,
    /// What is wrong, for people.
    detail: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    /// All that is wrong with what was to be set, and where.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Violation>,
}

/// Why a request was refused.
#[derive(IntoResponses)]
#[response(status = "default", content_type = "application/problem+json")]
pub(crate) struct AnyProblem(#[allow(dead_code, reason = "it is only described")] ProblemDetails);

/// An error as an answer.
pub(crate) struct Refused(pub(crate) Error);

/// What an answer says went wrong, for the audit log.
#[derive(Clone, Copy)]
pub(crate) struct Outcome(pub(crate) ErrorCode);

impl<E: Into<Error>> From<E> for Refused {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        problem(&self.0, self.0.code().status())
    }
}

/// An error as an answer of this status.
pub(crate) fn problem(error: &Error, status: StatusCode) -> Response {
    let details = ProblemDetails {
        title: status.canonical_reason().unwrap_or_default(),
        status: status.as_u16(),
        code: error.code().as_str(),
        detail: error.detail().to_owned(),
        hint: error.hint().map(str::to_owned),
        errors: error.violations().to_vec(),
    };
    let mut response = answer(status, PROBLEM, &details);
    response.extensions_mut().insert(Outcome(error.code()));
    if is_temporary(error.code()) {
        let headers = response.headers_mut();
        headers.insert(RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_S));
    }
    response
}

/// Says that a stream has no pictures, with its state as the code.
pub(crate) fn unhealthy(state: &'static str, detail: &str) -> Response {
    let status = StatusCode::SERVICE_UNAVAILABLE;
    let details = ProblemDetails {
        title: status.canonical_reason().unwrap_or_default(),
        status: status.as_u16(),
        code: state,
        detail: detail.to_owned(),
        hint: None,
        errors: Vec::new(),
    };
    answer(status, PROBLEM, &details)
}

fn is_temporary(code: ErrorCode) -> bool {
    matches!(code, ErrorCode::Busy | ErrorCode::TooManySubscribers)
}

/// A value as JSON.
pub(crate) fn json(status: StatusCode, value: &impl Serialize) -> Response {
    answer(status, "application/json", value)
}

fn answer(status: StatusCode, kind: &'static str, value: &impl Serialize) -> Response {
    // No type here has keys that are not text, the one reason to fail.
    let (status, json) = match serde_json::to_vec(value) {
        Ok(json) => (status, json),
        Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, Vec::new()),
    };
    let mut response = Response::new(Body::from(json));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static(kind);
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

/// The refusal of a gate: its status and headers, and its text as a problem.
pub(crate) fn refusal(refused: http::Response<Bytes>) -> Response {
    let (mut parts, body) = refused.into_parts();
    let kind = parts.headers.get(CONTENT_TYPE);
    let kind = kind.map_or(&[][..], HeaderValue::as_bytes);
    if kind.starts_with(PROBLEM.as_bytes()) {
        return Response::from_parts(parts, Body::from(body));
    }
    let text = match kind.is_empty() || kind.starts_with(b"text/plain") {
        true => str::from_utf8(&body).unwrap_or_default().trim(),
        false => "",
    };
    let code = ErrorCode::of_refusal(parts.status);
    let fallback = parts.status.canonical_reason().unwrap_or("refused");
    let error = Error::new(code, if text.is_empty() { fallback } else { text });
    let (new, body) = problem(&error, parts.status).into_parts();
    // What describes the body is ours.
    for name in [
        http::header::CONTENT_LENGTH,
        http::header::TRANSFER_ENCODING,
    ] {
        parts.headers.remove(name);
    }
    parts.headers.extend(new.headers);
    parts.extensions.extend(new.extensions);
    Response::from_parts(parts, body)
}

/// Adds what every answer has: it is not to be kept, guessed at, or embedded elsewhere.
pub(crate) fn guard(response: &mut Response) {
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    );
}

const PROBLEM: &str = "application/problem+json";
const RETRY_AFTER_S: &str = "5";
