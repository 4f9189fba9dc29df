//! Names and addresses of nodes, as they cross the network.

use std::{fmt, str::FromStr, sync::Arc};

/// A node: its name, and the address at which others reach its link.
///
/// On the wire they are separated by a space.
///
/// ```
/// use mjpeg_cluster::LinkNodeId;
///
/// let node: LinkNodeId = "relay-1 relay-1.lan:7443".parse()?;
/// assert_eq!((node.name(), node.address()), ("relay-1", "relay-1.lan:7443"));
/// assert!("relay-1 relay-1.lan".parse::<LinkNodeId>().is_err());
/// assert!("relay-1 \x1b[2J:80".parse::<LinkNodeId>().is_err());
/// # Ok::<(), mjpeg_cluster::InvalidNode>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LinkNodeId {
    name: Arc<str>,
    address: Arc<str>,
}

/// A text that is not the name and the address of a node. Whoever wrote it is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a node is a name of 1 to 64 letters, digits, '-', '_' or '.', and an address HOST:PORT of at \
     most 255 characters"
)]
#[non_exhaustive]
pub struct InvalidNode;

impl LinkNodeId {
    /// Makes a node of its name and its address, `HOST:PORT`.
    ///
    /// # Errors
    ///
    /// [`InvalidNode`] if one of them holds a character that it may not, is too long, or the
    /// address has no port.
    pub fn new(name: &str, address: &str) -> Result<Self, InvalidNode> {
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
        let is_name = (1..=MAX_NAME_BYTES).contains(&name.len()) && name.bytes().all(is_plain);
        if !is_name || host_and_port(address).is_none() {
            return Err(InvalidNode);
        }
        Ok(Self {
            name: name.into(),
            address: address.into(),
        })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its address, `HOST:PORT`.
    pub fn address(&self) -> &str {
        &self.address
    }
}

impl FromStr for LinkNodeId {
    type Err = InvalidNode;

    fn from_str(text: &str) -> Result<Self, InvalidNode> {
        let (name, address) = text.split_once(' ').ok_or(InvalidNode)?;
        Self::new(name, address)
    }
}

impl fmt::Display for LinkNodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.address)
    }
}

/// Takes an address apart; `None` if it is none. An IPv6 address stands in brackets, and comes out
/// without.
pub(super) fn host_and_port(address: &str) -> Option<(&str, u16)> {
    if address.len() > MAX_ADDRESS_BYTES {
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

const MAX_NAME_BYTES: usize = 64;

const MAX_ADDRESS_BYTES: usize = 255;

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
        let long = format!("{}:80", "a".repeat(MAX_ADDRESS_BYTES - 3));
        assert!(host_and_port(&long).is_some());
        assert!(host_and_port(&format!("a{long}")).is_none());
    }
}
