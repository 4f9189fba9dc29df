//! An engine in memory, as decisions alone: what one does with a call, and when leases end.

use std::{collections::BTreeMap, time::Duration};

use tokio::time::Instant;

use crate::{
    engine::{
        EngineImage, KeyChange, KeyChanges, LeaseId,
        record::{Key, Stored},
        transaction::{Condition, Edit, Transaction, Verdict},
    },
    node::{Call, CallAnswer},
};

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Store {
    pub(crate) revision: u64,
    granted: i64,
    leases: BTreeMap<LeaseId, Instant>,
    entries: BTreeMap<Key, Stored>,
    log: Vec<KeyChanges>,
}

impl Store {
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
        let holds = |condition: &Condition| match condition {
            Condition::Absent(key) => !self.entries.contains_key(key),
            Condition::Created(key, created) => self
                .entries
                .get(key)
                .is_some_and(|stored| stored.created == *created),
        };
        if !transaction.conditions.iter().all(holds) {
            return CallAnswer::Verdict(Verdict::Not);
        }
        let gone = |edit: &Edit| matches!(edit, Edit::Put(_, Some(lease)) if !self.leases.contains_key(lease));
        if transaction.edits.iter().any(gone) {
            return CallAnswer::Failed { answered: true };
        }
        let revision = self.revision + 1;
        let mut changes = Vec::new();
        for edit in &transaction.edits {
            match edit {
                Edit::Put(value, lease) => {
                    let before = self.entries.get(&value.key());
                    let stored = Stored {
                        value: value.clone(),
                        created: before.map_or(revision, |stored| stored.created),
                        lease: *lease,
                    };
                    self.entries.insert(value.key(), stored.clone());
                    changes.push(KeyChange::Put(stored));
                }
                Edit::Delete(key) => {
                    if self.entries.remove(key).is_some() {
                        changes.push(KeyChange::Deleted(key.clone()));
                    }
                }
            }
        }
        self.log(changes);
        CallAnswer::Verdict(Verdict::Done(self.revision))
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
            self.log(keys.into_iter().map(KeyChange::Deleted).collect());
        }
    }

    fn log(&mut self, changes: Vec<KeyChange>) {
        if !changes.is_empty() {
            self.revision += 1;
            let revision = self.revision;
            self.log.push(KeyChanges { revision, changes });
        }
    }

    pub(crate) fn image(&self) -> EngineImage {
        EngineImage {
            revision: self.revision,
            stored: self.entries.values().cloned().collect(),
        }
    }

    /// The first changes after this revision.
    pub(crate) fn after(&self, revision: u64) -> Option<&KeyChanges> {
        self.log.iter().find(|changes| changes.revision > revision)
    }

    /// Forgets changes that everybody knows.
    pub(crate) fn forget(&mut self, revision: u64) {
        self.log.retain(|changes| changes.revision > revision);
    }
}
