//! By which names browsers may open pages.

use std::net::{IpAddr, Ipv6Addr};

use http::{HeaderMap, Uri, header, uri::Authority};

use crate::machine;

/// The names of a gateway: IP addresses, `localhost`, the machine's own, and configured ones.
///
/// A page of a stranger could otherwise read what is here by a name of its own that it lets point
/// to this address (DNS rebinding).
#[derive(Debug)]
pub(super) struct Hosts(Vec<String>);

impl Hosts {
    pub(super) fn new(configured: &[String]) -> Self {
        let without_port = |name: &String| {
            let (host, _port) = name.split_once(':').unwrap_or((name, ""));
            plain(host)
        };
        let mut names: Vec<String> = configured.iter().map(without_port).collect();
        names.push("localhost".into());
        names.extend(machine::names());
        names.retain(|name| !name.is_empty());
        Self(names)
    }

    /// Whether a request is for one of the names. One without a name, as of HTTP/1.0, is from no
    /// browser.
    pub(super) fn include(&self, uri: &Uri, headers: &HeaderMap) -> bool {
        let named: Vec<_> = headers.get_all(header::HOST).iter().collect();
        let authority = match (uri.authority(), &*named) {
            (Some(authority), _) => Some(authority.clone()),
            (None, []) => return true,
            (None, [one]) => Authority::try_from(one.as_bytes()).ok(),
            // Whoever sends two wants them to be read differently by others.
            (None, _) => None,
        };
        authority.is_some_and(|authority| {
            let host = authority.host();
            let port = authority.as_str().strip_prefix(host);
            let is_port = |port: &str| port.is_empty() || port.starts_with(':');
            // Else a login stands in front, or something behind the bracket of an address.
            port.is_some_and(is_port) && self.is_ours(host)
        })
    }

    fn is_ours(&self, host: &str) -> bool {
        let ipv6 = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
        if let Some(ipv6) = ipv6 {
            return ipv6.parse::<Ipv6Addr>().is_ok();
        }
        let host = plain(host);
        host.parse::<IpAddr>().is_ok() || self.0.contains(&host)
    }
}

/// A name as it is compared: in lower case and without the dot of the root.
fn plain(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_ours(target: &str, hosts: &[&str]) -> bool {
        let mut headers = HeaderMap::new();
        for host in hosts {
            headers.append(header::HOST, host.parse().unwrap());
        }
        let names = Hosts::new(&["Cams.Example.org:8080".into()]);
        names.include(&target.parse().unwrap(), &headers)
    }

    #[test]
    fn addresses_and_the_names_of_the_machine_are_ours() {
        // None if it calls itself localhost.
        let own = machine::names();
        for host in [
            "127.0.0.1:8080",
            "192.168.1.5",
            "[::1]:8080",
            "[fe80::1]",
            "localhost:8080",
            "LOCALHOST.",
            "cams.example.org",
        ] {
            assert!(is_ours("/", &[host]), "{host}");
        }
        for host in own {
            assert!(is_ours("/", &[&format!("{host}:8080")]), "{host}");
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
}
