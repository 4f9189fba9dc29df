//! The streams that are served now, for those who read counters.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use mjpeg_http::{ListenerMonitor, StreamService};

use crate::name::StreamName;

/// The services of the streams that are served now.
#[derive(Debug, Default)]
pub(super) struct Services(Mutex<BTreeMap<StreamName, Served>>);

/// A stream that is served.
#[derive(Clone, Debug)]
pub(super) struct Served {
    pub(super) service: StreamService,
    /// The counters of its newest port.
    pub(super) port: ListenerMonitor,
}

impl Services {
    /// Held briefly, never across a wait.
    pub(super) fn lock(&self) -> MutexGuard<'_, BTreeMap<StreamName, Served>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
