//! The seam to the engine: a small store with leases, transactions and watches that all nodes
//! agree on, such as etcd.

pub(crate) mod error;
#[cfg(feature = "etcd")]
pub(crate) mod etcd;
pub(crate) mod lease;
#[cfg(test)]
pub(crate) mod memory;
pub(crate) mod record;
#[cfg(test)]
pub(crate) mod scripted;
pub(crate) mod transaction;

use std::time::Duration;

use async_trait::async_trait;

use self::{
    error::EngineError,
    lease::LeaseId,
    record::{EngineKey, EngineValue, Stored},
    transaction::{CommitVerdict, Transaction},
};
use crate::name::SharedName;

/// The store that all nodes of a cluster agree on.
///
/// It is linearizable: transactions happen one after another, each with a revision that is greater
/// than those before it. What has a lease is deleted when the lease ends.
///
/// Each call ends within a time limit of the implementation. It says honestly which of three things
/// is the case when it fails: see [`EngineError`]. Nodes call it from tasks of their own, so a
/// slow call delays no decision.
#[async_trait]
pub trait Engine: Send + Sync + 'static {
    /// Grants a lease that ends `ttl` after it was granted or last kept alive.
    ///
    /// # Errors
    ///
    /// See [`EngineError`].
    async fn grant(&self, ttl: Duration) -> Result<LeaseId, EngineError>;

    /// Keeps a lease alive: it ends `ttl` after the engine got this. Returns false if the engine
    /// knows no such lease (any more).
    ///
    /// # Errors
    ///
    /// See [`EngineError`].
    async fn keep_alive(&self, lease: LeaseId) -> Result<bool, EngineError>;

    /// Ends a lease, and deletes what has it.
    ///
    /// # Errors
    ///
    /// See [`EngineError`].
    async fn revoke(&self, lease: LeaseId) -> Result<(), EngineError>;

    /// Executes a transaction: all of its edits, or none if a condition does not hold.
    ///
    /// # Errors
    ///
    /// See [`EngineError`]. After [`Unknown`](EngineError::Unknown) it may have been executed, and
    /// may still be executed later.
    async fn commit(&self, transaction: &Transaction) -> Result<CommitVerdict, EngineError>;

    /// Reads all keys of the cluster, as they were at one revision.
    ///
    /// # Errors
    ///
    /// See [`EngineError`].
    async fn read(&self) -> Result<EngineImage, EngineError>;

    /// Watches all keys of the cluster, from the revision after `revision` on.
    ///
    /// # Errors
    ///
    /// See [`EngineError`]. Changes so old that the engine has forgotten them are an error of
    /// [`KeyWatch::next`]; the caller reads again.
    async fn watch(&self, revision: u64) -> Result<Box<dyn KeyWatch>, EngineError>;
}

/// A running watch, from [`Engine::watch`]. Dropping it ends it.
#[async_trait]
pub trait KeyWatch: Send {
    /// Waits for changes: all those of one revision, or of several.
    ///
    /// # Errors
    ///
    /// If the watch has ended.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: no change is lost.
    async fn next(&mut self) -> Result<EngineChanges, EngineError>;
}

/// All keys at one revision.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "engines make it")]
pub struct EngineImage {
    /// The revision of the engine.
    pub revision: u64,
    /// What is stored.
    pub stored: Vec<Stored>,
}

/// Changes that a watch tells of, in their order.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "engines make it")]
pub struct EngineChanges {
    /// The revision of the last of them.
    pub revision: u64,
    /// The changes.
    pub changes: Vec<EngineChange>,
}

/// A change of a key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "engines make it")]
pub enum EngineChange {
    /// A value was put.
    Put(Stored),
    /// The key was deleted, also by the end of its lease.
    Deleted(EngineKey),
}

impl EngineChange {
    /// The stream that it is about, if it is about one.
    pub(crate) fn stream(&self) -> Option<&SharedName> {
        match self {
            Self::Put(Stored {
                value:
                    EngineValue::Owner(name, _)
                    | EngineValue::Stream(name, _)
                    | EngineValue::Move(name, _),
                ..
            })
            | Self::Deleted(
                EngineKey::Owner(name) | EngineKey::Stream(name) | EngineKey::Move(name),
            ) => Some(name),
            _ => None,
        }
    }
}
