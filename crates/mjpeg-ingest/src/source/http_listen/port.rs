//! A bound address that several sources share.

use std::{
    collections::BTreeMap,
    future::poll_fn,
    io::{self, Write},
    net::SocketAddr,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    task::{Context, Poll, ready},
    time::Duration,
};

use futures_util::{
    FutureExt, StreamExt,
    future::{AbortHandle, AbortRegistration, Abortable},
    stream::FuturesUnordered,
};
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    task::JoinHandle,
    time::{Instant, sleep},
};

use super::{
    connection::{FULL, PushConnection},
    guests::{GuestPlace, Guests},
    paths::{PathEntry, PushPaths},
    stats::{COUNTERS, count},
};
use crate::{error::ConnectError, source::tcp::keep_alive};

/// An address at which pictures are taken, alive while any source has a path of it.
#[derive(Debug)]
struct PushPort {
    listener: TcpListener,
    paths: Arc<PushPaths>,
    /// Accepts connections and reads the heads of requests. It does not keep the port alive.
    task: Mutex<Option<JoinHandle<()>>>,
}

/// A path that a source has, until it is dropped.
#[derive(Debug)]
pub(super) struct Listened {
    port: Arc<PushPort>,
    path: String,
}

/// Takes a path of an address, which is bound if no other source has bound it.
///
/// # Errors
///
/// If the address cannot be listened at, or another source has the path.
pub(super) fn listen(
    addr: SocketAddr,
    path: &str,
    entry: PathEntry,
) -> Result<Listened, ConnectError> {
    let port = PushPort::at(addr)?;
    if !port.paths.add(path, entry) {
        let source = io::Error::new(io::ErrorKind::AddrInUse, PATH_TAKEN);
        return Err(ConnectError::Listen { addr, source });
    }
    let path = path.to_owned();
    Ok(Listened { port, path })
}

impl Drop for Listened {
    fn drop(&mut self) {
        self.port.paths.remove(&self.path);
    }
}

impl PushPort {
    /// Returns the port at this address.
    fn at(addr: SocketAddr) -> Result<Arc<Self>, ConnectError> {
        let mut ports = ports();
        ports.retain(|_, port| port.strong_count() > 0);
        if let Some(port) = ports.get(&addr).and_then(Weak::upgrade)
            && port.is_served()
        {
            return Ok(port);
        }
        let listener = bind(addr).map_err(|source| ConnectError::Listen { addr, source })?;
        let port = Arc::new(Self {
            listener,
            paths: Arc::default(),
            task: Mutex::default(),
        });
        let task = tokio::spawn(serve(Arc::downgrade(&port), Arc::clone(&port.paths)));
        *port.task() = Some(task);
        ports.insert(addr, Arc::downgrade(&port));
        Ok(port)
    }

    /// Whether connections are accepted: the runtime that has done so may be gone.
    fn is_served(&self) -> bool {
        self.task().as_ref().is_some_and(|task| !task.is_finished())
    }

    fn task(&self) -> MutexGuard<'_, Option<JoinHandle<()>>> {
        self.task.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for PushPort {
    fn drop(&mut self) {
        if let Some(task) = self.task().take() {
            task.abort();
        }
    }
}

/// The ports of this process.
fn ports() -> MutexGuard<'static, BTreeMap<SocketAddr, Weak<PushPort>>> {
    static PORTS: Mutex<BTreeMap<SocketAddr, Weak<PushPort>>> = Mutex::new(BTreeMap::new());
    PORTS.lock().unwrap_or_else(PoisonError::into_inner)
}

fn bind(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = match addr {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // On Windows, it would let others bind the same port.
    #[cfg(not(windows))]
    socket.set_reuseaddr(true)?;
    socket.bind(addr)?;
    socket.listen(BACKLOG)
}

/// Serves a port until it is dropped.
async fn serve(port: Weak<PushPort>, paths: Arc<PushPaths>) {
    let guests = Arc::<Guests>::default();
    let mut connections = FuturesUnordered::new();
    loop {
        let accepted = tokio::select! {
            accepted = poll_fn(|cx| poll_accept(&port, cx)) => accepted,
            Some(_) = connections.next() => continue,
        };
        match accepted {
            None => return,
            Some(Ok((stream, peer))) => {
                let (abort, registration) = AbortHandle::new_pair();
                match guests.admit(peer.ip(), abort, Instant::now()) {
                    Some(place) => {
                        let paths = Arc::clone(&paths);
                        connections.push(connection((stream, peer), paths, place, registration));
                    }
                    None => refuse(stream),
                }
            }
            // No descriptor is left, most likely. Connections end meanwhile.
            Some(Err(_)) => {
                tokio::select! {
                    () = sleep(ACCEPT_PAUSE) => {}
                    Some(_) = connections.next() => {}
                }
            }
        }
    }
}

/// Accepts a connection; `None` if the port is gone.
fn poll_accept(
    port: &Weak<PushPort>,
    cx: &mut Context<'_>,
) -> Poll<Option<io::Result<(TcpStream, SocketAddr)>>> {
    match port.upgrade() {
        Some(port) => {
            let accepted = ready!(port.listener.poll_accept(cx));
            Poll::Ready(Some(accepted))
        }
        None => Poll::Ready(None),
    }
}

/// Serves a connection until it ends. A panic in it costs that connection.
async fn connection(
    (stream, peer): (TcpStream, SocketAddr),
    paths: Arc<PushPaths>,
    place: GuestPlace,
    registration: AbortRegistration,
) {
    keep_alive(&stream);
    // Answers are short, and wait for nothing.
    let _ = stream.set_nodelay(true);
    let connection = PushConnection::new(Box::new(stream), peer.ip(), paths, Some(place));
    let served = AssertUnwindSafe(connection.serve()).catch_unwind();
    // An error is that it was displaced, or has panicked.
    let _ = Abortable::new(served, registration).await;
}

/// Says that there are too many connections. There is room for that in the socket's buffer.
fn refuse(stream: TcpStream) {
    count(&COUNTERS.connections_refused);
    if let Ok(mut stream) = stream.into_std() {
        // If this cannot be written, the sender only sees that the connection is closed.
        let _ = stream.write(FULL.as_bytes());
    }
}

/// Why a path cannot be had.
const PATH_TAKEN: &str = "another stream of this process has the same path there; give each a path \
                          of its own";

/// How many connections the system keeps until they are accepted.
const BACKLOG: u32 = 1024;

/// How long nothing is accepted after a failure.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
