//! URLs that the program itself sends something to.

use std::{fmt, net::IpAddr, str::FromStr};

use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderValue, Uri};
use percent_encoding::percent_decode_str;
use serde::{Serialize, Serializer};

use super::connect::Protection;

/// A URL of the configuration. Login, path and query may be secrets, so `Display`, `Debug` and
/// serialisation show none of them.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct OutboundUrl {
    protection: Protection,
    /// A name or an address, without brackets.
    host: String,
    port: u16,
    /// As it stands in the URL, without a login.
    authority: String,
    /// Path and query.
    target: String,
    /// The value of `Authorization`.
    login: Option<HeaderValue>,
}

/// Why a URL cannot be used; whoever wrote it is at fault. Repeats nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidOutboundUrl {
    #[error("this is no URL: write http://HOST/PATH or https://HOST/PATH")]
    Malformed,
    #[error("the URL must begin with http:// or https://")]
    Scheme,
    #[error("the URL has no host")]
    NoHost,
    #[error("the URL has no port that can be connected to")]
    Port,
    #[error("the URL must not have a part behind `#`")]
    Fragment,
    #[error("the URL has a space or a control character in it")]
    Control,
}

impl FromStr for OutboundUrl {
    type Err = InvalidOutboundUrl;

    fn from_str(text: &str) -> Result<Self, InvalidOutboundUrl> {
        if text.contains(|c: char| c.is_control() || c.is_whitespace()) {
            return Err(InvalidOutboundUrl::Control);
        }
        if text.contains('#') {
            return Err(InvalidOutboundUrl::Fragment);
        }
        let uri: Uri = text.parse().map_err(|_| InvalidOutboundUrl::Malformed)?;
        let (protection, usual_port) = match uri.scheme_str() {
            Some("http") => (Protection::Plain, 80),
            Some("https") => (Protection::Tls(None), 443),
            _ => return Err(InvalidOutboundUrl::Scheme),
        };
        let authority = uri.authority().ok_or(InvalidOutboundUrl::NoHost)?;
        let (login, host_and_port) = match authority.as_str().rsplit_once('@') {
            Some((login, rest)) => (Some(login), rest),
            None => (None, authority.as_str()),
        };
        let host = authority.host();
        let bare = host.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
        let host = bare.unwrap_or(host);
        if host.is_empty() {
            return Err(InvalidOutboundUrl::NoHost);
        }
        let has_port = host_and_port.len() > authority.host().len();
        let port = match authority.port_u16() {
            Some(port) => port,
            None if has_port => 0,
            None => usual_port,
        };
        if port == 0 {
            return Err(InvalidOutboundUrl::Port);
        }
        // A query may follow the host without a slash.
        let target = match uri.path_and_query().map(|target| target.as_str()) {
            Some(target) if target.starts_with('/') => target.to_owned(),
            target => format!("/{}", target.unwrap_or_default()),
        };
        Ok(Self {
            protection,
            host: host.into(),
            port,
            authority: host_and_port.into(),
            target,
            login: login.map(basic),
        })
    }
}

impl OutboundUrl {
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn protection(&self) -> Protection {
        self.protection
    }

    /// The value of `Host`.
    pub(super) fn authority(&self) -> &str {
        &self.authority
    }

    /// What the request line names: path and query.
    pub(super) fn target(&self) -> &str {
        &self.target
    }

    /// The value of `Authorization`, if the URL has a login.
    pub(super) fn login(&self) -> Option<&HeaderValue> {
        self.login.as_ref()
    }

    /// Whether what is sent can be read on its way to another machine.
    pub(crate) fn is_overheard(&self) -> bool {
        let address: Option<IpAddr> = self.host.parse().ok();
        let is_local = address.map_or(self.host == "localhost", |ip| ip.is_loopback());
        self.protection == Protection::Plain && !is_local
    }
}

/// The login of a URL, `name:password`, as a header.
fn basic(login: &str) -> HeaderValue {
    let login: Vec<u8> = percent_decode_str(login).collect();
    let value = format!("Basic {}", BASE64_STANDARD.encode(login));
    let mut value = HeaderValue::try_from(value).expect("base64 is visible ASCII");
    value.set_sensitive(true);
    value
}

impl fmt::Display for OutboundUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.protection {
            Protection::Plain => "http",
            Protection::Tls(_) => "https",
        };
        let login = if self.login.is_some() { "***@" } else { "" };
        let rest = if self.target == "/" { "/" } else { "/***" };
        write!(f, "{scheme}://{login}{}{rest}", self.authority)
    }
}

impl fmt::Debug for OutboundUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

impl Serialize for OutboundUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read_and_shown_without_what_may_be_a_secret() {
        for (text, host, port, target, shown) in [
            ("http://h", "h", 80, "/", "http://h/"),
            (
                "https://h/secret?secret",
                "h",
                443,
                "/secret?secret",
                "https://h/***",
            ),
            ("http://[::1]:81?a", "::1", 81, "/?a", "http://[::1]:81/***"),
            (
                "https://me:p%40ss@h:8443/x",
                "h",
                8443,
                "/x",
                "https://***@h:8443/***",
            ),
        ] {
            let url: OutboundUrl = text.parse().unwrap();
            let read = (url.host(), url.port(), url.target());
            assert_eq!(read, (host, port, target), "{text}");
            assert_eq!(url.to_string(), shown);
            assert_eq!(format!("{url:?}"), format!("\"{shown}\""));
        }
        let url: OutboundUrl = "http://me:p%40ss@h".parse().unwrap();
        assert_eq!(url.login().unwrap(), "Basic bWU6cEBzcw==");
        assert_eq!(url.authority(), "h");
    }

    #[test]
    fn what_is_no_url_is_said_without_repeating_it() {
        use InvalidOutboundUrl as E;
        for (text, error) in [
            ("", E::Malformed),
            ("secret", E::Scheme),
            ("/secret", E::Scheme),
            ("ftp://secret/", E::Scheme),
            ("HTTPX://secret", E::Scheme),
            ("http://", E::Malformed),
            ("http://:80/", E::NoHost),
            ("http://h:0/", E::Port),
            ("http://h:/", E::Port),
            ("http://h:99999/", E::Port),
            ("http://h:x/", E::Port),
            ("http://h/#secret", E::Fragment),
            ("http://h/secret\r\nX: y", E::Control),
            ("http://h/a b", E::Control),
        ] {
            let read = text.parse::<OutboundUrl>();
            assert_eq!(read, Err(error), "{text:?}");
            assert!(!error.to_string().contains("secret"));
        }
    }

    #[test]
    fn what_strangers_can_read_on_the_way_is_known() {
        for (text, is_overheard) in [
            ("http://10.0.0.1/", true),
            ("http://hook.example/", true),
            ("http://localhost/", false),
            ("http://127.0.0.9:1/", false),
            ("http://[::1]/", false),
            ("https://hook.example/", false),
        ] {
            let url: OutboundUrl = text.parse().unwrap();
            assert_eq!(url.is_overheard(), is_overheard, "{text}");
        }
    }
}
