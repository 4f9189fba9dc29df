//! Where a request goes.

use std::fmt;

use http::uri::{PathAndQuery, Uri};
use iri_string::types::{UriAbsoluteString, UriReferenceStr};

/// The server of a request. Credentials for one origin are never sent to another (RFC 6454).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) tls: bool,
    /// Without the brackets of an IPv6 address.
    pub(super) host: String,
    pub(super) port: u16,
}

impl Origin {
    /// Writes the value of the header `Host`.
    pub(super) fn host_header(&self) -> String {
        let (open, close) = if self.host.contains(':') {
            ("[", "]")
        } else {
            ("", "")
        };
        let host = &self.host;
        if self.port == default_port(self.tls) {
            format!("{open}{host}{close}")
        } else {
            format!("{open}{host}{close}:{}", self.port)
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "https" } else { "http" };
        write!(f, "{scheme}://{}", self.host_header())
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
    pub(super) fn redirected(&self, location: &str) -> Option<Self> {
        let reference = UriReferenceStr::new(location).ok()?;
        let here = format!("{}{}", self.origin, self.path);
        let base = UriAbsoluteString::try_from(here).ok()?;
        let uri = reference.resolve_against(&base).to_string();
        let uri = Uri::try_from(uri).ok()?;
        let tls = match uri.scheme_str()? {
            "http" => false,
            "https" => true,
            _ => return None,
        };
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
        let origin = Origin {
            tls,
            host: host.to_ascii_lowercase(),
            port,
        };
        let path = uri.path_and_query().cloned();
        Some(Self {
            origin,
            path: path.unwrap_or_else(|| PathAndQuery::from_static("/")),
        })
    }
}

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
        ] {
            let to = target("cam", 8080, "/a/b?q=1").redirected(location);
            let to = to.map(|to| format!("{}{}", to.origin, to.path));
            assert_eq!(to.as_deref(), Some(leads), "{location}");
        }
        for bad in [
            "rtsp://cam/1",
            "http://",
            "a b",
            "http://cam:99999/",
            "\u{e4}",
        ] {
            assert!(target("cam", 80, "/").redirected(bad).is_none(), "{bad}");
        }
    }
}
