//! What the streams' ports have in common, and ports that wait for their streams.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use mjpeg_http::{Listener, ListenerConfig};

use crate::name::StreamName;

/// Ports of streams.
#[derive(Debug, Default)]
pub(super) struct Ports(Mutex<PortState>);

#[derive(Debug, Default)]
struct PortState {
    config: ListenerConfig,
    reserved: Vec<Reserved>,
    reservations: u64,
}

#[derive(Debug)]
struct Reserved {
    number: u64,
    asked: SocketAddr,
    listener: Listener,
}

/// A port that is kept for the stream that will ask for its address; from
/// [`HttpOutlet::reserve`](crate::HttpOutlet::reserve). Dropping it frees the port, unless the
/// stream has it by then.
#[derive(Debug)]
#[must_use = "dropping it frees the port"]
pub struct PortReservation {
    ports: Arc<Ports>,
    number: u64,
}

impl Ports {
    pub(super) fn new(config: ListenerConfig) -> Self {
        let config = PortState {
            config,
            ..PortState::default()
        };
        Self(Mutex::new(config))
    }

    /// The limits and times of the ports.
    pub(super) fn config(&self) -> ListenerConfig {
        self.lock().config.clone()
    }

    /// The same as a port of this stream has them: the stream's own grace ends first. The port has
    /// the stream's name, unless all ports were given another.
    pub(super) fn port_config(&self, stream: &StreamName) -> ListenerConfig {
        let config = self.config().with_grace(Duration::MAX);
        match config.name() {
            "" => config.with_name(stream.as_str()),
            _ => config,
        }
    }

    pub(super) fn configure(&self, config: ListenerConfig) {
        self.lock().config = config;
    }

    /// Keeps a listener for the stream that will ask for this address.
    pub(super) fn reserve(
        self: &Arc<Self>,
        asked: SocketAddr,
        listener: Listener,
    ) -> PortReservation {
        let mut state = self.lock();
        let number = state.reservations;
        state.reservations += 1;
        state.reserved.push(Reserved {
            number,
            asked,
            listener,
        });
        PortReservation {
            ports: Arc::clone(self),
            number,
        }
    }

    /// Takes a listener that was reserved for this address, if there is one, for this stream.
    pub(super) fn take(&self, asked: SocketAddr, stream: &StreamName) -> Option<Listener> {
        let mut state = self.lock();
        let is_it = |reserved: &Reserved| reserved.asked == asked;
        let at = state.reserved.iter().position(is_it)?;
        let listener = state.reserved.remove(at).listener;
        drop(state);
        listener.handle().configure(self.port_config(stream));
        Some(listener)
    }

    /// Held briefly, never across a wait.
    fn lock(&self) -> MutexGuard<'_, PortState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for PortReservation {
    fn drop(&mut self) {
        let mut state = self.ports.lock();
        state
            .reserved
            .retain(|reserved| reserved.number != self.number);
    }
}
