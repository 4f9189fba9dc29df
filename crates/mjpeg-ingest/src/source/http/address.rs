//! Where a request goes.

use std::fmt;

use http::uri::{PathAndQuery, Uri};
use iri_string::types::{UriAbsoluteString, UriReferenceStr};
use percent_encoding::{AsciiSet, CONTROLS, percent_encode};

/// The server of a request. Credentials for one origin are never sent to another (RFC 6454).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) tls: bool,
    /// Without the brackets of an IPv6 address. That of a link may have a zone (`fe80::1%eth0`).
    pub(super) host: String,
    pub(super) port: u16,
}

impl Origin {
    /// Writes the value of the header `Host`. A zone has a meaning on this machine only, and is
    /// not sent (RFC 6874 section 4).
    pub(super) fn host_header(&self) -> String {
        self.authority(self.host_without_zone())
    }

    /// The host as others know it.
    pub(super) fn host_without_zone(&self) -> &str {
        let host = self.host.split_once('%');
        host.map_or(&self.host[..], |(host, _)| host)
    }

    fn authority(&self, host: &str) -> String {
        authority(host, self.port, default_port(self.tls))
    }
}

/// Writes a host as a URL has it, with its port if that is not the default.
pub(in crate::source) fn authority(host: &str, port: u16, default_port: u16) -> String {
    let (open, close) = if host.contains(':') {
        ("[", "]")
    } else {
        ("", "")
    };
    if port == default_port {
        format!("{open}{host}{close}")
    } else {
        format!("{open}{host}{close}:{port}")
    }
}

/// As the beginning of a URL.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "https" } else { "http" };
        let host = self.host.replace('%', "%25");
        write!(f, "{scheme}://{}", self.authority(&host))
    }
}

/// The server and path of a request. Never shown whole: a path or query may hold secrets.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) origin: Origin,
    pub(super) path: PathAndQuery,
}

impl Target {
    /// Resolves a redirect from here. Returns `None` if it leads to something other than HTTP.
    pub(super) fn redirected(&self, location: &[u8]) -> Option<Self> {
        let location = encoded(location);
        let reference = UriReferenceStr::new(&location).ok()?;
        let scheme = if self.origin.tls { "https" } else { "http" };
        // The user's own path may hold what no standard allows, too.
        let path = percent_signs(self.path.as_str().as_bytes());
        let path = percent_encode(&path, UNSENDABLE_IN_PATH);
        let here = format!("{scheme}://{}{path}", self.origin.host_header());
        let base = UriAbsoluteString::try_from(here).ok()?;
        let uri = reference.resolve_against(&base).to_string();
        let uri = Uri::try_from(uri).ok()?;
        let scheme = uri.scheme_str()?;
        let tls = scheme.eq_ignore_ascii_case("https");
        if !tls && !scheme.eq_ignore_ascii_case("http") {
            return None;
        }
        // A user name and password in a redirect are ignored.
        let host = uri.host()?;
        let port = match uri.port_u16() {
            Some(port) => port,
            // `http` treats an invalid port, such as 99999, as none.
            None if !uri.authority()?.as_str().ends_with(host) => return None,
            None => default_port(tls),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() {
            return None;
        }
        // A camera does not know what its link is called here.
        let host = match host.to_ascii_lowercase() {
            same if same == self.origin.host_without_zone() => self.origin.host.clone(),
            other => other,
        };
        let origin = Origin { tls, host, port };
        let path = uri.path_and_query().cloned();
        Some(Self {
            origin,
            path: path.unwrap_or_else(|| PathAndQuery::from_static("/")),
        })
    }
}

/// Encodes what a URL cannot hold, as browsers do: blanks, marks and bytes that are not ASCII.
/// Brackets are left in the host, where they enclose an IPv6 address.
fn encoded(location: &[u8]) -> String {
    let location = &percent_signs(location.trim_ascii())[..];
    let host = match location.windows(2).position(|pair| pair == b"//") {
        Some(at) => {
            let rest = &location[at + 2..];
            let end = rest.iter().position(|b| b"/?#".contains(b));
            at + 2 + end.unwrap_or(rest.len())
        }
        None => 0,
    };
    // A double slash within a path or query begins no host.
    let first = location.iter().position(|b| b"/?#".contains(b));
    let begins = first.is_some_and(|at| location[at..].starts_with(b"//"));
    let (host, rest) = location.split_at(if begins { host } else { 0 });
    let host = percent_encode(host, UNSENDABLE).to_string();
    host + &percent_encode(rest, UNSENDABLE_IN_PATH).to_string()
}

/// Encodes the percent signs that begin no encoding.
fn percent_signs(location: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(location.len());
    for (at, &byte) in location.iter().enumerate() {
        out.push(byte);
        let digits = location.get(at + 1..at + 3).unwrap_or_default();
        if byte == b'%' && !(digits.len() == 2 && digits.iter().all(u8::is_ascii_hexdigit)) {
            out.extend_from_slice(b"25");
        }
    }
    out
}

/// What no URL may hold.
const UNSENDABLE: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

const UNSENDABLE_IN_PATH: &AsciiSet = &UNSENDABLE.add(b'[').add(b']');

pub(super) fn default_port(tls: bool) -> u16 {
    if tls { 443 } else { 80 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(host: &str, port: u16, path: &'static str) -> Target {
        Target {
            origin: Origin {
                tls: false,
                host: host.into(),
                port,
            },
            path: PathAndQuery::from_static(path),
        }
    }

    #[test]
    fn redirects_lead_where_a_browser_would_go() {
        for (location, leads) in [
            ("/stream", "http://cam:8080/stream"),
            ("live?ch=1", "http://cam:8080/a/live?ch=1"),
            ("../x", "http://cam:8080/x"),
            ("?q=2", "http://cam:8080/a/b?q=2"),
            ("//other/y", "http://other/y"),
            ("https://CAM/z#part", "https://cam/z"),
            ("http://user:pw@cam:8080", "http://cam:8080/"),
            ("http://[::1]:81/", "http://[::1]:81/"),
            ("http://cam:80/", "http://cam/"),
            ("/my video?n=a b", "http://cam:8080/my%20video?n=a%20b"),
            ("/k\u{fc}che", "http://cam:8080/k%C3%BCche"),
            ("/a%20b", "http://cam:8080/a%20b"),
            (
                "/x?list[]=1&to=http://y/[z]",
                "http://cam:8080/x?list%5B%5D=1&to=http://y/%5Bz%5D",
            ),
            (" /blanks ", "http://cam:8080/blanks"),
            ("HTTPS://cam/x", "https://cam/x"),
            ("/50%/x%zz%", "http://cam:8080/50%25/x%25zz%25"),
            (
                "/a\"<>{}|^`\\",
                "http://cam:8080/a%22%3C%3E%7B%7D%7C%5E%60%5C",
            ),
        ] {
            let to = target("cam", 8080, "/a/b?q=1").redirected(location.as_bytes());
            let to = to.map(|to| format!("{}{}", to.origin, to.path));
            assert_eq!(to.as_deref(), Some(leads), "{location}");
        }
        for bad in [
            "rtsp://cam/1",
            "http://",
            "http://cam:99999/",
            "http://a b/",
        ] {
            let to = target("cam", 80, "/").redirected(bad.as_bytes());
            assert!(to.is_none(), "{bad}");
        }
    }

    #[test]
    fn redirects_lead_on_from_an_odd_path() {
        let to = target("cam", 80, "/a[1]|b/{c}?50%").redirected(b"d");
        assert_eq!(
            to.map(|to| to.path.to_string()).as_deref(),
            Some("/a%5B1%5D%7Cb/d")
        );
    }

    #[test]
    fn zone_of_a_link_stays_here_and_is_kept_through_redirects() {
        let here = target("fe80::1%eth0", 80, "/a");
        assert_eq!(here.origin.host_header(), "[fe80::1]");
        assert_eq!(here.origin.to_string(), "http://[fe80::1%25eth0]");
        for (location, host) in [
            ("/b", "fe80::1%eth0"),
            ("http://[fe80::1]/b", "fe80::1%eth0"),
            ("http://[fe80::2]/b", "fe80::2"),
        ] {
            let to = here
                .redirected(location.as_bytes())
                .expect("it leads somewhere");
            assert_eq!(to.origin.host, host, "{location}");
        }
    }
}
