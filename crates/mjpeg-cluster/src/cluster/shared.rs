//! What the handles, the tasks and the sources of a node share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::{sync::Notify, time::Instant};

use crate::{
    cluster::{core::Core, orders::Orders},
    config::ClusterConfig,
    node::Node,
};

pub(crate) struct ClusterShared {
    pub(crate) config: ClusterConfig,
    core: Mutex<Core>,
    /// Told when there is something to send, or another time to wake up at.
    pub(crate) wake: Notify,
    pub(crate) orders: Arc<Orders>,
}

impl ClusterShared {
    pub(crate) fn new(config: ClusterConfig, node: Node) -> Self {
        Self {
            config,
            core: Mutex::new(Core::new(node)),
            wake: Notify::new(),
            orders: Arc::default(),
        }
    }

    pub(crate) fn core(&self) -> MutexGuard<'_, Core> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the node something, and carries out what follows.
    pub(crate) fn with<R>(&self, tell: impl FnOnce(&mut Node, Instant) -> R) -> R {
        let mut core = self.core();
        let now = Instant::now();
        let told = tell(&mut core.node, now);
        core.settle(now);
        drop(core);
        self.wake.notify_one();
        told
    }
}
