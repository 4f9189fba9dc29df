//! What a node has been told of the cluster. It is always a little old: it guides what the node
//! tries, and never what it may do.

use std::collections::BTreeMap;

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
    /// How many streams each node owns.
    owned: BTreeMap<NodeName, usize>,
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
        *self = Self {
            revision: Some(image.revision),
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
            EngineValue::Owner(stream, record) => {
                self.delete(&EngineKey::Owner(stream.clone()));
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
            EngineKey::Owner(name) => {
                let Some(owner) = self.owners.remove(name) else {
                    return;
                };
                if let Some(count) = self.owned.get_mut(&owner.node) {
                    *count = count.saturating_sub(1);
                }
            }
        }
    }

    /// The nodes that are up, with how much they own.
    pub(crate) fn candidates(&self) -> impl Iterator<Item = Candidate<'_>> {
        self.nodes.iter().map(|(name, node)| Candidate {
            name,
            created: node.created,
            record: &node.record,
            owned: self.owned.get(name).copied().unwrap_or(0),
        })
    }

    /// The revision at which the latest member joined.
    pub(crate) fn latest_member(&self) -> u64 {
        let joined = self.members.values().map(|(created, _)| *created);
        joined.max().unwrap_or(0)
    }
}
