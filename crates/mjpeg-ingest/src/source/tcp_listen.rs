//! Cameras and encoders that connect to us.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    task::{Context, Poll, ready},
    time::Duration,
};

use async_trait::async_trait;
use tokio::{
    io::{AsyncRead, ReadBuf},
    net::{TcpListener, TcpStream},
    time::{Instant, Sleep, sleep_until},
};

use super::tcp::keep_alive;
use crate::{
    connect::{Connect, Connection},
    error::{ConnectError, SourceEnd},
};

/// An address that accepts senders of concatenated JPEG images, one at a time.
#[derive(Debug)]
pub(super) struct TcpListen {
    addr: SocketAddr,
    /// Alive while an ingest waits for a sender or reads from one.
    bound: Mutex<Weak<Listening>>,
}

/// The bound listener.
#[derive(Debug)]
struct Listening {
    listener: TcpListener,
    /// A sender that waits for the end of the current one.
    next: Mutex<Option<(TcpStream, SocketAddr)>>,
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
        let bound = Arc::new(Listening {
            listener,
            next: Mutex::default(),
        });
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
        let next = bound.next().take();
        let (stream, peer) = match next {
            Some(next) => next,
            None => bound.listener.accept().await?,
        };
        keep_alive(&stream);
        let sender = Sender {
            stream,
            bound: Arc::clone(&bound),
            last_read: Instant::now(),
            rival: None,
        };
        // Otherwise a sender that connects between two connections would be refused.
        Ok(Connection::bytes(sender, peer.to_string()).keeping(bound))
    }

    fn is_passive(&self) -> bool {
        true
    }
}

impl Listening {
    fn next(&self) -> MutexGuard<'_, Option<(TcpStream, SocketAddr)>> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The current sender, and the listener through which others may connect.
struct Sender {
    stream: TcpStream,
    bound: Arc<Listening>,
    last_read: Instant,
    /// When another sender connected, and the timer that decides which of the two is read.
    rival: Option<(Instant, Pin<Box<Sleep>>)>,
}

impl AsyncRead for Sender {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if let Poll::Ready(read) = Pin::new(&mut this.stream).poll_read(cx, buf) {
            this.last_read = Instant::now();
            // If it has ended, the next connection is to the rival.
            return Poll::Ready(read);
        }
        // An error, such as no descriptor left, is retried when the sender sends.
        while let Poll::Ready(Ok(rival)) = this.bound.listener.poll_accept(cx) {
            // The newest one is the most likely to be alive.
            *this.bound.next() = Some(rival);
            let (now, silent_at) = (Instant::now(), this.last_read + SILENT_AFTER);
            // The current sender may just have closed its connection, which was not read yet. So
            // the rival is kept and waits even if it came early.
            let decided_at = if silent_at <= now {
                now
            } else {
                now + SILENT_AFTER
            };
            this.rival
                .get_or_insert_with(|| (now, Box::pin(sleep_until(decided_at))));
        }
        if let Some((came, timer)) = &mut this.rival {
            ready!(timer.as_mut().poll(cx));
            let is_silent = this.last_read <= *came;
            this.rival = None;
            let mut next = this.bound.next();
            if is_silent && let Some((_, by)) = &*next {
                let by = by.to_string();
                return Poll::Ready(Err(SourceEnd::Replaced { by }.into()));
            }
            // The current sender is alive: hang up on the rival.
            *next = None;
        }
        Poll::Pending
    }
}

/// How long a sender must have been silent for another one to replace it.
const SILENT_AFTER: Duration = Duration::from_secs(2);
