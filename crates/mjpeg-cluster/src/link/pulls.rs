//! What is read from other nodes.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::state::LinkReport;

/// A stream that is read from another node: see [`LinkClient::pulled`](crate::LinkClient::pulled).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LinkPull {
    /// The address of that node.
    pub peer: String,
    /// How many nodes the frames come through: 1 if they come from their owner.
    pub depth: u8,
    /// What that node said last of the camera; `None` before it has.
    pub state: Option<LinkReport>,
    /// Since when it is read there.
    pub since: Instant,
    /// How old the newest frame was when that node sent it, as it says; `None` before there is one.
    pub age: Option<Duration>,
}

/// The streams that are read.
#[derive(Debug, Default)]
pub(super) struct Pulls(Mutex<HashMap<String, Arc<PullEntry>>>);

#[derive(Debug)]
struct PullEntry(Mutex<LinkPull>);

/// Lists a stream for as long as it lives.
pub(super) struct PullGuard {
    pulls: Arc<Pulls>,
    stream: String,
    entry: Arc<PullEntry>,
}

impl Pulls {
    pub(super) fn begin(self: &Arc<Self>, stream: &str, pull: LinkPull) -> PullGuard {
        let entry = Arc::new(PullEntry(Mutex::new(pull)));
        self.table().insert(stream.to_owned(), Arc::clone(&entry));
        PullGuard {
            pulls: Arc::clone(self),
            stream: stream.to_owned(),
            entry,
        }
    }

    pub(super) fn get(&self, stream: &str) -> Option<LinkPull> {
        let entry = self.table().get(stream).cloned();
        entry.map(|entry| entry.pull().clone())
    }

    pub(super) fn all(&self) -> BTreeMap<String, LinkPull> {
        let table = self.table();
        let pulls = table.iter();
        pulls
            .map(|(stream, entry)| (stream.clone(), entry.pull().clone()))
            .collect()
    }

    fn table(&self) -> MutexGuard<'_, HashMap<String, Arc<PullEntry>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PullEntry {
    fn pull(&self) -> MutexGuard<'_, LinkPull> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PullGuard {
    /// Keeps what the other node says of the camera.
    pub(super) fn says(&self, state: LinkReport) {
        let mut pull = self.entry.pull();
        pull.depth = state.depth.saturating_add(1);
        pull.state = Some(state);
    }

    /// Notes how old a frame is.
    pub(super) fn ages(&self, age: Duration) {
        self.entry.pull().age = Some(age);
    }
}

impl Drop for PullGuard {
    fn drop(&mut self) {
        let mut table = self.pulls.table();
        // The next one may have begun.
        let is_current = |entry: &Arc<PullEntry>| Arc::ptr_eq(entry, &self.entry);
        if table.get(&self.stream).is_some_and(is_current) {
            table.remove(&self.stream);
        }
    }
}

impl fmt::Debug for PullGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.entry.fmt(f)
    }
}
