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

use crate::http::find;
use crate::plan::{Plan, ReceivedRequest};
use crate::script::Step;

/// The state that a camera's tasks share with its handle.
#[derive(Debug, Default)]
pub(crate) struct CameraState {
    pub(crate) accepted: watch::Sender<usize>,
    pub(crate) most_open: AtomicUsize,
    pub(crate) bytes_sent: AtomicU64,
    pub(crate) requests: Mutex<Vec<ReceivedRequest>>,
    open: Mutex<Vec<OpenConnection>>,
}

impl CameraState {
    pub(crate) fn count_open(&self) -> usize {
        let mut open = self.open();
        open.retain(OpenConnection::is_open);
        open.len()
    }

    pub(crate) fn hang_up(&self) {
        for connection in self.open().drain(..) {
            if let Some(socket) = connection.socket.upgrade() {
                // The task of the connection sees the end of the stream and ends. An error means
                // that the client has closed it first.
                let _ = SockRef::from(&socket.stream).shutdown(Shutdown::Both);
            }
        }
    }

    fn open(&self) -> MutexGuard<'_, Vec<OpenConnection>> {
        lock(&self.open)
    }
}

/// A connection in the camera's list.
#[derive(Debug)]
struct OpenConnection {
    index: usize,
    socket: Weak<CameraSocket>,
}

/// A socket and the bytes received through it.
#[derive(Debug)]
struct CameraSocket {
    stream: TcpStream,
    /// `None` if received bytes are discarded.
    inbox: Option<Mutex<Vec<u8>>>,
    /// Notified when another task than the connection's has filled the inbox.
    filled: Notify,
}

impl CameraSocket {
    fn keep(&self, bytes: &[u8]) {
        if let Some(inbox) = &self.inbox {
            lock(inbox).extend_from_slice(bytes);
        }
    }

    /// Reads what has arrived, and returns whether the peer has closed its side. Asks the kernel
    /// itself, because the reactor's knowledge of the socket may be older than a connection that
    /// was just accepted.
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

    /// Waits for bytes and reads them. Returns false when the client has left.
    async fn receive(&self) -> bool {
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

impl OpenConnection {
    fn is_open(&self) -> bool {
        self.socket
            .upgrade()
            .is_some_and(|socket| !socket.drained_to_end())
    }
}

/// A connection, owned by its task. Dropping it removes it from the list and closes the socket.
pub(crate) struct CameraConnection {
    index: usize,
    socket: Arc<CameraSocket>,
    state: Arc<CameraState>,
}

impl CameraConnection {
    /// Adds a connection that was just accepted to the list, and removes those that ended before.
    pub(crate) fn open(
        index: usize,
        stream: TcpStream,
        plan: &Plan,
        state: &Arc<CameraState>,
    ) -> Self {
        let socket = Arc::new(CameraSocket {
            stream,
            inbox: matches!(plan, Plan::Answer(_)).then(Mutex::default),
            filled: Notify::new(),
        });
        let mut open = state.open();
        open.retain(OpenConnection::is_open);
        open.push(OpenConnection {
            index,
            socket: Arc::downgrade(&socket),
        });
        state.most_open.fetch_max(open.len(), Ordering::SeqCst);
        Self {
            index,
            socket,
            state: Arc::clone(state),
        }
    }

    pub(crate) async fn serve(self, plan: Plan) {
        let end = match &plan {
            Plan::Play(script) => self.play(|next| script.step(next)).await,
            Plan::Answer(answers) => self.answer(&**answers).await,
        };
        if let ScriptEnd::Reset = end {
            // Fails only if the socket is closed already.
            let _ = SockRef::from(&self.socket.stream).set_linger(Some(Duration::ZERO));
        }
    }

    async fn answer(
        &self,
        answers: &(dyn Fn(&ReceivedRequest) -> Vec<Step> + Send + Sync),
    ) -> ScriptEnd {
        while let Some(head) = self.next_request().await {
            let request = ReceivedRequest::new(self.index, head);
            lock(&self.state.requests).push(request.clone());
            let steps = answers(&request);
            match self.play(|next| steps.get(next)).await {
                ScriptEnd::OfSteps => {}
                end => return end,
            }
        }
        ScriptEnd::Close
    }

    /// Receives the head of the next request. Returns `None` when the client has left.
    async fn next_request(&self) -> Option<String> {
        loop {
            if let Some(inbox) = &self.socket.inbox {
                let mut inbox = lock(inbox);
                if let Some(end) = find(&inbox, b"\r\n\r\n") {
                    let head = inbox.drain(..end + 4).collect::<Vec<_>>();
                    return Some(String::from_utf8_lossy(&head).into_owned());
                }
            }
            if !self.socket.receive().await {
                return None;
            }
        }
    }

    /// Plays the steps until the last one, or until the client leaves.
    async fn play<'s>(&self, step: impl Fn(usize) -> Option<&'s Step>) -> ScriptEnd {
        tokio::select! {
            end = self.play_steps(step) => end,
            () = self.client_left() => ScriptEnd::Close,
        }
    }

    async fn play_steps<'s>(&self, step: impl Fn(usize) -> Option<&'s Step>) -> ScriptEnd {
        let mut next = 0;
        while let Some(step) = step(next) {
            next += 1;
            match step {
                Step::Send(bytes) => {
                    if self.send(bytes).await.is_err() {
                        return ScriptEnd::Close;
                    }
                }
                Step::Wait(duration) => sleep(*duration).await,
                Step::Stall => pending().await,
                Step::Close => return ScriptEnd::Close,
                Step::Reset => return ScriptEnd::Reset,
                Step::Goto(index) => {
                    next = *index;
                    // A loop without a wait must not keep other tasks from running.
                    yield_now().await;
                }
            }
        }
        ScriptEnd::OfSteps
    }

    async fn send(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            self.socket.stream.writable().await?;
            match self.socket.stream.try_write(bytes) {
                Ok(taken) => {
                    bytes = &bytes[taken..];
                    self.state
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
        while self.socket.receive().await {}
    }
}

impl Drop for CameraConnection {
    fn drop(&mut self) {
        self.state
            .open()
            .retain(|connection| connection.index != self.index);
        // Closing a socket with unread bytes would reset the connection.
        self.socket.drained_to_end();
    }
}

enum ScriptEnd {
    OfSteps,
    Close,
    Reset,
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
