//! How requests are refused.

use bytes::Bytes;
use http::{
    HeaderValue, Response, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
};
use mjpeg_http::Inquiry;

use crate::{
    auth::who::Who,
    config::rights::Right,
    error::LoginError,
    requests::{cookies, proxied},
    rules::Rules,
};

/// Refuses somebody who may not do what the inquiry is about.
///
/// A stream that they may see exists for them, so it may be said what is missing. Of any other one
/// the answer does not depend on the stream, so that it tells nothing of it.
pub(crate) fn refusal(rules: &Rules, who: &Who, inquiry: &Inquiry) -> Response<Bytes> {
    if who.unknown().is_some() {
        return LoginError::Wrong.response(inquiry);
    }
    let stream = inquiry.stream.as_deref();
    let is_seen = stream.is_none() || rules.may(who, Right::View, stream);
    match who.name() {
        _ if !is_seen => hidden(rules, who, inquiry),
        None => log_in(inquiry),
        Some(_) => text(StatusCode::FORBIDDEN, "You may not do this.\n"),
    }
}

/// Answers as if a stream did not exist, whether it does or not. Strangers are asked to log in if
/// nothing is open to them anyway. Credentials that neither the settings nor the hook know are
/// wrong for every stream.
pub(crate) fn hidden(rules: &Rules, who: &Who, inquiry: &Inquiry) -> Response<Bytes> {
    if who.unknown().is_some() {
        return LoginError::Wrong.response(inquiry);
    }
    if who.name().is_none() && !rules.config().anonymous().has(Right::View) {
        return log_in(inquiry);
    }
    // As the listener says it of a stream that does not exist.
    let mut response = Response::new("There is no such stream here.\n".into());
    *response.status_mut() = StatusCode::NOT_FOUND;
    response.headers_mut().insert(CONTENT_TYPE, TEXT);
    response
}

impl LoginError {
    /// Makes the answer to a request whose credentials are refused: `401`, or `429` with
    /// `Retry-After`. Pages' scripts get no challenge, because the browser would show a dialog.
    pub fn response(&self, inquiry: &Inquiry) -> Response<Bytes> {
        match self {
            Self::Wrong => unauthorized(inquiry, "The name or the password is wrong.\n"),
            Self::TooMany { retry_after } => {
                let mut response = text(
                    StatusCode::TOO_MANY_REQUESTS,
                    "Too many logins. Try again later.\n",
                );
                let seconds = retry_after.as_secs_f64().ceil().max(1.0) as u64;
                let seconds = HeaderValue::from(seconds);
                response.headers_mut().insert(RETRY_AFTER, seconds);
                response
            }
        }
    }
}

fn log_in(inquiry: &Inquiry) -> Response<Bytes> {
    unauthorized(inquiry, "Log in first.\n")
}

fn unauthorized(inquiry: &Inquiry, why: &'static str) -> Response<Bytes> {
    let mut response = text(StatusCode::UNAUTHORIZED, why);
    let has_cookie = !cookies::values(inquiry).is_empty();
    if !proxied::is_of_page(&inquiry.headers, has_cookie) {
        for challenge in CHALLENGES {
            response.headers_mut().append(WWW_AUTHENTICATE, challenge);
        }
    }
    response
}

fn text(status: StatusCode, text: &'static str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from_static(text.as_bytes()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, TEXT);
    response.headers_mut().insert(CACHE_CONTROL, NO_STORE);
    response
}

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// One line each: clients that know one scheme look for the line that begins with it.
const CHALLENGES: [HeaderValue; 2] = [
    HeaderValue::from_static("Basic realm=\"mjpeg\", charset=\"UTF-8\""),
    HeaderValue::from_static("Bearer realm=\"mjpeg\""),
];
