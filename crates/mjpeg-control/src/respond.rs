//! Answers of every kind.

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::{
    HeaderName, HeaderValue, StatusCode,
    header::{
        CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, LOCATION, RETRY_AFTER, TRANSFER_ENCODING,
        X_CONTENT_TYPE_OPTIONS,
    },
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
    errors: Vec<ErrorView>,
}

/// One thing that is wrong with what was to be set, and where: as `check --json` prints it.
#[derive(Serialize, ToSchema)]
struct ErrorView {
    /// The file, if it stands in one.
    file: Option<String>,
    /// Its line, from 1.
    line: Option<u64>,
    /// Its column, from 1.
    column: Option<u64>,
    /// The key, if it is about one.
    key: Option<String>,
    /// What is wrong with it, for people.
    message: String,
}

impl ErrorView {
    fn new(violation: &Violation) -> Self {
        let Violation {
            file,
            line,
            column,
            key,
            message,
        } = violation.clone();
        Self {
            file,
            line,
            column,
            key,
            message,
        }
    }
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
        errors: error.violations().iter().map(ErrorView::new).collect(),
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
    matches!(
        code,
        ErrorCode::Busy | ErrorCode::TooManySubscribers | ErrorCode::NotReading
    )
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
    if parts.status.is_redirection() || parts.status.is_success() {
        // A program has no use for a page on which to log in.
        parts.status = StatusCode::UNAUTHORIZED;
        parts.headers.remove(LOCATION);
    }
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
    for name in [CONTENT_LENGTH, TRANSFER_ENCODING] {
        parts.headers.remove(name);
    }
    parts.headers.extend(new.headers);
    parts.extensions.extend(new.extensions);
    Response::from_parts(parts, body)
}

/// Adds what every answer has: it is not to be kept, guessed at, or read or embedded elsewhere.
pub(crate) fn guard(response: &mut Response) {
    let headers = response.headers_mut();
    let is_cors = |name: &&HeaderName| name.as_str().starts_with("access-control-");
    // A gate may have answered as for a stream.
    let cors: Vec<HeaderName> = headers.keys().filter(is_cors).cloned().collect();
    for name in cors {
        headers.remove(name);
    }
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    );
}

const PROBLEM: &str = "application/problem+json";
const RETRY_AFTER_S: &str = "5";

#[cfg(test)]
mod tests {
    use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, SET_COOKIE, WWW_AUTHENTICATE};

    use super::*;

    fn refused(status: u16, headers: &[(HeaderName, &'static str)]) -> Response {
        let mut response = http::Response::new(Bytes::from_static(b"no\n"));
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        for (name, value) in headers {
            let value = HeaderValue::from_static(value);
            response.headers_mut().insert(name, value);
        }
        let mut response = refusal(response);
        guard(&mut response);
        response
    }

    #[test]
    fn refusal_of_a_gate_keeps_its_headers_and_is_a_problem() {
        let headers = [
            (WWW_AUTHENTICATE, "Bearer"),
            (RETRY_AFTER, "7"),
            (SET_COOKIE, "a=; Max-Age=0"),
            (CONTENT_LENGTH, "3"),
            (ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        ];
        let response = refused(429, &headers);
        assert_eq!(response.status(), 429);
        let has = |name| response.headers().contains_key(name);
        assert!(has(WWW_AUTHENTICATE) && has(SET_COOKIE) && has(X_CONTENT_TYPE_OPTIONS));
        assert!(!has(CONTENT_LENGTH) && !has(ACCESS_CONTROL_ALLOW_ORIGIN));
        assert_eq!(response.headers()[RETRY_AFTER], "7");
        assert_eq!(response.headers()[CONTENT_TYPE], PROBLEM);
        let Outcome(code) = response.extensions().get().copied().unwrap();
        assert_eq!(code, ErrorCode::RateLimited);
    }

    #[test]
    fn programs_are_not_led_to_a_page_and_a_refusal_is_never_a_success() {
        for status in [200, 204, 303, 307] {
            let response = refused(status, &[(LOCATION, "/login")]);
            assert_eq!(response.status(), 401, "{status}");
            assert!(!response.headers().contains_key(LOCATION));
        }
    }
}
