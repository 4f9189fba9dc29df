//! All wall sockets of an API: how many there may be, and who ends them.

use std::{
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
    time::timeout,
};

use super::stats::WallCounters;

/// Owns the tasks of the sockets: one each.
pub(crate) struct Walls {
    places: Arc<Semaphore>,
    /// For sockets that are opened only to be told that there are too many.
    refusals: Arc<Semaphore>,
    counters: Arc<WallCounters>,
    tasks: Mutex<JoinSet<()>>,
}

/// A place for a socket.
pub(crate) struct WallPlace {
    counters: Arc<WallCounters>,
    _place: OwnedSemaphorePermit,
}

impl Walls {
    /// Allows this many sockets.
    pub(crate) fn new(most: usize) -> Self {
        Self {
            places: Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS))),
            refusals: Arc::new(Semaphore::new(MAX_REFUSALS)),
            counters: Arc::default(),
            tasks: Mutex::default(),
        }
    }

    pub(crate) fn counters(&self) -> &Arc<WallCounters> {
        &self.counters
    }

    /// Takes a place for a socket, if one is free.
    pub(crate) fn take(&self) -> Option<WallPlace> {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            self.counters.refused.add_one();
            return None;
        };
        self.counters.opened.add_one();
        self.counters.sockets.add(1);
        Some(WallPlace {
            counters: Arc::clone(&self.counters),
            _place: place,
        })
    }

    /// Takes a place for a socket that will be refused.
    pub(crate) fn refuse(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.refusals).try_acquire_owned().ok()
    }

    /// Runs a socket's task.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.tasks();
        while tasks.try_join_next().is_some() {}
        tasks.spawn(task);
    }

    /// Cuts all sockets.
    pub(crate) fn abort(&self) {
        self.tasks().abort_all();
    }

    /// Waits until the tasks have ended, at most for the grace, and then cuts them. They must have
    /// been told to end.
    pub(crate) async fn drain(&self, grace: Duration) {
        let mut tasks = std::mem::take(&mut *self.tasks());
        let all = async { while tasks.join_next().await.is_some() {} };
        if timeout(grace, all).await.is_err() {
            tasks.shutdown().await;
        }
    }

    /// Held briefly, never across a wait.
    fn tasks(&self) -> MutexGuard<'_, JoinSet<()>> {
        // Every step under this lock leaves the tasks owned.
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for WallPlace {
    fn drop(&mut self) {
        self.counters.sockets.take_one();
    }
}

/// How many clients may be told at once that there are too many sockets. More are answered `503`.
const MAX_REFUSALS: usize = 32;
