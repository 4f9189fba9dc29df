//! An engine in memory, as decisions alone: what one does with a call, and when leases end.

use std::{collections::BTreeMap, time::Duration};

use tokio::time::Instant;

use crate::{
    engine::{
        EngineChange, EngineChanges, EngineImage,
        lease::LeaseId,
        record::{EngineKey, Stored},
        transaction::{CommitVerdict, KeyCondition, KeyEdit, Transaction},
    },
    node::{Call, CallAnswer},
};

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct MemoryStore {
    pub(crate) revision: u64,
    granted: i64,
    leases: BTreeMap<LeaseId, Instant>,
    entries: BTreeMap<EngineKey, Stored>,
    log: Vec<EngineChanges>,
}

impl MemoryStore {
    pub(crate) fn execute(&mut self, call: &Call, ttl: Duration, now: Instant) -> CallAnswer {
        match call {
            Call::Grant => {
                self.granted += 1;
                let lease = LeaseId::new(self.granted);
                self.leases.insert(lease, now + ttl);
                CallAnswer::Granted(lease)
            }
            Call::KeepAlive(lease) => {
                let known = self.leases.get_mut(lease);
                CallAnswer::KeptAlive(known.map(|ends| *ends = now + ttl).is_some())
            }
            Call::Revoke(lease) => {
                self.end(&[*lease]);
                CallAnswer::Revoked
            }
            Call::Commit(transaction) => self.commit(transaction),
        }
    }

    fn commit(&mut self, transaction: &Transaction) -> CallAnswer {
        let holds = |condition: &KeyCondition| match condition {
            KeyCondition::Absent(key) => !self.entries.contains_key(key),
            KeyCondition::Created(key, created) => self
                .entries
                .get(key)
                .is_some_and(|stored| stored.created == *created),
        };
        if !transaction.conditions.iter().all(holds) {
            return CallAnswer::Verdict(CommitVerdict::Not);
        }
        let gone = |edit: &KeyEdit| matches!(edit, KeyEdit::Put(_, Some(lease)) if !self.leases.contains_key(lease));
        if transaction.edits.iter().any(gone) {
            return CallAnswer::Failed { answered: true };
        }
        let revision = self.revision + 1;
        let mut changes = Vec::new();
        for edit in &transaction.edits {
            match edit {
                KeyEdit::Put(value, lease) => {
                    let before = self.entries.get(&value.key());
                    let stored = Stored {
                        value: value.clone(),
                        created: before.map_or(revision, |stored| stored.created),
                        lease: *lease,
                    };
                    self.entries.insert(value.key(), stored.clone());
                    changes.push(EngineChange::Put(stored));
                }
                KeyEdit::Delete(key) => {
                    if self.entries.remove(key).is_some() {
                        changes.push(EngineChange::Deleted(key.clone()));
                    }
                }
            }
        }
        self.log(changes);
        CallAnswer::Verdict(CommitVerdict::Done(self.revision))
    }

    /// Ends the leases whose time is over.
    pub(crate) fn expire(&mut self, now: Instant) {
        let over = self.leases.iter().filter(|(_, ends)| **ends <= now);
        let over: Vec<_> = over.map(|(lease, _)| *lease).collect();
        self.end(&over);
    }

    /// Gives all leases their whole length again, as etcd does when it has a new leader.
    pub(crate) fn extend(&mut self, ttl: Duration, now: Instant) {
        self.leases.values_mut().for_each(|ends| *ends = now + ttl);
    }

    fn end(&mut self, leases: &[LeaseId]) {
        for lease in leases {
            self.leases.remove(lease);
            let with = self
                .entries
                .iter()
                .filter(|(_, stored)| stored.lease == Some(*lease));
            let keys: Vec<_> = with.map(|(key, _)| key.clone()).collect();
            keys.iter().for_each(|key| drop(self.entries.remove(key)));
            self.log(keys.into_iter().map(EngineChange::Deleted).collect());
        }
    }

    fn log(&mut self, changes: Vec<EngineChange>) {
        if !changes.is_empty() {
            self.revision += 1;
            let revision = self.revision;
            self.log.push(EngineChanges { revision, changes });
        }
    }

    /// Lets the revision be at least this one.
    pub(crate) fn advance(&mut self, revision: u64) {
        self.revision = self.revision.max(revision);
        let (revision, changes) = (self.revision, Vec::new());
        self.log.push(EngineChanges { revision, changes });
    }

    pub(crate) fn has(&self, key: &EngineKey) -> bool {
        self.entries.contains_key(key)
    }

    pub(crate) fn image(&self) -> EngineImage {
        EngineImage {
            revision: self.revision,
            stored: self.entries.values().cloned().collect(),
        }
    }

    /// The first changes after this revision.
    pub(crate) fn after(&self, revision: u64) -> Option<&EngineChanges> {
        let next = self.log.partition_point(|changes| changes.revision <= revision);
        self.log.get(next)
    }

    /// Forgets changes that everybody knows.
    pub(crate) fn forget(&mut self, revision: u64) {
        self.log.retain(|changes| changes.revision > revision);
    }
}
