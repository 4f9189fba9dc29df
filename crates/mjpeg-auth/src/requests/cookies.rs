//! Session cookies.

use std::time::Duration;

use http::{HeaderValue, header};
use mjpeg_http::{Action, Inquiry};

use crate::requests::proxied;

/// The name of the session cookie for a client of this request. Browsers send a host's cookies to
/// all its ports, so each port has a name of its own.
pub(crate) fn name(inquiry: &Inquiry) -> String {
    let prefix = if proxied::is_secure(inquiry) {
        "__Host-"
    } else {
        ""
    };
    format!("{prefix}mjpeg_session_{}", proxied::port(inquiry))
}

/// The values of a request's session cookies. There may be several: a page of another host of the
/// same domain may have set one.
///
/// A cookie does not count for the past of a stream if a page of another origin sends it: such a
/// page could have clips made, which it cannot read.
pub(crate) fn values(inquiry: &Inquiry) -> Vec<&str> {
    if inquiry.action == Action::Replay && proxied::is_of_another_origin(&inquiry.headers) {
        return Vec::new();
    }
    let name = name(inquiry);
    let lines = inquiry.headers.get_all(header::COOKIE).iter();
    lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(key, _)| *key == name)
        .map(|(_, value)| value)
        .take(MOST_VALUES)
        .collect()
}

/// The header `Set-Cookie` that keeps a session for this long; for no time, it removes it.
pub(crate) fn set(inquiry: &Inquiry, value: &str, time: Duration) -> HeaderValue {
    let (name, seconds) = (name(inquiry), time.as_secs());
    let secure = if proxied::is_secure(inquiry) {
        "; Secure"
    } else {
        ""
    };
    let cookie =
        format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
    let mut cookie = HeaderValue::try_from(cookie).expect("base64 and names are visible ASCII");
    cookie.set_sensitive(true);
    cookie
}

const MOST_VALUES: usize = 4;
