//! What a running listener shares with its connections and its owner.

use std::sync::Arc;

use tokio::sync::watch;

use crate::{
    config::listener::ListenerConfig,
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
}

/// What a listener, its connections and its handles share.
#[derive(Debug)]
pub(crate) struct ListenerShared {
    config: watch::Sender<Arc<ListenerConfig>>,
    pub(crate) counters: Arc<ListenerCounters>,
}

impl ListenerShared {
    pub(crate) fn new(config: ListenerConfig) -> Self {
        Self {
            config: watch::Sender::new(Arc::new(config)),
            counters: Arc::default(),
        }
    }

    /// The limits and times that apply now.
    pub(crate) fn config(&self) -> Arc<ListenerConfig> {
        Arc::clone(&self.config.borrow())
    }
}
