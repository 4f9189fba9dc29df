//! What a trusted proxy says of a request.

use http::{HeaderMap, header};
use mjpeg_http::Inquiry;

/// Whether the client's connection is encrypted: to us, or to a trusted proxy that says so.
pub(crate) fn is_secure(inquiry: &Inquiry) -> bool {
    inquiry.tls.is_some() || (is_via_trusted_proxy(inquiry) && forwarded_proto(inquiry) == "https")
}

/// The user that a trusted proxy names. Several names are none: a proxy may have added its own to
/// what its client sent.
pub(crate) fn remote_user(inquiry: &Inquiry) -> Option<&str> {
    if !is_via_trusted_proxy(inquiry) {
        return None;
    }
    let mut names = inquiry.headers.get_all("remote-user").iter();
    match (names.next(), names.next()) {
        (Some(name), None) => str::from_utf8(name.as_bytes()).ok(),
        _ => None,
    }
}

/// The port that the client has asked.
pub(crate) fn port(inquiry: &Inquiry) -> u16 {
    let host = inquiry.headers.get(header::HOST);
    let host = host.and_then(|host| host.to_str().ok());
    let authority = host.and_then(|host| host.parse::<http::uri::Authority>().ok());
    // HTTP/2 has it in the URI.
    let authority = authority.as_ref().or(inquiry.uri.authority());
    let usual = if is_secure(inquiry) { 443 } else { 80 };
    authority
        .and_then(|authority| authority.port_u16())
        .unwrap_or(usual)
}

/// Whether a script of a page sent the request, rather than a program or the address bar: a
/// challenge would make the browser ask for a name and a password. `own_cookie` tells whether it
/// has a cookie that only pages get.
pub(crate) fn is_of_page(headers: &HeaderMap, own_cookie: bool) -> bool {
    let is = |name: &str, expected: &str| headers.get(name).is_some_and(|value| value == expected);
    let mode = headers.get("sec-fetch-mode");
    mode.is_some_and(|mode| mode != "navigate")
        || is("sec-fetch-dest", "empty")
        || headers.contains_key("x-requested-with")
        || own_cookie
}

/// Whether the browser says that a page of another origin sent the request, be it of the same site.
pub(crate) fn is_of_another_origin(headers: &HeaderMap) -> bool {
    let mut sites = headers.get_all("sec-fetch-site").iter();
    sites.any(|site| site != "same-origin" && site != "none")
}

fn is_via_trusted_proxy(inquiry: &Inquiry) -> bool {
    inquiry.peer.is_some_and(|peer| peer.is_via_trusted_proxy())
}

/// The last word: what stands left of it may be the client's own.
fn forwarded_proto(inquiry: &Inquiry) -> String {
    let lines = inquiry.headers.get_all("x-forwarded-proto");
    let last = lines.iter().next_back();
    let line = last.and_then(|line| line.to_str().ok()).unwrap_or_default();
    let word = line.rsplit(',').next().unwrap_or_default();
    word.trim().to_ascii_lowercase()
}
