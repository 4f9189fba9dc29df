//! What a running listener shares with its connections and its owner.

use std::{io, sync::Arc};

use tokio::sync::watch;

use crate::{
    config::listener::ListenerConfig,
    server::accept::{HeldPort, TcpAccept},
    stats::{ListenerCounters, ListenerStats},
};

/// Reads a listener's counters and changes its configuration while it serves; from
/// [`Listener::handle`](crate::Listener::handle).
#[derive(Clone, Debug)]
pub struct ListenerHandle(Arc<ListenerShared>);

impl ListenerHandle {
    pub(crate) fn new(shared: Arc<ListenerShared>) -> Self {
        Self(shared)
    }

    /// Reads the counters.
    pub fn stats(&self) -> ListenerStats {
        self.0.counters.read()
    }

    /// Returns the limits and times that apply now.
    pub fn config(&self) -> Arc<ListenerConfig> {
        self.0.config()
    }

    /// Replaces the limits and times.
    ///
    /// The base path applies to the next request, the grace to the end, and everything else to new
    /// connections. Viewers keep their responses.
    pub fn configure(&self, config: ListenerConfig) {
        self.0.config.send_replace(Arc::new(config));
    }

    /// Makes another socket of the listener's TCP port. `None` if it has none any more.
    pub(crate) fn second_socket(&self) -> Option<io::Result<TcpAccept>> {
        self.0.port.second()
    }
}

/// What a listener, its connections and its handles share.
#[derive(Debug)]
pub(crate) struct ListenerShared {
    config: watch::Sender<Arc<ListenerConfig>>,
    port: HeldPort,
    pub(crate) counters: Arc<ListenerCounters>,
}

impl ListenerShared {
    pub(crate) fn new(config: ListenerConfig) -> Self {
        Self::of_port(config, HeldPort::default())
    }

    pub(crate) fn of_port(config: ListenerConfig, port: HeldPort) -> Self {
        Self {
            config: watch::Sender::new(Arc::new(config)),
            port,
            counters: Arc::default(),
        }
    }

    /// The limits and times that apply now.
    pub(crate) fn config(&self) -> Arc<ListenerConfig> {
        Arc::clone(&self.config.borrow())
    }
}
