//! One connection of a camera, and the list of those that are open.

use std::future::pending;
use std::io;
use std::mem::MaybeUninit;
use std::net::Shutdown;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use socket2::SockRef;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::yield_now;
use tokio::time::sleep;

use crate::script::{Script, Step};

/// What a camera's tasks and its handle share.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    pub(crate) accepted: watch::Sender<usize>,
    pub(crate) most_open: AtomicUsize,
    pub(crate) bytes_sent: AtomicU64,
    live: Mutex<Vec<Live>>,
}

impl Shared {
    pub(crate) fn count_open(&self) -> usize {
        let mut live = self.live();
        live.retain(Live::is_open);
        live.len()
    }

    pub(crate) fn hang_up(&self) {
        for live in self.live().drain(..) {
            if let Some(stream) = live.stream.upgrade() {
                // Its task sees the end of the stream and goes. An error means that the client was faster.
                let _ = SockRef::from(&*stream).shutdown(Shutdown::Both);
            }
        }
    }

    fn live(&self) -> MutexGuard<'_, Vec<Live>> {
        lock(&self.live)
    }
}

/// A connection as the camera sees it from outside its task.
#[derive(Debug)]
struct Live {
    index: usize,
    stream: Weak<TcpStream>,
}

impl Live {
    fn is_open(&self) -> bool {
        self.stream
            .upgrade()
            .is_some_and(|stream| !drained_to_end(&stream))
    }
}

/// A connection as its task has it; leaves the list and closes the socket when dropped.
pub(crate) struct Connection {
    index: usize,
    stream: Arc<TcpStream>,
    shared: Arc<Shared>,
}

impl Connection {
    /// Counts a connection that was just accepted in, and those out that have ended before it.
    pub(crate) fn enter(index: usize, stream: TcpStream, shared: &Arc<Shared>) -> Self {
        let stream = Arc::new(stream);
        let mut live = shared.live();
        live.retain(Live::is_open);
        live.push(Live {
            index,
            stream: Arc::downgrade(&stream),
        });
        shared.most_open.fetch_max(live.len(), Ordering::SeqCst);
        Self {
            index,
            stream,
            shared: Arc::clone(shared),
        }
    }

    pub(crate) async fn serve(self, script: Script) {
        let end = tokio::select! {
            end = self.play(&script) => end,
            () = self.client_left() => End::Close,
        };
        if let End::Reset = end {
            // Best effort: it fails only on a socket that is gone already.
            let _ = SockRef::from(&*self.stream).set_linger(Some(Duration::ZERO));
        }
    }

    async fn play(&self, script: &Script) -> End {
        let mut next = 0;
        while let Some(step) = script.step(next) {
            next += 1;
            match step {
                Step::Send(bytes) => {
                    if self.send(bytes).await.is_err() {
                        return End::Close;
                    }
                }
                Step::Wait(duration) => sleep(*duration).await,
                Step::Stall => pending().await,
                Step::Close => return End::Close,
                Step::Reset => return End::Reset,
                Step::Goto(index) => {
                    next = *index;
                    // A loop without a pause must not keep the worker to itself.
                    yield_now().await;
                }
            }
        }
        End::Close
    }

    async fn send(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            self.stream.writable().await?;
            match self.stream.try_write(bytes) {
                Ok(taken) => {
                    bytes = &bytes[taken..];
                    self.shared
                        .bytes_sent
                        .fetch_add(taken as u64, Ordering::SeqCst);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn client_left(&self) {
        let mut waste = [0; 4096];
        while self.stream.readable().await.is_ok() {
            match self.stream.try_read(&mut waste) {
                Ok(0) => return,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return,
            }
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.shared.live().retain(|live| live.index != self.index);
        // Closing a socket with unread bytes would reset it.
        drained_to_end(&self.stream);
    }
}

enum End {
    Close,
    Reset,
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Throws away what has arrived and tells whether the peer has closed its side. Asks the kernel itself: what the reactor
/// knows of a socket may be older than the connection that was just accepted.
fn drained_to_end(stream: &TcpStream) -> bool {
    let socket = SockRef::from(stream);
    let mut waste = [MaybeUninit::uninit(); 4096];
    loop {
        match socket.recv(&mut waste) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return error.kind() != io::ErrorKind::WouldBlock,
        }
    }
}
