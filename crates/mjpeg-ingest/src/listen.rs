//! Cameras and encoders that connect to us.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError, Weak},
    task::{Context, Poll, ready},
    time::Duration,
};

use async_trait::async_trait;
use tokio::{
    io::{AsyncRead, ReadBuf},
    net::{TcpListener, TcpStream},
    time::{Instant, Sleep, sleep_until},
};

use crate::{Connect, ConnectError, Connection, SourceEnd, tcp::keep_alive};

/// An address at which senders of concatenated JPEG images are awaited, one at a time.
#[derive(Debug)]
pub(crate) struct TcpDoor {
    addr: SocketAddr,
    /// Open as long as an ingest waits at it or reads from a sender that came through it.
    open: Mutex<Weak<Door>>,
}

#[derive(Debug)]
struct Door {
    listener: TcpListener,
    /// A sender that waits for the end of the one that is heard.
    next: Mutex<Option<(TcpStream, SocketAddr)>>,
}

impl TcpDoor {
    pub(crate) fn new(addr: SocketAddr) -> Self {
        Self {
            addr,
            open: Mutex::default(),
        }
    }

    fn is_open(&self) -> Option<Arc<Door>> {
        self.open
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .upgrade()
    }

    async fn open(&self) -> Result<Arc<Door>, ConnectError> {
        if let Some(door) = self.is_open() {
            return Ok(door);
        }
        let listener = TcpListener::bind(self.addr).await;
        let listener = listener.map_err(|source| ConnectError::Listen {
            addr: self.addr,
            source,
        })?;
        let door = Arc::new(Door {
            listener,
            next: Mutex::default(),
        });
        *self.open.lock().unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(&door);
        Ok(door)
    }
}

#[async_trait]
impl Connect for TcpDoor {
    async fn connect(&self) -> Result<Connection, ConnectError> {
        let door = self.open().await?;
        let next = door.next().take();
        let (stream, peer) = match next {
            Some(next) => next,
            None => {
                let accepted = door.listener.accept().await;
                accepted.map_err(|error| ConnectError::Other(Box::new(error)))?
            }
        };
        keep_alive(&stream);
        let anchor = Arc::clone(&door);
        let pushed = Pushed {
            stream,
            door,
            last_read: Instant::now(),
            rival: None,
        };
        let mut connection = Connection::new(pushed, peer.to_string());
        connection.anchor = Some(Box::new(anchor));
        Ok(connection)
    }

    fn is_awaited(&self) -> bool {
        true
    }
}

impl Door {
    fn next(&self) -> std::sync::MutexGuard<'_, Option<(TcpStream, SocketAddr)>> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The one sender that is heard, and the door at which others may come.
struct Pushed {
    stream: TcpStream,
    door: Arc<Door>,
    last_read: Instant,
    /// When another one came, and the timer at whose end it is decided which of the two is heard.
    rival: Option<(Instant, Pin<Box<Sleep>>)>,
}

impl AsyncRead for Pushed {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if let Poll::Ready(read) = Pin::new(&mut this.stream).poll_read(cx, buf) {
            this.last_read = Instant::now();
            // If it has ended, the other one is next.
            return Poll::Ready(read);
        }
        // Out of descriptors, say: tried again when the sender sends.
        while let Poll::Ready(Ok(rival)) = this.door.listener.poll_accept(cx) {
            // The newest is the likeliest to live.
            *this.door.next() = Some(rival);
            let (now, silent_at) = (Instant::now(), this.last_read + SILENT_AFTER);
            // One that is heard may just have ended, which is not read yet: so the other waits, in any case.
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
            let mut next = this.door.next();
            if is_silent && let Some((_, by)) = &*next {
                let by = by.to_string();
                return Poll::Ready(Err(SourceEnd::Replaced { by }.into()));
            }
            // The one that is heard is alive: hang up on the other.
            *next = None;
        }
        Poll::Pending
    }
}

/// How long a sender must have been silent for another one to take its place.
const SILENT_AFTER: Duration = Duration::from_secs(2);
