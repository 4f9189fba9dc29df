//! The streams that are served now, and how each is to be served.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Mutex, MutexGuard, PoisonError},
};

use mjpeg_http::{ListenerHandle, StreamConfig, StreamService};

use super::port::Port;
use crate::name::StreamName;

/// What is known about streams, by name.
#[derive(Debug, Default)]
pub(super) struct Services(Mutex<BTreeMap<StreamName, ServiceEntry>>);

/// A stream that is served, or is configured and not served yet.
#[derive(Debug, Default)]
pub(super) struct ServiceEntry {
    /// Its own configuration; `None` if it has that of the outlet.
    pub(super) config: Option<StreamConfig>,
    pub(super) served: Option<Served>,
}

/// A stream that is served.
#[derive(Debug)]
pub(super) struct Served {
    pub(super) service: StreamService,
    /// Its newest port, if it has had one of its own.
    pub(super) port: Option<ServedPort>,
}

/// A port that a stream has, or has had.
#[derive(Debug)]
pub(super) struct ServedPort {
    /// The address asked for, which may have port 0.
    asked: SocketAddr,
    addr: SocketAddr,
    pub(super) handle: ListenerHandle,
}

impl ServedPort {
    pub(super) fn of(port: &Port) -> Self {
        Self {
            asked: port.asked,
            addr: port.addr,
            handle: port.handle.clone(),
        }
    }

    pub(super) fn is_at(&self, addr: SocketAddr) -> bool {
        self.asked == addr || self.addr == addr
    }
}

impl Services {
    /// Held briefly, never across a wait.
    pub(super) fn lock(&self) -> MutexGuard<'_, BTreeMap<StreamName, ServiceEntry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The service of a stream that is served.
    pub(super) fn find(&self, name: &str) -> Option<StreamService> {
        let entries = self.lock();
        Some(entries.get(name)?.served.as_ref()?.service.clone())
    }
}
