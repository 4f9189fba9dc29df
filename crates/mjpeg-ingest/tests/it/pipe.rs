//! A scripted source over in-memory IO, for tests that drive the clock.

use std::{
    collections::VecDeque,
    future::pending,
    io,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use async_trait::async_trait;
use mjpeg_ingest::{Connect, ConnectError, Connection, Source};
use tokio::{
    io::{AsyncRead, DuplexStream, ReadBuf, duplex},
    time::sleep,
};

/// What the next connection attempt does.
pub(crate) enum Attempt {
    Fail,
    Hang,
    Finish,
    /// Does the same after a delay.
    Later(Duration, Box<Attempt>),
    /// Connects; the test holds the other end.
    Open(DuplexStream),
}

impl Attempt {
    /// Returns a connection, and the camera's end of it.
    pub(crate) fn open() -> (Self, DuplexStream) {
        let (ours, theirs) = duplex(1 << 20);
        (Self::Open(ours), theirs)
    }
}

/// Attempts in order; after the last, attempts hang. Counts open connections.
#[derive(Default)]
pub(crate) struct Pipes {
    attempts: Mutex<VecDeque<Attempt>>,
    open: AtomicUsize,
    most_open: AtomicUsize,
}

impl Pipes {
    pub(crate) fn source(attempts: impl IntoIterator<Item = Attempt>) -> (Source, Arc<Self>) {
        let pipes = Arc::new(Self {
            attempts: Mutex::new(attempts.into_iter().collect()),
            ..Self::default()
        });
        (Source::custom("pipe:", Dial(Arc::clone(&pipes))), pipes)
    }

    pub(crate) fn open(&self) -> usize {
        self.open.load(Ordering::SeqCst)
    }

    pub(crate) fn most_open(&self) -> usize {
        self.most_open.load(Ordering::SeqCst)
    }
}

struct Dial(Arc<Pipes>);

#[async_trait]
impl Connect for Dial {
    async fn connect(&self) -> Result<Connection, ConnectError> {
        let mut attempt = self.0.attempts.lock().unwrap().pop_front();
        if let Some(Attempt::Later(delay, then)) = attempt {
            sleep(delay).await;
            attempt = Some(*then);
        }
        match attempt {
            Some(Attempt::Open(stream)) => {
                Ok(Connection::bytes(Counted::new(stream, &self.0), "pipe"))
            }
            Some(Attempt::Fail) => Err(ConnectError::Other("scripted failure".into())),
            Some(Attempt::Finish) => Err(ConnectError::Finished),
            Some(Attempt::Hang | Attempt::Later(..)) | None => pending().await,
        }
    }
}

struct Counted(DuplexStream, Arc<Pipes>);

impl Counted {
    fn new(stream: DuplexStream, pipes: &Arc<Pipes>) -> Self {
        let open = pipes.open.fetch_add(1, Ordering::SeqCst) + 1;
        pipes.most_open.fetch_max(open, Ordering::SeqCst);
        Self(stream, Arc::clone(pipes))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.1.open.fetch_sub(1, Ordering::SeqCst);
    }
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

/// A source that always sends, but never a frame.
pub(crate) struct Noise;

#[async_trait]
impl Connect for Noise {
    async fn connect(&self) -> Result<Connection, ConnectError> {
        Ok(Connection::bytes(tokio::io::repeat(b'x'), "noise"))
    }
}
