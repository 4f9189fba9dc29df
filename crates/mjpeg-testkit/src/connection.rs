//! One connection of a camera, and the list of those that are open.

use std::future::pending;
use std::io::{self, Read as _};
use std::net::Shutdown;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use socket2::SockRef;
use tokio::net::TcpStream;
use tokio::sync::{Notify, watch};
use tokio::task::yield_now;
use tokio::time::sleep;

use crate::http_camera::{Asked, Plan};
use crate::script::Step;
use crate::wire::find;

/// What a camera's tasks and its handle share.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    pub(crate) accepted: watch::Sender<usize>,
    pub(crate) most_open: AtomicUsize,
    pub(crate) bytes_sent: AtomicU64,
    pub(crate) asked: Mutex<Vec<Asked>>,
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
            if let Some(line) = live.line.upgrade() {
                // Its task sees the end of the stream and goes. An error means that the client was faster.
                let _ = SockRef::from(&line.stream).shutdown(Shutdown::Both);
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
    line: Weak<Line>,
}

/// A socket, and what has come through it.
#[derive(Debug)]
struct Line {
    stream: TcpStream,
    /// `None` throws it away.
    inbox: Option<Mutex<Vec<u8>>>,
    /// Told when somebody else than the connection's task has filled the inbox.
    filled: Notify,
}

impl Line {
    fn keep(&self, bytes: &[u8]) {
        if let Some(inbox) = &self.inbox {
            lock(inbox).extend_from_slice(bytes);
        }
    }

    /// Takes in what has arrived and tells whether the peer has closed its side. Asks the kernel itself: what the reactor
    /// knows of a socket may be older than the connection that was just accepted.
    fn drained_to_end(&self) -> bool {
        let socket = SockRef::from(&self.stream);
        let mut space = [0; 4096];
        loop {
            match (&mut &*socket).read(&mut space) {
                Ok(0) => return true,
                Ok(n) => {
                    self.keep(&space[..n]);
                    self.filled.notify_one();
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return error.kind() != io::ErrorKind::WouldBlock,
            }
        }
    }

    /// Waits for bytes and takes them in. False when the client has left.
    async fn listen(&self) -> bool {
        let mut space = [0; 4096];
        loop {
            tokio::select! {
                () = self.filled.notified(), if self.inbox.is_some() => return true,
                readable = self.stream.readable() => if readable.is_err() {
                    return false;
                },
            }
            match self.stream.try_read(&mut space) {
                Ok(0) => return false,
                Ok(n) => {
                    self.keep(&space[..n]);
                    return true;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return false,
            }
        }
    }
}

impl Live {
    fn is_open(&self) -> bool {
        self.line
            .upgrade()
            .is_some_and(|line| !line.drained_to_end())
    }
}

/// A connection as its task has it; leaves the list and closes the socket when dropped.
pub(crate) struct Connection {
    index: usize,
    line: Arc<Line>,
    shared: Arc<Shared>,
}

impl Connection {
    /// Counts a connection that was just accepted in, and those out that have ended before it.
    pub(crate) fn enter(
        index: usize,
        stream: TcpStream,
        plan: &Plan,
        shared: &Arc<Shared>,
    ) -> Self {
        let line = Arc::new(Line {
            stream,
            inbox: matches!(plan, Plan::Answer(_)).then(Mutex::default),
            filled: Notify::new(),
        });
        let mut live = shared.live();
        live.retain(Live::is_open);
        live.push(Live {
            index,
            line: Arc::downgrade(&line),
        });
        shared.most_open.fetch_max(live.len(), Ordering::SeqCst);
        Self {
            index,
            line,
            shared: Arc::clone(shared),
        }
    }

    pub(crate) async fn serve(self, plan: Plan) {
        let end = match &plan {
            Plan::Play(script) => self.played(|next| script.step(next)).await,
            Plan::Answer(answers) => self.answered(&**answers).await,
        };
        if let End::Reset = end {
            // Best effort: it fails only on a socket that is gone already.
            let _ = SockRef::from(&self.line.stream).set_linger(Some(Duration::ZERO));
        }
    }

    async fn answered(&self, answers: &(dyn Fn(&Asked) -> Vec<Step> + Send + Sync)) -> End {
        while let Some(head) = self.request().await {
            let asked = Asked::new(self.index, head);
            lock(&self.shared.asked).push(asked.clone());
            let steps = answers(&asked);
            match self.played(|next| steps.get(next)).await {
                End::OfSteps => {}
                end => return end,
            }
        }
        End::Close
    }

    /// The head of the next request, `None` when the client has left.
    async fn request(&self) -> Option<String> {
        loop {
            if let Some(inbox) = &self.line.inbox {
                let mut inbox = lock(inbox);
                if let Some(end) = find(&inbox, b"\r\n\r\n") {
                    let head = inbox.drain(..end + 4).collect::<Vec<_>>();
                    return Some(String::from_utf8_lossy(&head).into_owned());
                }
            }
            if !self.line.listen().await {
                return None;
            }
        }
    }

    /// Plays the steps until they end or the client leaves.
    async fn played<'s>(&self, step: impl Fn(usize) -> Option<&'s Step>) -> End {
        tokio::select! {
            end = self.play(step) => end,
            () = self.client_left() => End::Close,
        }
    }

    async fn play<'s>(&self, step: impl Fn(usize) -> Option<&'s Step>) -> End {
        let mut next = 0;
        while let Some(step) = step(next) {
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
        End::OfSteps
    }

    async fn send(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            self.line.stream.writable().await?;
            match self.line.stream.try_write(bytes) {
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
        while self.line.listen().await {}
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.shared.live().retain(|live| live.index != self.index);
        // Closing a socket with unread bytes would reset it.
        self.line.drained_to_end();
    }
}

enum End {
    OfSteps,
    Close,
    Reset,
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
