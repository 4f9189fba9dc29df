//! What a node has been told of the cluster. It is always a little old: it guides what the node
//! tries, and never what it may do.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    engine::{
        EngineChange, EngineChanges, EngineImage,
        lease::LeaseId,
        record::{EngineKey, EngineValue, MemberRecord, NodeRecord, Stored},
    },
    name::{NodeName, PeerAddress, SharedName},
    placement::Candidate,
    spec::document::StreamDocument,
};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(test, derive(Hash))]
pub(crate) struct View {
    /// None until the engine was read for the first time.
    pub(crate) revision: Option<u64>,
    pub(crate) members: BTreeMap<NodeName, (u64, MemberRecord)>,
    pub(crate) nodes: BTreeMap<NodeName, KnownNode>,
    pub(crate) streams: BTreeMap<SharedName, StreamDocument>,
    pub(crate) owners: BTreeMap<SharedName, KnownOwner>,
    /// Which node is to own a stream next, and since which revision.
    pub(crate) moves: BTreeMap<SharedName, (u64, NodeName)>,
    /// Nodes that are to give their streams up.
    pub(crate) drains: BTreeSet<NodeName>,
    /// How many streams each node owns.
    owned: BTreeMap<NodeName, usize>,
    /// Who has owned each stream last that nobody owns now.
    pub(crate) before: Noted<BTreeMap<SharedName, NodeName>>,
}

/// What is noted for people only, and decides nothing: states that differ in it are the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Noted<T>(pub(crate) T);

#[cfg(test)]
impl<T> std::hash::Hash for Noted<T> {
    fn hash<H: std::hash::Hasher>(&self, _: &mut H) {}
}

/// A node that is up, as far as is known.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct KnownNode {
    /// The revision at which it came up.
    pub(crate) created: u64,
    pub(crate) lease: Option<LeaseId>,
    pub(crate) record: NodeRecord,
}

/// Who owns a stream, as far as is known.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct KnownOwner {
    pub(crate) node: NodeName,
    pub(crate) address: PeerAddress,
    pub(crate) epoch: u64,
    pub(crate) lease: Option<LeaseId>,
}

impl View {
    /// Takes over what was read, unless it is older than what is known. Returns whether it did.
    pub(crate) fn replace(&mut self, image: EngineImage) -> bool {
        if self.revision.is_some_and(|known| known > image.revision) {
            return false;
        }
        let mut before = std::mem::take(&mut self.before);
        let owners = std::mem::take(&mut self.owners);
        let had = owners.into_iter().map(|(stream, owner)| (stream, owner.node));
        before.0.extend(had);
        *self = Self {
            revision: Some(image.revision),
            before,
            ..Self::default()
        };
        image.stored.into_iter().for_each(|stored| self.put(stored));
        true
    }

    /// Takes over what has changed.
    pub(crate) fn apply(&mut self, changes: EngineChanges) {
        if self.revision.is_some_and(|known| known >= changes.revision) {
            return;
        }
        self.revision = Some(changes.revision);
        for change in changes.changes {
            match change {
                EngineChange::Put(stored) => self.put(stored),
                EngineChange::Deleted(key) => self.delete(&key),
            }
        }
    }

    fn put(&mut self, stored: Stored) {
        let created = stored.created;
        match stored.value {
            EngineValue::Member(name, record) => {
                self.members.insert(name, (created, record));
            }
            EngineValue::Node(name, record) => {
                let lease = stored.lease;
                self.nodes.insert(
                    name,
                    KnownNode {
                        created,
                        lease,
                        record,
                    },
                );
            }
            EngineValue::Stream(name, document) => {
                self.streams.insert(name, document);
            }
            EngineValue::Move(stream, record) => {
                self.moves.insert(stream, (created, record.to));
            }
            EngineValue::Drain(name, _) => {
                self.drains.insert(name);
            }
            EngineValue::Owner(stream, record) => {
                self.delete(&EngineKey::Owner(stream.clone()));
                self.before.0.remove(&stream);
                *self.owned.entry(record.node.clone()).or_default() += 1;
                let owner = KnownOwner {
                    node: record.node,
                    address: record.address,
                    epoch: created,
                    lease: stored.lease,
                };
                self.owners.insert(stream, owner);
            }
        }
    }

    fn delete(&mut self, key: &EngineKey) {
        match key {
            EngineKey::Member(name) => drop(self.members.remove(name)),
            EngineKey::Node(name) => drop(self.nodes.remove(name)),
            EngineKey::Stream(name) => drop(self.streams.remove(name)),
            EngineKey::Move(name) => drop(self.moves.remove(name)),
            EngineKey::Drain(name) => drop(self.drains.remove(name)),
            EngineKey::Owner(name) => {
                let Some(owner) = self.owners.remove(name) else {
                    return;
                };
                if let Some(count) = self.owned.get_mut(&owner.node) {
                    *count = count.saturating_sub(1);
                }
                self.before.0.insert(name.clone(), owner.node);
            }
        }
    }

    /// The nodes that are up, with how much they own.
    pub(crate) fn candidates(&self) -> impl Iterator<Item = Candidate<'_>> {
        let candidate = |(name, node)| self.as_candidate(name, node);
        self.nodes.iter().map(candidate)
    }

    /// A node that is up.
    pub(crate) fn candidate(&self, name: &NodeName) -> Option<Candidate<'_>> {
        let (name, node) = self.nodes.get_key_value(name)?;
        Some(self.as_candidate(name, node))
    }

    fn as_candidate<'a>(&self, name: &'a NodeName, node: &'a KnownNode) -> Candidate<'a> {
        Candidate {
            name,
            created: node.created,
            record: &node.record,
            owned: self.owned(name),
        }
    }

    /// How many streams a node owns.
    pub(crate) fn owned(&self, node: &NodeName) -> usize {
        self.owned.get(node).copied().unwrap_or(0)
    }

    /// The revision at which the latest member joined.
    pub(crate) fn latest_member(&self) -> u64 {
        let joined = self.members.values().map(|(created, _)| *created);
        joined.max().unwrap_or(0)
    }
}
