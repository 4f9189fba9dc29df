//! Addresses where a connect gets nowhere.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use socket2::{Domain, Socket, Type};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Finds an address of 127.0.0.1 where nothing listens, so that a connect is refused.
///
/// The port stays reserved until the process ends, or else the kernel might give it to another socket, even to the one
/// that connects (which would then reach itself). A listener that sets SO_REUSEADDR, as those of std and tokio and
/// [`Camera::start_at`](crate::Camera::start_at) do, can take it over at any time.
///
/// # Panics
///
/// If no port of 127.0.0.1 can be had.
///
/// # Cancel safety
///
/// Safe: it never waits.
pub async fn refused_addr() -> SocketAddr {
    let (socket, addr) = bound().expect("some port of 127.0.0.1 is free");
    RESERVED
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(socket);
    addr
}

/// A listening socket whose queue is full and never served: a connect to it neither works nor fails, it waits until the
/// client gives up. Linux only, where a full queue drops new requests.
#[derive(Debug)]
pub struct FullBacklog {
    addr: SocketAddr,
    _listener: Socket,
    _queued: Vec<TcpStream>,
}

impl FullBacklog {
    /// Listens on a free port and fills the queue, which takes about a third of a second.
    ///
    /// # Panics
    ///
    /// If a socket cannot be had, or the queue does not get full.
    ///
    /// # Cancel safety
    ///
    /// Cancelled, all its sockets are closed.
    pub async fn start() -> Self {
        let (listener, addr) = bound().expect("some port of 127.0.0.1 is free");
        listener.listen(0).expect("a bound socket can listen");
        let mut queued = Vec::new();
        for _ in 0..MAX_QUEUED {
            // The kernel drops a request it has no room for, and the next try is a second away: a connect that is not
            // through in this time met a full queue.
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

    /// The address to connect to in vain.
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
