//! The table of streams: which names are taken, and by what.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::sync::{Notify, watch};

use crate::{Error, StreamName, running::Running};

#[derive(Debug)]
pub(crate) struct Registry {
    table: Mutex<Table>,
    most: usize,
    /// Starts that failed because there were as many as there may be.
    refused: AtomicU64,
    /// Set under the table's lock, so that no start slips in after it.
    shut_down: watch::Sender<bool>,
    /// Told whenever a name that was busy no longer is.
    freed: Notify,
}

type Table = BTreeMap<StreamName, Entry>;

#[derive(Debug)]
enum Entry {
    /// Being started or stopped: the name is taken, but there is no stream to see.
    Busy,
    Running(Box<Running>),
}

impl Registry {
    /// Makes one for so many streams at most.
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
        table.insert(name.clone(), Entry::Busy);
        Ok(Busy {
            registry: self,
            name: name.clone(),
        })
    }

    /// Takes a running stream out; its name stays taken until the guard goes.
    pub(crate) fn take(&self, name: &str) -> Result<(Box<Running>, Busy<'_>), Error> {
        let mut table = self.table();
        let found = table.get_key_value(name).map(|(name, _)| name.clone());
        let not_found = || Error::NotFound { name: name.into() };
        let name = found.ok_or_else(not_found)?;
        match table.insert(name.clone(), Entry::Busy) {
            Some(Entry::Running(running)) => Ok((
                running,
                Busy {
                    registry: self,
                    name,
                },
            )),
            _ => Err(not_found()),
        }
    }

    /// Takes all running streams out, and lets nothing more in.
    pub(crate) fn take_all(&self) -> Vec<(StreamName, Box<Running>)> {
        let mut table = self.table();
        self.shut_down.send_replace(true);
        let mut taken = Vec::new();
        for (name, entry) in std::mem::take(&mut *table) {
            match entry {
                Entry::Running(running) => taken.push((name, running)),
                Entry::Busy => {
                    table.insert(name, Entry::Busy);
                }
            }
        }
        taken
    }

    /// Reads something of a running stream.
    pub(crate) fn with<T>(&self, name: &str, read: impl FnOnce(&Running) -> T) -> Result<T, Error> {
        match self.table().get(name) {
            Some(Entry::Running(running)) => Ok(read(running)),
            _ => Err(Error::NotFound { name: name.into() }),
        }
    }

    /// Reads something of all that run, by name.
    pub(crate) fn with_all<T>(&self, read: impl Fn(&Running) -> T) -> Vec<T> {
        let running = |entry: &Entry| match entry {
            Entry::Running(running) => Some(read(running)),
            Entry::Busy => None,
        };
        self.table().values().filter_map(running).collect()
    }

    /// All names that are taken.
    pub(crate) fn names(&self) -> Vec<StreamName> {
        self.table().keys().cloned().collect()
    }

    /// How many starts were refused because there were too many streams.
    pub(crate) fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// Waits until all streams have been taken out for good.
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
            if !self
                .table()
                .values()
                .any(|entry| matches!(entry, Entry::Busy))
            {
                return;
            }
            freed.await;
        }
    }

    /// Held briefly, never across a wait.
    fn table(&self) -> MutexGuard<'_, Table> {
        // Every step under this lock leaves the table whole.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Holds a name while its stream is started or stopped, and frees it when that is over, however it ends.
pub(crate) struct Busy<'a> {
    registry: &'a Registry,
    name: StreamName,
}

impl Busy<'_> {
    pub(crate) fn name(&self) -> &StreamName {
        &self.name
    }

    /// Puts the stream in its place, unless the manager was shut down meanwhile.
    pub(crate) fn fill(&self, running: Running) -> Result<(), Box<Running>> {
        let running = Box::new(running);
        let mut table = self.registry.table();
        if *self.registry.shut_down.borrow() {
            return Err(running);
        }
        table.insert(self.name.clone(), Entry::Running(running));
        Ok(())
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        let mut table = self.registry.table();
        if matches!(table.get(&self.name), Some(Entry::Busy)) {
            table.remove(&self.name);
            self.registry.freed.notify_waiters();
        }
    }
}
