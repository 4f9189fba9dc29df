//! The table of streams: which names are taken, and by which stream.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::sync::{Notify, watch};

use crate::{error::Error, name::StreamName, stream::RunningStream};

#[derive(Debug)]
pub(crate) struct Registry {
    table: Mutex<Registrations>,
    most: usize,
    /// Starts that failed because there were as many streams as allowed.
    refused: AtomicU64,
    /// Set under the table's lock, so that no start can follow it.
    shut_down: watch::Sender<bool>,
    /// Notified whenever a busy name becomes free.
    freed: Notify,
}

type Registrations = BTreeMap<StreamName, Registration>;

#[derive(Debug)]
enum Registration {
    /// Being started or stopped: the name is taken, but there is no stream to see.
    Busy,
    Running(Arc<RunningStream>),
}

impl Registry {
    /// Makes a registry for at most this many streams.
    pub(crate) fn new(most: usize) -> Self {
        Self {
            table: Mutex::default(),
            most,
            refused: AtomicU64::new(0),
            shut_down: watch::Sender::new(false),
            freed: Notify::new(),
        }
    }

    /// Takes a name for a stream that is to be started.
    pub(crate) fn reserve(&self, name: &StreamName) -> Result<Busy<'_>, Error> {
        let mut table = self.table();
        if *self.shut_down.borrow() {
            return Err(Error::ShutDown);
        }
        if table.contains_key(name) {
            return Err(Error::AlreadyExists { name: name.clone() });
        }
        if table.len() >= self.most {
            self.refused.fetch_add(1, Ordering::Relaxed);
            return Err(Error::TooManyStreams { most: self.most });
        }
        table.insert(name.clone(), Registration::Busy);
        Ok(Busy {
            registry: self,
            name: name.clone(),
        })
    }

    /// Takes a running stream out. Its name stays taken until the guard is dropped.
    pub(crate) fn take(&self, name: &str) -> Result<(Arc<RunningStream>, Busy<'_>), Error> {
        let mut table = self.table();
        let found = table.get_key_value(name).map(|(name, _)| name.clone());
        let not_found = || Error::NotFound { name: name.into() };
        let name = found.ok_or_else(not_found)?;
        match table.insert(name.clone(), Registration::Busy) {
            Some(Registration::Running(stream)) => {
                let registry = self;
                Ok((stream, Busy { registry, name }))
            }
            _ => Err(not_found()),
        }
    }

    /// Takes all running streams out, and accepts no more.
    pub(crate) fn take_all(&self) -> Vec<(StreamName, Arc<RunningStream>)> {
        let mut table = self.table();
        self.shut_down.send_replace(true);
        let mut taken = Vec::new();
        for (name, entry) in std::mem::take(&mut *table) {
            match entry {
                Registration::Running(stream) => taken.push((name, stream)),
                Registration::Busy => {
                    table.insert(name, Registration::Busy);
                }
            }
        }
        taken
    }

    /// Returns a running stream.
    pub(crate) fn get(&self, name: &str) -> Result<Arc<RunningStream>, Error> {
        match self.table().get(name) {
            Some(Registration::Running(stream)) => Ok(Arc::clone(stream)),
            // It may have been there a moment ago.
            _ if *self.shut_down.borrow() => Err(Error::ShutDown),
            _ => Err(Error::NotFound { name: name.into() }),
        }
    }

    /// Returns all running streams, by name.
    pub(crate) fn all(&self) -> Vec<Arc<RunningStream>> {
        let running = |entry: &Registration| match entry {
            Registration::Running(stream) => Some(Arc::clone(stream)),
            Registration::Busy => None,
        };
        self.table().values().filter_map(running).collect()
    }

    /// Returns all names that are taken.
    pub(crate) fn names(&self) -> Vec<StreamName> {
        self.table().keys().cloned().collect()
    }

    /// Returns how many starts were refused because there were too many streams.
    pub(crate) fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// Waits until [`take_all`](Self::take_all) was called.
    pub(crate) async fn shut_down(&self) {
        // An error is impossible: the sender lives as long as `self`.
        let _ = self
            .shut_down
            .subscribe()
            .wait_for(|&shut_down| shut_down)
            .await;
    }

    /// Waits until no name is busy.
    pub(crate) async fn none_busy(&self) {
        loop {
            let freed = self.freed.notified();
            let is_busy = |entry: &Registration| matches!(entry, Registration::Busy);
            if !self.table().values().any(is_busy) {
                return;
            }
            freed.await;
        }
    }

    /// Locks the table. Held briefly, never across a wait.
    fn table(&self) -> MutexGuard<'_, Registrations> {
        // Every step under this lock leaves the table whole.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps a name taken while its stream is started or stopped, and frees it when that is over,
/// however it ends.
pub(crate) struct Busy<'a> {
    registry: &'a Registry,
    name: StreamName,
}

impl Busy<'_> {
    /// Enters the stream, and reports its start before anybody else can see it. Returns false if
    /// the manager was shut down meanwhile.
    pub(crate) fn fill(&self, stream: &Arc<RunningStream>) -> bool {
        let mut table = self.registry.table();
        if *self.registry.shut_down.borrow() {
            return false;
        }
        stream.monitor().started();
        let entry = Registration::Running(Arc::clone(stream));
        table.insert(self.name.clone(), entry);
        true
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        let mut table = self.registry.table();
        if matches!(table.get(&self.name), Some(Registration::Busy)) {
            table.remove(&self.name);
            self.registry.freed.notify_waiters();
        }
    }
}
