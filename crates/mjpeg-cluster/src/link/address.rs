//! Names and addresses of nodes, as they cross the network.

use std::{fmt, str::FromStr};

use crate::name::{NodeName, PeerAddress};

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
    name: NodeName,
    address: PeerAddress,
}

/// A text that is not the name and the address of a node. Its author is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a node is a name of 1 to 64 letters, digits, '-', '_' or '.', and an address HOST:PORT of at \
     most 260 characters"
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
        let name = NodeName::new(name).map_err(|_| InvalidNode)?;
        let address = PeerAddress::new(address).map_err(|_| InvalidNode)?;
        Ok(Self { name, address })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.name.as_str()
    }

    /// Its address, `HOST:PORT`.
    pub fn address(&self) -> &str {
        self.address.as_str()
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
