//! Names of nodes and streams, and addresses of nodes: text that other nodes wrote.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

/// The name of a node or a stream, as it stands in the engine's keys.
///
/// 1 to [`MAX_BYTES`](Self::MAX_BYTES) ASCII letters, digits, `.`, `_` and `-`. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NodeName(Arc<str>);

/// The name of a stream; the same rules apply as to the name of a node.
pub type SharedName = NodeName;

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
        let (host, port) = address.rsplit_once(':').ok_or(InvalidNodeName)?;
        let bracketed = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'));
        let in_host = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        let in_v6 = |byte: u8| byte.is_ascii_hexdigit() || b":.".contains(&byte);
        let known = match bracketed {
            Some(host) => !host.is_empty() && host.bytes().all(in_v6),
            None => !host.is_empty() && host.bytes().all(in_host),
        };
        let digits = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
        let port_fits = digits && port.parse::<u16>().is_ok_and(|port| port != 0);
        if address.len() > Self::MAX_BYTES || !known || !port_fits {
            return Err(InvalidNodeName);
        }
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
