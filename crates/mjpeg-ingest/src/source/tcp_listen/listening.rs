//! A bound listener, and who waits at it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::net::{TcpListener, TcpStream};

use crate::source::takeover::rivals::Rivals;

/// A bound listener, and the senders that wait for the end of the current one.
#[derive(Debug)]
pub(super) struct Listening {
    pub(super) listener: TcpListener,
    rivals: Mutex<Rivals<TcpStream>>,
}

impl Listening {
    pub(super) fn new(listener: TcpListener) -> Self {
        Self {
            listener,
            rivals: Mutex::default(),
        }
    }

    /// Held briefly, never across a wait.
    pub(super) fn rivals(&self) -> MutexGuard<'_, Rivals<TcpStream>> {
        self.rivals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
