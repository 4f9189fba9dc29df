//! Transactions: conditions, and edits that are made if all of them hold.

use crate::engine::{
    lease::LeaseId,
    record::{EngineKey, EngineValue},
};

/// Edits that are made together, if all conditions hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Transaction {
    /// What must be the case.
    pub conditions: Vec<KeyCondition>,
    /// What is then done.
    pub edits: Vec<KeyEdit>,
}

impl Transaction {
    /// Makes a transaction that does nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a condition.
    #[must_use]
    pub fn when(mut self, condition: KeyCondition) -> Self {
        self.conditions.push(condition);
        self
    }

    /// Adds an edit.
    #[must_use]
    pub fn then(mut self, edit: KeyEdit) -> Self {
        self.edits.push(edit);
        self
    }
}

/// A condition of a [`Transaction`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "an engine must know them all")]
pub enum KeyCondition {
    /// There is no such key.
    Absent(EngineKey),
    /// The key exists since this revision: it was not deleted and made anew.
    Created(EngineKey, u64),
}

/// An edit of a [`Transaction`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "an engine must know them all")]
pub enum KeyEdit {
    /// Puts a value, which is deleted with the lease if there is one.
    Put(EngineValue, Option<LeaseId>),
    /// Deletes a key.
    Delete(EngineKey),
}

/// What became of a [`Transaction`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "engines make it")]
pub enum CommitVerdict {
    /// It was executed, at this revision.
    Done(u64),
    /// A condition did not hold; nothing was done.
    Not,
}
