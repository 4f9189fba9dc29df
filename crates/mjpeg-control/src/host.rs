//! By which names browsers may open pages and the API.

use std::net::{IpAddr, Ipv6Addr};

use http::{HeaderMap, Uri, header, uri::Authority};

/// The names by which browsers may open pages and the API of a gateway: IP addresses, `localhost`,
/// and those given.
///
/// A page of a stranger could otherwise read what is here by a name of its own that it lets point
/// to this address (DNS rebinding).
///
/// ```
/// use http::{HeaderMap, header::HOST};
/// use mjpeg_control::Hosts;
///
/// let hosts = Hosts::new(["cams.example.org"]);
/// let asks_for = |host: &'static str| {
///     let headers = HeaderMap::from_iter([(HOST, host.parse().expect("a header value"))]);
///     hosts.include(&"/".parse().expect("a path"), &headers)
/// };
/// assert!(asks_for("cams.example.org:8080") && asks_for("192.168.1.5"));
/// assert!(!asks_for("evil.example"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hosts(Vec<String>);

impl Hosts {
    /// Makes the names from those given, such as the machine's own. A port in one does not count.
    pub fn new(names: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let without_port = |name: &str| {
            let (host, _port) = name.split_once(':').unwrap_or((name, ""));
            plain(host)
        };
        let names = names.into_iter().map(|name| without_port(name.as_ref()));
        Self(names.filter(|name| !name.is_empty()).collect())
    }

    /// Returns whether a request is for one of the names. One without a name, as of HTTP/1.0, is
    /// from no browser.
    pub fn include(&self, uri: &Uri, headers: &HeaderMap) -> bool {
        match RequestedHost::of(uri, headers) {
            RequestedHost::None => true,
            RequestedHost::Unclear => false,
            RequestedHost::Is(authority) => self.is_ours(authority.host()),
        }
    }

    fn is_ours(&self, host: &str) -> bool {
        if host.starts_with('[') {
            return ipv6(host).is_some();
        }
        let host = plain(host);
        host == LOCALHOST || host.parse::<IpAddr>().is_ok() || self.0.contains(&host)
    }
}

/// The host that a request is for.
pub(crate) enum RequestedHost {
    /// It names none.
    None,
    /// It names several, or none that can be read.
    Unclear,
    Is(Authority),
}

impl RequestedHost {
    /// What the request line says counts, else the header.
    pub(crate) fn of(uri: &Uri, headers: &HeaderMap) -> Self {
        let named: Vec<_> = headers.get_all(header::HOST).iter().collect();
        let authority = match (uri.authority(), &*named) {
            (Some(authority), _) => Some(authority.clone()),
            (None, []) => return Self::None,
            (None, [one]) => Authority::try_from(one.as_bytes()).ok(),
            // Whoever sends two wants them to be read differently by others.
            (None, _) => None,
        };
        let is_plain = |authority: &Authority| {
            let port = authority.as_str().strip_prefix(authority.host());
            // Else a login stands in front, or something behind the bracket of an address.
            port.is_some_and(|port| match port.strip_prefix(':') {
                Some(digits) => digits.bytes().all(|byte| byte.is_ascii_digit()),
                None => port.is_empty(),
            })
        };
        authority.filter(is_plain).map_or(Self::Unclear, Self::Is)
    }

    /// Whether it is a loopback address as a number, or `localhost`.
    pub(crate) fn is_loopback(&self) -> bool {
        let Self::Is(authority) = self else {
            return false;
        };
        let host = authority.host();
        if host.starts_with('[') {
            return ipv6(host).is_some_and(|ip| ip.to_canonical().is_loopback());
        }
        let host = plain(host);
        let ip = host.parse::<IpAddr>();
        host == LOCALHOST || ip.is_ok_and(|ip| ip.is_loopback())
    }
}

fn ipv6(host: &str) -> Option<Ipv6Addr> {
    let inner = host.strip_prefix('[')?.strip_suffix(']')?;
    inner.parse().ok()
}

/// A name as it is compared: in lower case and without the dot of the root.
fn plain(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

const LOCALHOST: &str = "localhost";

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(hosts: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for host in hosts {
            headers.append(header::HOST, host.parse().unwrap());
        }
        headers
    }

    fn is_ours(target: &str, hosts: &[&str]) -> bool {
        let names = Hosts::new(["Cams.Example.org:8080", "box", "", ":8080"]);
        names.include(&target.parse().unwrap(), &headers(hosts))
    }

    #[test]
    fn addresses_and_the_names_given_are_ours() {
        for host in [
            "127.0.0.1:8080",
            "192.168.1.5",
            "[::1]:8080",
            "[fe80::1]",
            "localhost:8080",
            "LOCALHOST.",
            "cams.example.org",
            "Box:8080",
        ] {
            assert!(is_ours("/", &[host]), "{host}");
        }
        assert!(is_ours("/", &[]), "HTTP/1.0");
    }

    #[test]
    fn names_of_others_are_not_ours() {
        for host in [
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "example.org",
            "[::1].evil.example",
            "me@localhost",
            "localhost:evil.example",
            "",
            "a b",
        ] {
            assert!(!is_ours("/", &[host]), "{host:?}");
        }
        assert!(!is_ours("/", &["localhost", "evil.example"]));
        // What the request line says counts.
        assert!(!is_ours("http://evil.example/", &["localhost"]));
        assert!(is_ours("http://localhost/", &["evil.example"]));
    }

    #[test]
    fn only_loopback_is_loopback() {
        let is_loopback = |hosts: &[&str]| {
            let uri = "/".parse().unwrap();
            RequestedHost::of(&uri, &headers(hosts)).is_loopback()
        };
        for host in [
            "localhost",
            "Localhost.:1",
            "127.0.0.1",
            "127.9.9.9:80",
            "[::1]:8080",
            "[::ffff:127.0.0.1]",
        ] {
            assert!(is_loopback(&[host]), "{host}");
        }
        for host in [
            "192.168.1.5",
            "[::]",
            "0.0.0.0",
            "box",
            "[fe80::1]",
            "127.1",
        ] {
            assert!(!is_loopback(&[host]), "{host}");
        }
        assert!(!is_loopback(&[]));
        assert!(!is_loopback(&["localhost", "localhost"]));
    }
}
