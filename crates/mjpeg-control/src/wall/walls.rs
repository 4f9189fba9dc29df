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
    places: Arc<WallPlaces>,
    /// For sockets that are opened only to be told that there are too many.
    refusals: Arc<Semaphore>,
    counters: Arc<WallCounters>,
    tasks: Mutex<JoinSet<()>>,
}

/// Who has how many sockets.
struct WallPlaces(Mutex<TakenPlaces>);

struct TakenPlaces {
    /// How many there may be, and how many of one address.
    most: (usize, usize),
    taken: usize,
    /// Of each address that has any.
    of_address: HashMap<PeerNetwork, usize>,
}

/// A place for a socket.
pub(crate) struct WallPlace {
    counters: Arc<WallCounters>,
    places: Arc<WallPlaces>,
    /// Whose share it is a part of.
    network: Option<PeerNetwork>,
}

impl Walls {
    /// Allows this many sockets, and so many of one address.
    pub(crate) fn new(most: usize, most_per_address: usize) -> Self {
        Self {
            places: Arc::new(WallPlaces(Mutex::new(TakenPlaces {
                most: (most, most_per_address),
                taken: 0,
                of_address: HashMap::new(),
            }))),
            refusals: Arc::new(Semaphore::new(MAX_REFUSALS)),
            counters: Arc::default(),
            tasks: Mutex::default(),
        }
    }

    pub(crate) fn counters(&self) -> &Arc<WallCounters> {
        &self.counters
    }

    /// How many sockets there may be, and how many of one address. Sockets that are open stay.
    pub(crate) fn set_most(&self, most: usize, most_per_address: usize) {
        self.places.lock().most = (most, most_per_address);
    }

    /// How many sockets there may be.
    pub(crate) fn most(&self) -> usize {
        self.places.lock().most.0
    }

    /// Takes a place for a socket of this client, if one is free. It is one of the client's share,
    /// but where many people may share an address.
    pub(crate) fn take(&self, peer: Option<Peer>) -> Option<WallPlace> {
        let of_one = peer.filter(|peer| peer.addr().is_some() && !peer.is_shared());
        let network = of_one.map(|peer| PeerNetwork::of(Some(peer)));
        let mut places = self.places.lock();
        let (most, most_per_address) = places.most;
        if places.taken >= most {
            self.counters.refused.add_one();
            return None;
        }
        if let Some(network) = network {
            let of_address = places.of_address.get(&network).copied().unwrap_or_default();
            if of_address >= most_per_address {
                self.counters.refused_address.add_one();
                return None;
            }
            places.of_address.insert(network, of_address + 1);
        }
        places.taken += 1;
        drop(places);
        self.counters.opened.add_one();
        self.counters.sockets.add(1);
        Some(WallPlace {
            counters: Arc::clone(&self.counters),
            places: Arc::clone(&self.places),
            network,
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

impl WallPlaces {
    /// Nothing that is done under the lock can panic.
    fn lock(&self) -> MutexGuard<'_, TakenPlaces> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for WallPlace {
    fn drop(&mut self) {
        self.counters.sockets.take_one();
        let mut places = self.places.lock();
        places.taken = places.taken.saturating_sub(1);
        let Some(network) = self.network else {
            return;
        };
        if let Some(of_address) = places.of_address.get_mut(&network) {
            *of_address = of_address.saturating_sub(1);
            if *of_address == 0 {
                places.of_address.remove(&network);
            }
        }
    }
}

/// How many clients may be told at once that there are too many sockets. More are answered `503`.
const MAX_REFUSALS: usize = 32;
