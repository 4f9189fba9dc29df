//! What is stored under which key, and its text: JSON, bounded, and hostile until parsed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    engine::lease::LeaseId,
    name::{NodeName, PeerAddress, SharedName},
    spec::{SpecDigest, document::StreamDocument},
};

/// A key of a cluster; engines put a prefix of the cluster before its [text](Self::text).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum EngineKey {
    /// `members/NODE`: a node belongs to the cluster, also while it is down. Without a lease.
    Member(NodeName),
    /// `nodes/NODE`: a node is up. With its lease.
    Node(NodeName),
    /// `streams/STREAM`: a stream that is defined in the engine. Without a lease.
    Stream(SharedName),
    /// `owners/STREAM`: who is connected to the camera. With the owner's lease.
    Owner(SharedName),
    /// `moves/STREAM`: which node is to own the stream next. With the lease of the node that was
    /// asked; the next claim of the stream deletes it.
    Move(SharedName),
    /// `drains/NODE`: the node is to give its streams up and take no others. Without a lease.
    Drain(NodeName),
}

impl EngineKey {
    /// The text of the key, without the prefix of the cluster.
    pub fn text(&self) -> String {
        match self {
            Self::Member(name) => format!("members/{name}"),
            Self::Node(name) => format!("nodes/{name}"),
            Self::Stream(name) => format!("streams/{name}"),
            Self::Owner(name) => format!("owners/{name}"),
            Self::Move(name) => format!("moves/{name}"),
            Self::Drain(name) => format!("drains/{name}"),
        }
    }

    /// Reads the text of a key, without the prefix of the cluster. None if no key of ours has it.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let (kind, name) = std::str::from_utf8(text).ok()?.split_once('/')?;
        let node = || NodeName::new(name).ok();
        let stream = || SharedName::new(name).ok();
        match kind {
            "members" => node().map(Self::Member),
            "nodes" => node().map(Self::Node),
            "streams" => stream().map(Self::Stream),
            "owners" => stream().map(Self::Owner),
            "moves" => stream().map(Self::Move),
            "drains" => node().map(Self::Drain),
            _ => None,
        }
    }
}

/// What is stored, with its key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EngineValue {
    /// Under [`EngineKey::Member`].
    Member(NodeName, MemberRecord),
    /// Under [`EngineKey::Node`].
    Node(NodeName, NodeRecord),
    /// Under [`EngineKey::Stream`].
    Stream(SharedName, StreamDocument),
    /// Under [`EngineKey::Owner`].
    Owner(SharedName, OwnerRecord),
    /// Under [`EngineKey::Move`].
    Move(SharedName, MoveRecord),
    /// Under [`EngineKey::Drain`].
    Drain(NodeName, DrainRecord),
}

impl EngineValue {
    /// The size of the largest value of a node, in bytes: it lists the node's streams.
    pub const MAX_NODE_BYTES: usize = 1024 * 1024;
    /// The size of the largest other value, in bytes.
    pub const MAX_BYTES: usize = 64 * 1024;

    /// The key under which it is stored.
    pub fn key(&self) -> EngineKey {
        match self {
            Self::Member(name, _) => EngineKey::Member(name.clone()),
            Self::Node(name, _) => EngineKey::Node(name.clone()),
            Self::Stream(name, _) => EngineKey::Stream(name.clone()),
            Self::Owner(name, _) => EngineKey::Owner(name.clone()),
            Self::Move(name, _) => EngineKey::Move(name.clone()),
            Self::Drain(name, _) => EngineKey::Drain(name.clone()),
        }
    }

    /// The text that is stored.
    ///
    /// # Panics
    ///
    /// Never: all keys of these records are text.
    pub fn to_json(&self) -> Vec<u8> {
        let json = match self {
            Self::Member(_, record) => serde_json::to_vec(record),
            Self::Node(_, record) => serde_json::to_vec(record),
            Self::Move(_, record) => serde_json::to_vec(record),
            Self::Drain(_, record) => serde_json::to_vec(record),
            Self::Stream(_, document) => return document.as_str().as_bytes().to_vec(),
            Self::Owner(_, record) => serde_json::to_vec(record),
        };
        json.expect("the keys of maps are text")
    }

    /// Reads the text that is stored under a key. None if it is too long, or not what belongs
    /// there. Members of objects that this version does not know are skipped.
    pub fn parse(key: &EngineKey, json: &[u8]) -> Option<Self> {
        let limit = match key {
            EngineKey::Node(_) => Self::MAX_NODE_BYTES,
            _ => Self::MAX_BYTES,
        };
        if json.len() > limit {
            return None;
        }
        Some(match key {
            EngineKey::Member(name) => {
                Self::Member(name.clone(), serde_json::from_slice(json).ok()?)
            }
            EngineKey::Node(name) => Self::Node(name.clone(), serde_json::from_slice(json).ok()?),
            EngineKey::Stream(name) => {
                let text = std::str::from_utf8(json).ok()?;
                Self::Stream(name.clone(), StreamDocument::parse(text).ok()?)
            }
            EngineKey::Owner(name) => Self::Owner(name.clone(), serde_json::from_slice(json).ok()?),
            EngineKey::Move(name) => Self::Move(name.clone(), serde_json::from_slice(json).ok()?),
            EngineKey::Drain(name) => Self::Drain(name.clone(), serde_json::from_slice(json).ok()?),
        })
    }
}

/// A value in the engine.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "engines make it")]
pub struct Stored {
    /// What is stored, with its key.
    pub value: EngineValue,
    /// The revision at which the key was made. For an owner: its epoch.
    pub created: u64,
    /// The lease with which it ends.
    pub lease: Option<LeaseId>,
}

/// A node that belongs to the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MemberRecord {
    /// Where other nodes reach it.
    pub address: PeerAddress,
    /// Whether it may own streams: all members knew it once.
    #[serde(default)]
    pub admitted: bool,
}

/// A node that is up.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NodeRecord {
    /// Where other nodes reach it.
    pub address: PeerAddress,
    /// Properties that streams may require.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// The version of its program.
    #[serde(default)]
    pub version: String,
    /// How many streams it may own.
    pub capacity: u32,
    /// Whether it gives up its streams and takes no others.
    #[serde(default)]
    pub draining: bool,
    /// Whether it claims nothing for now, because others count on it: for a lease after its start,
    /// and after it has told another node that it does not reach the engine.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub waiting: bool,
    /// It knows all members up to the one that joined at this revision.
    #[serde(default)]
    pub seen: u64,
    /// It has seen epochs up to this one of an engine whose revisions have gone back since: claims
    /// must be later.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub floor: u64,
    /// The streams that it may own, with the digests of their specs.
    #[serde(default)]
    pub streams: BTreeMap<SharedName, SpecDigest>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(floor: &u64) -> bool {
    *floor == 0
}

/// Which node is to own a stream next.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MoveRecord {
    /// The node.
    pub to: NodeName,
}

/// A node is to give its streams up.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DrainRecord {}

/// Who is connected to a camera.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OwnerRecord {
    /// The node.
    pub node: NodeName,
    /// Where other nodes reach it.
    pub address: PeerAddress,
}
