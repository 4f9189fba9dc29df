//! Cameras and encoders that connect to us.

mod listening;
mod sender;

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use async_trait::async_trait;
use tokio::{net::TcpListener, time::Instant};

use self::{listening::Listening, sender::Sender};
use super::{takeover::rivals::Rival, tcp::keep_alive};
use crate::{
    connect::{Connect, Connection},
    error::ConnectError,
};

/// An address that accepts senders of concatenated JPEG images, one at a time.
#[derive(Debug)]
pub(super) struct TcpListen {
    addr: SocketAddr,
    /// Alive while an ingest waits for a sender or reads from one.
    bound: Mutex<Weak<Listening>>,
}

impl TcpListen {
    pub(super) fn new(addr: SocketAddr) -> Self {
        Self {
            addr,
            bound: Mutex::default(),
        }
    }

    /// Returns the listener, which is bound unless it still is.
    async fn bind(&self) -> Result<Arc<Listening>, ConnectError> {
        if let Some(bound) = self.bound().upgrade() {
            return Ok(bound);
        }
        let listener = TcpListener::bind(self.addr).await;
        let listener = listener.map_err(|source| ConnectError::Listen {
            addr: self.addr,
            source,
        })?;
        let bound = Arc::new(Listening::new(listener));
        *self.bound() = Arc::downgrade(&bound);
        Ok(bound)
    }

    fn bound(&self) -> MutexGuard<'_, Weak<Listening>> {
        self.bound.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Connect for TcpListen {
    async fn connect(&self) -> Result<Connection, ConnectError> {
        let bound = self.bind().await?;
        let waiting = bound.rivals().take_best();
        let sender = match waiting {
            Some(rival) => rival,
            None => {
                let (stream, peer) = bound.listener.accept().await?;
                Rival::new(stream, peer.to_string(), Instant::now())
            }
        };
        keep_alive(sender.stream());
        let peer = sender.peer().to_string();
        let sender = Sender::new(sender, Arc::clone(&bound));
        // Otherwise a sender that connects between two connections would be refused.
        Ok(Connection::bytes(sender, peer).keeping(bound))
    }

    fn is_passive(&self) -> bool {
        true
    }
}
