//! Which pages may have a browser send requests: those of the same origin.

use http::{HeaderMap, Uri, header, uri::Authority};

use crate::{code::ErrorCode, error::Error, host::RequestedHost};

/// What a browser says of the page that sends a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PageOrigin {
    /// A page of this origin.
    SameOrigin,
    /// A page of another one, or one that does not say which.
    Other,
    /// The person at the browser, such as by its address bar.
    Person,
    /// Nothing: a program, or an old browser.
    Unknown,
}

impl PageOrigin {
    /// Reads `Origin`, and `Sec-Fetch-Site`, which no script can set. Where both are there, both
    /// must say the same. `is_tls` is whether the connection itself is secured.
    pub(crate) fn of(uri: &Uri, headers: &HeaderMap, is_tls: bool) -> Self {
        let site = match single(headers, "sec-fetch-site") {
            Header::Absent => None,
            Header::One(b"same-origin") => Some(Self::SameOrigin),
            Header::One(b"none") => Some(Self::Person),
            Header::One(_) | Header::Unclear => return Self::Other,
        };
        match single(headers, header::ORIGIN.as_str()) {
            Header::Absent => site.unwrap_or(Self::Unknown),
            Header::One(origin) if is_same(origin, uri, headers, is_tls) => Self::SameOrigin,
            Header::One(_) | Header::Unclear => Self::Other,
        }
    }

    /// Whether such a request may change something. A browser that says nothing may have been
    /// led here by any page, and would send its cookies along.
    pub(crate) fn may_write(self, has_cookie: bool) -> bool {
        match self {
            Self::SameOrigin => true,
            Self::Unknown => !has_cookie,
            Self::Other | Self::Person => false,
        }
    }

    /// Whether such a request may open a long response. Over plain HTTP browsers say nothing of
    /// reads by pages of the same origin; those of other origins cannot read the answer.
    pub(crate) fn may_subscribe(self, has_cookie: bool) -> bool {
        self != Self::Other || !has_cookie
    }

    /// Whether such a request may open a WebSocket. What comes over one is not kept from pages of
    /// other origins, so they must not open it. Browsers always say from where they do.
    pub(crate) fn may_open_socket(self) -> bool {
        self != Self::Other
    }
}

/// The refusal of a request that a page of somebody else may have sent.
pub(crate) fn refused() -> Error {
    let detail = "the request comes from a page of another origin, or does not say from where";
    Error::new(ErrorCode::Forbidden, detail)
        .with_hint("a proxy must pass Host on as the browser sent it, with the port")
}

enum Header<'a> {
    Absent,
    One(&'a [u8]),
    /// There are several.
    Unclear,
}

fn single<'a>(headers: &'a HeaderMap, name: &str) -> Header<'a> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Header::Absent,
        (Some(one), None) => Header::One(one.as_bytes()),
        (Some(_), Some(_)) => Header::Unclear,
    }
}

/// Whether an origin is the one that the request is for. On a plain connection the scheme may be
/// either, because a proxy in front may speak TLS.
fn is_same(origin: &[u8], uri: &Uri, headers: &HeaderMap, is_tls: bool) -> bool {
    let RequestedHost::Is(host) = RequestedHost::of(uri, headers) else {
        return false;
    };
    let Some((port, authority)) = parsed(origin) else {
        return false;
    };
    if is_tls && port != HTTPS {
        return false;
    }
    let with_port = |authority: &Authority| {
        let name = authority.host().to_ascii_lowercase();
        let digits = authority.as_str().rsplit_once(':').map(|(_, port)| port);
        match (authority.port_u16(), digits) {
            (Some(port), _) => Some((name, port)),
            // No port, as in `[::1]`, or an empty one.
            (None, None | Some("")) => Some((name, port)),
            (None, Some(_)) if authority.as_str().ends_with(']') => Some((name, port)),
            (None, Some(_)) => None,
        }
    };
    with_port(&authority).is_some_and(|origin| with_port(&host) == Some(origin))
}

/// The default port of an origin's scheme, and its host and port. `None` for `null` and the like.
fn parsed(origin: &[u8]) -> Option<(u16, Authority)> {
    let origin = str::from_utf8(origin).ok()?;
    let (scheme, authority) = origin.split_once("://")?;
    let port = match scheme {
        "http" => HTTP,
        "https" => HTTPS,
        _ => return None,
    };
    // Also refuses a path behind it.
    let authority: Authority = authority.parse().ok()?;
    Some((port, authority))
}

const HTTP: u16 = 80;
const HTTPS: u16 = 443;

#[cfg(test)]
mod tests {
    use super::*;

    fn sender(host: &str, origin: Option<&str>, site: Option<&str>, is_tls: bool) -> PageOrigin {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().unwrap());
        }
        if let Some(site) = site {
            headers.insert("sec-fetch-site", site.parse().unwrap());
        }
        PageOrigin::of(&"/".parse().unwrap(), &headers, is_tls)
    }

    #[test]
    fn same_origin_is_scheme_host_and_port() {
        for (host, origin, is_tls) in [
            ("cams:8080", "http://cams:8080", false),
            ("CAMS:8080", "http://cams:8080", false),
            ("cams", "http://cams", false),
            ("cams:80", "http://cams", false),
            ("[::1]:8080", "http://[::1]:8080", false),
            ("[::1]", "http://[::1]", false),
            // Behind a proxy that speaks TLS.
            ("cams", "https://cams", false),
            ("cams", "https://cams", true),
            ("cams:8443", "https://cams:8443", true),
        ] {
            let sender = sender(host, Some(origin), None, is_tls);
            assert_eq!(sender, PageOrigin::SameOrigin, "{host} {origin}");
        }
        for (host, origin, is_tls) in [
            ("cams:8080", "http://cams:8081", false),
            ("cams:8080", "http://cams", false),
            ("cams:8080", "http://evil.example", false),
            ("cams:8080", "http://cams:8080.evil.example", false),
            ("cams:8080", "http://cams:8080@evil.example", false),
            ("cams:8080", "http://cams:8080/", false),
            ("cams:8080", "null", false),
            ("cams:8080", "", false),
            ("cams:99999", "http://cams", false),
            ("cams", "http://cams", true),
        ] {
            let sender = sender(host, Some(origin), None, is_tls);
            assert_eq!(sender, PageOrigin::Other, "{host} {origin}");
        }
    }

    #[test]
    fn what_the_browser_says_of_the_site_counts_too() {
        let of = |origin, site| sender("cams", origin, Some(site), false);
        assert_eq!(of(None, "same-origin"), PageOrigin::SameOrigin);
        assert_eq!(
            of(Some("http://cams"), "same-origin"),
            PageOrigin::SameOrigin
        );
        assert_eq!(of(None, "none"), PageOrigin::Person);
        for site in ["same-site", "cross-site", "", "Same-Origin"] {
            assert_eq!(of(None, site), PageOrigin::Other, "{site}");
            assert_eq!(of(Some("http://cams"), site), PageOrigin::Other, "{site}");
        }
        assert_eq!(of(Some("http://evil"), "same-origin"), PageOrigin::Other);
        assert_eq!(sender("cams", None, None, false), PageOrigin::Unknown);
    }

    #[test]
    fn who_says_nothing_may_write_without_a_cookie_only() {
        assert!(PageOrigin::Unknown.may_write(false) && !PageOrigin::Unknown.may_write(true));
        assert!(PageOrigin::SameOrigin.may_write(true));
        assert!(!PageOrigin::Other.may_open_socket() && PageOrigin::Unknown.may_open_socket());
        assert!(!PageOrigin::Other.may_write(false) && !PageOrigin::Person.may_write(false));
    }
}
