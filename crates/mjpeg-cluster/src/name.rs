//! Names of nodes and streams, and addresses of nodes: text that other nodes wrote.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

/// The name of a node, as it stands in the engine's keys.
///
/// 1 to [`MAX_BYTES`](Self::MAX_BYTES) ASCII letters, digits, `.`, `_` and `-`. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NodeName(Arc<str>);

/// The name of a stream, on the link and in the engine's keys.
///
/// 1 to [`MAX_BYTES`](Self::MAX_BYTES) ASCII letters, digits, `_` and `-`: the same rule as for a
/// `StreamName` of `mjpeg-manager`, so every stream of a relay can be one of a cluster, and the
/// other way round. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SharedName(Arc<str>);

impl SharedName {
    /// The length of the longest name.
    pub const MAX_BYTES: usize = 64;

    /// Checks a name.
    ///
    /// # Errors
    ///
    /// If the name is empty, too long, or has other characters. The caller is at fault.
    pub fn new(name: &str) -> Result<Self, InvalidSharedName> {
        if Self::is_one(name) {
            Ok(Self(name.into()))
        } else {
            Err(InvalidSharedName)
        }
    }

    /// Whether a text is the name of a stream.
    pub(crate) fn is_one(name: &str) -> bool {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
        (1..=Self::MAX_BYTES).contains(&name.len()) && name.bytes().all(is_plain)
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SharedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for SharedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for SharedName {
    type Error = InvalidSharedName;

    fn try_from(name: String) -> Result<Self, InvalidSharedName> {
        Self::new(&name)
    }
}

impl From<SharedName> for String {
    fn from(name: SharedName) -> Self {
        name.0.as_ref().to_owned()
    }
}

/// A text that cannot name a stream of a cluster. The caller is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the name of a stream is 1 to 64 letters, digits, '_' or '-'")]
#[non_exhaustive]
pub struct InvalidSharedName;

impl NodeName {
    /// The length of the longest name.
    pub const MAX_BYTES: usize = 64;

    /// Checks a name.
    ///
    /// # Errors
    ///
    /// If the name is empty, too long, or has other characters. The caller is at fault.
    pub fn new(name: &str) -> Result<Self, InvalidNodeName> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        if name.is_empty() || name.len() > Self::MAX_BYTES || !name.bytes().all(allowed) {
            return Err(InvalidNodeName);
        }
        Ok(Self(name.into()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for NodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for NodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for NodeName {
    type Error = InvalidNodeName;

    fn try_from(name: String) -> Result<Self, InvalidNodeName> {
        Self::new(&name)
    }
}

impl From<NodeName> for String {
    fn from(name: NodeName) -> Self {
        name.0.as_ref().to_owned()
    }
}

/// A name or an address that breaks the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("1 to 64 letters, digits, dots, underscores and dashes make a name; HOST:PORT an address")]
#[non_exhaustive]
pub struct InvalidNodeName;

/// Where other nodes reach a node: `HOST:PORT`.
///
/// The host is a name, an IPv4 address, or an IPv6 address in brackets. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PeerAddress(Arc<str>);

impl PeerAddress {
    /// The length of the longest address.
    pub const MAX_BYTES: usize = 260;

    /// Checks an address.
    ///
    /// # Errors
    ///
    /// If the address has no port, is too long, or has characters that no host has. The caller is
    /// at fault.
    pub fn new(address: &str) -> Result<Self, InvalidNodeName> {
        host_and_port(address).ok_or(InvalidNodeName)?;
        Ok(Self(address.into()))
    }

    /// The address as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PeerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for PeerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for PeerAddress {
    type Error = InvalidNodeName;

    fn try_from(address: String) -> Result<Self, InvalidNodeName> {
        Self::new(&address)
    }
}

impl From<PeerAddress> for String {
    fn from(address: PeerAddress) -> Self {
        address.0.as_ref().to_owned()
    }
}

/// Takes an address apart; `None` if it is none. An IPv6 address stands in brackets, and comes out
/// without.
pub(crate) fn host_and_port(address: &str) -> Option<(&str, u16)> {
    if address.len() > PeerAddress::MAX_BYTES {
        return None;
    }
    let (host, port) = address.rsplit_once(':')?;
    let is_number = port.len() <= 5 && port.bytes().all(|b| b.is_ascii_digit());
    let port = port.parse().ok().filter(|&port| is_number && port > 0)?;
    let is_name = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    let is_v6 = |b: u8| b.is_ascii_hexdigit() || b":.".contains(&b);
    let inside = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
    let (host, is_sound) = match inside {
        Some(inside) => (inside, inside.bytes().all(is_v6)),
        None => (host, host.bytes().all(is_name)),
    };
    (is_sound && !host.is_empty()).then_some((host, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_hosts_with_ports_and_nothing_else() {
        for (text, is) in [
            ("a:1", Some(("a", 1))),
            ("relay-1.lan:7443", Some(("relay-1.lan", 7443))),
            ("[::1]:65535", Some(("::1", 65535))),
            ("127.0.0.1:80", Some(("127.0.0.1", 80))),
            ("a", None),
            ("a:", None),
            (":80", None),
            ("[]:80", None),
            ("a:0", None),
            ("a:+1", None),
            ("a:65536", None),
            ("a:000001", None),
            ("::1:80", None),
            ("a b:80", None),
            ("a/b:80", None),
            ("u@a:80", None),
            ("a\r\nb:80", None),
        ] {
            assert_eq!(host_and_port(text), is, "{text:?}");
        }
        let long = format!("{}:80", "a".repeat(PeerAddress::MAX_BYTES - 3));
        assert!(host_and_port(&long).is_some());
        assert!(host_and_port(&format!("a{long}")).is_none());
    }
}
