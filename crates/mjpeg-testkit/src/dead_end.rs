//! Addresses to which a connect fails or hangs.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use socket2::{Domain, Socket, Type};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Finds an address of 127.0.0.1 where nothing listens, so that a connect is refused.
///
/// The port stays reserved until the process ends. Otherwise the kernel might give it to another
/// socket, even to the one that connects, which would then reach itself. A listener that sets
/// SO_REUSEADDR, as those of std and tokio and [`Camera::start_at`](crate::Camera::start_at) do,
/// can still bind it.
///
/// # Panics
///
/// If no port of 127.0.0.1 is free.
///
/// # Cancel safety
///
/// Cancel safe: it never waits.
pub async fn refused_addr() -> SocketAddr {
    let (socket, addr) = bound().expect("some port of 127.0.0.1 is free");
    RESERVED
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(socket);
    addr
}

/// A listening socket whose queue is full and never served. A connect to it neither succeeds nor
/// fails, but waits until the client gives up. Works on Linux only, where a full queue drops new
/// requests.
#[derive(Debug)]
pub struct FullBacklog {
    addr: SocketAddr,
    _listener: Socket,
    _queued: Vec<TcpStream>,
}

impl FullBacklog {
    /// Listens on a free port and fills the queue. Takes about 0.3 s.
    ///
    /// # Panics
    ///
    /// If no socket can be opened, or the queue does not become full.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, all sockets are closed.
    pub async fn start() -> Self {
        let (listener, addr) = bound().expect("some port of 127.0.0.1 is free");
        listener.listen(0).expect("a bound socket can listen");
        let mut queued = Vec::new();
        for _ in 0..MAX_QUEUED {
            // The kernel drops a request when the queue is full, and the client retries after a
            // second. A connect that takes longer than this has met a full queue.
            match timeout(ROOM_LIMIT, TcpStream::connect(addr)).await {
                Ok(connected) => {
                    queued.push(connected.expect("a listening socket takes connections"));
                }
                Err(_) => {
                    return Self {
                        addr,
                        _listener: listener,
                        _queued: queued,
                    };
                }
            }
        }
        panic!("a queue of length 0 took {MAX_QUEUED} connections");
    }

    /// The address to connect to.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }
}

fn bound() -> io::Result<(Socket, SocketAddr)> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
    let addr = socket
        .local_addr()?
        .as_socket()
        .ok_or_else(|| io::Error::other("the socket is not an IP socket"))?;
    Ok((socket, addr))
}

static RESERVED: Mutex<Vec<Socket>> = Mutex::new(Vec::new());

const ROOM_LIMIT: Duration = Duration::from_millis(300);
const MAX_QUEUED: usize = 64;
