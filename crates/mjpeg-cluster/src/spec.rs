//! Whether a stream means the same on two nodes, without a secret leaving either of them.

pub(crate) mod document;

use std::{collections::BTreeMap, fmt};

use ring::hmac;
use serde::{Deserialize, Serialize};

use crate::name::NodeName;

/// The key under which the specs of streams are digested: the secret of the cluster.
///
/// Digests go to the engine, and specs have passwords in them. Without a secret, whoever reads the
/// engine could try passwords until one fits.
#[derive(Clone)]
pub struct SpecKey(hmac::Key);

impl SpecKey {
    /// Makes the key from the secret of the cluster, which is the same on all nodes.
    pub fn new(secret: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    /// Digests the keys of a stream, with their values as they are in effect, in any order.
    ///
    /// `listen` is left out: a stream may have a port of its own on each node.
    pub fn digest<'a>(&self, keys: impl IntoIterator<Item = (&'a str, &'a str)>) -> SpecDigest {
        let sorted: BTreeMap<_, _> = keys.into_iter().collect();
        let mut context = hmac::Context::with_key(&self.0);
        for (key, value) in sorted.into_iter().filter(|(key, _)| *key != "listen") {
            for text in [key, value] {
                // With its length, so that no two lists of keys are the same bytes.
                context.update(&(text.len() as u64).to_be_bytes());
                context.update(text.as_bytes());
            }
        }
        let tag = context.sign();
        let mut digest = [0; SpecDigest::BYTES];
        digest.copy_from_slice(&tag.as_ref()[..SpecDigest::BYTES]);
        SpecDigest(digest)
    }
}

impl fmt::Debug for SpecKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SpecKey(***)")
    }
}

/// The digest of a stream's spec: HMAC-SHA-256, of which the first half is kept.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SpecDigest([u8; Self::BYTES]);

impl SpecDigest {
    const BYTES: usize = 16;
}

impl fmt::Display for SpecDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for SpecDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<SpecDigest> for String {
    fn from(digest: SpecDigest) -> Self {
        digest.to_string()
    }
}

impl TryFrom<String> for SpecDigest {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        let digit = |at: usize| char::from(text.as_bytes()[at]).to_digit(16);
        if text.len() != 2 * Self::BYTES {
            return Err("a digest has 32 hexadecimal digits");
        }
        let mut digest = [0; Self::BYTES];
        for (at, byte) in digest.iter_mut().enumerate() {
            let pair = digit(2 * at).zip(digit(2 * at + 1));
            let (high, low) = pair.ok_or("a digest has hexadecimal digits only")?;
            *byte = (high * 16 + low) as u8;
        }
        Ok(Self(digest))
    }
}

/// A stream as the cluster sees it on this node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct SharedStream {
    pub(crate) digest: SpecDigest,
    pub(crate) requires: BTreeMap<String, String>,
    pub(crate) pinned: Option<NodeName>,
    pub(crate) on_demand: bool,
}

impl SharedStream {
    /// Makes a stream that any node may own which defines it by the same digest.
    pub fn new(digest: SpecDigest) -> Self {
        Self {
            digest,
            requires: BTreeMap::new(),
            pinned: None,
            on_demand: false,
        }
    }

    /// Sets the labels that a node must have to own the stream. Default: none.
    #[must_use]
    pub fn with_requires(mut self, labels: BTreeMap<String, String>) -> Self {
        self.requires = labels;
        self
    }

    /// Binds the stream to one node, because its camera is that node's: a device, a file, a port.
    /// Default: none.
    #[must_use]
    pub fn with_pinned(mut self, node: NodeName) -> Self {
        self.pinned = Some(node);
        self
    }

    /// Sets whether a node owns the stream only while somebody wants it. Default: false.
    #[must_use]
    pub fn with_on_demand(mut self, on_demand: bool) -> Self {
        self.on_demand = on_demand;
        self
    }
}
