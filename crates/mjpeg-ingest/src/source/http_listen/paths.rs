//! The paths of an address, and who reads what is sent there.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::token::PushToken;
use crate::source::push::intake::Intake;

/// The paths of one address.
#[derive(Debug, Default)]
pub(super) struct PushPaths(Mutex<BTreeMap<String, PathEntry>>);

/// What is known of a path.
#[derive(Clone, Debug)]
pub(super) struct PathEntry {
    pub(super) token: Option<PushToken>,
    pub(super) intake: Arc<Intake>,
}

impl PushPaths {
    /// Adds a path; false if it is taken.
    pub(super) fn add(&self, path: &str, entry: PathEntry) -> bool {
        let mut paths = self.lock();
        if paths.contains_key(path) {
            return false;
        }
        paths.insert(path.into(), entry);
        true
    }

    pub(super) fn remove(&self, path: &str) {
        self.lock().remove(path);
    }

    pub(super) fn find(&self, path: &str) -> Option<PathEntry> {
        self.lock().get(path).cloned()
    }

    /// Held briefly, never across a wait.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, PathEntry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
