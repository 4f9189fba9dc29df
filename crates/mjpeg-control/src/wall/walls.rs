//! All wall sockets of an API: how many there may be, and who ends them.

use std::{
    collections::HashMap,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use mjpeg_manager::mjpeg_http::Peer;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
    time::timeout,
};

use super::stats::WallCounters;
use crate::network::PeerNetwork;

/// Owns the tasks of the sockets: one each.
pub(crate) struct Walls {
    places: Arc<Semaphore>,
    most_per_address: usize,
    shares: Arc<WallShares>,
    /// For sockets that are opened only to be told that there are too many.
    refusals: Arc<Semaphore>,
    counters: Arc<WallCounters>,
    tasks: Mutex<JoinSet<()>>,
}

/// How many sockets each address has: as many entries as sockets at most.
#[derive(Default)]
struct WallShares(Mutex<HashMap<PeerNetwork, usize>>);

/// One of an address's sockets.
struct WallShare {
    shares: Arc<WallShares>,
    network: PeerNetwork,
}

/// A place for a socket.
pub(crate) struct WallPlace {
    counters: Arc<WallCounters>,
    _share: Option<WallShare>,
    _place: OwnedSemaphorePermit,
}

impl Walls {
    /// Allows this many sockets, and so many of one address.
    pub(crate) fn new(most: usize, most_per_address: usize) -> Self {
        Self {
            places: Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS))),
            most_per_address,
            shares: Arc::default(),
            refusals: Arc::new(Semaphore::new(MAX_REFUSALS)),
            counters: Arc::default(),
            tasks: Mutex::default(),
        }
    }

    pub(crate) fn counters(&self) -> &Arc<WallCounters> {
        &self.counters
    }

    /// Takes a place for a socket of this client, if one is free.
    pub(crate) fn take(&self, peer: Option<Peer>) -> Option<WallPlace> {
        let place = Arc::clone(&self.places).try_acquire_owned().ok();
        let Some((place, share)) = place.zip(self.share(peer)) else {
            self.counters.refused.add_one();
            return None;
        };
        self.counters.opened.add_one();
        self.counters.sockets.add(1);
        Some(WallPlace {
            counters: Arc::clone(&self.counters),
            _share: share,
            _place: place,
        })
    }

    /// Takes one of the client's share, if one is free; none is needed where many people may share
    /// an address.
    fn share(&self, peer: Option<Peer>) -> Option<Option<WallShare>> {
        let Some(peer) = peer.filter(|peer| peer.addr().is_some() && !peer.is_shared()) else {
            return Some(None);
        };
        let network = PeerNetwork::of(Some(peer));
        let mut shares = self.shares.lock();
        let taken = shares.get(&network).copied().unwrap_or_default();
        if taken >= self.most_per_address {
            return None;
        }
        shares.insert(network, taken + 1);
        Some(Some(WallShare {
            shares: Arc::clone(&self.shares),
            network,
        }))
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

impl WallShares {
    /// Nothing that is done under the lock can panic.
    fn lock(&self) -> MutexGuard<'_, HashMap<PeerNetwork, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for WallShare {
    fn drop(&mut self) {
        let mut shares = self.shares.lock();
        if let Some(taken) = shares.get_mut(&self.network) {
            *taken = taken.saturating_sub(1);
            if *taken == 0 {
                shares.remove(&self.network);
            }
        }
    }
}

impl Drop for WallPlace {
    fn drop(&mut self) {
        self.counters.sockets.take_one();
    }
}

/// How many clients may be told at once that there are too many sockets. More are answered `503`.
const MAX_REFUSALS: usize = 32;
