//! Sockets, epoll and limits for programs with many connections.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    os::fd::{AsFd, OwnedFd},
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use rustix::{
    buffer::spare_capacity,
    event::epoll,
    process::{Resource, Rlimit, getrlimit, setrlimit},
};
use socket2::{Domain, Protocol, Socket, Type};

use crate::fanout::clock::timespec;

/// An epoll instance. Each event carries a number that the caller chose.
pub(crate) struct Epoll {
    fd: OwnedFd,
    events: Vec<epoll::Event>,
}

impl Epoll {
    pub(crate) fn new() -> Result<Self> {
        let fd = epoll::create(epoll::CreateFlags::CLOEXEC).context("epoll_create")?;
        let events = Vec::with_capacity(EVENTS_AT_ONCE);
        Ok(Self { fd, events })
    }

    pub(crate) fn add(&self, source: impl AsFd, token: u64, what: epoll::EventFlags) -> Result<()> {
        let data = epoll::EventData::new_u64(token);
        epoll::add(&self.fd, source, data, what).context("epoll_ctl")
    }

    pub(crate) fn remove(&self, source: impl AsFd) -> Result<()> {
        epoll::delete(&self.fd, source).context("epoll_ctl")
    }

    /// Waits for events, indefinitely without a limit, and appends them to `ready`.
    pub(crate) fn wait(
        &mut self,
        limit_ns: Option<u64>,
        ready: &mut Vec<(u64, epoll::EventFlags)>,
    ) -> Result<()> {
        self.events.clear();
        let limit = limit_ns.map(timespec);
        match epoll::wait(&self.fd, spare_capacity(&mut self.events), limit.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error).context("epoll_wait"),
        }
        ready.extend(self.events.iter().map(|e| (e.data.u64(), e.flags)));
        Ok(())
    }
}

/// Any free port of 127.0.0.1.
pub(crate) const LOOPBACK: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// Listens with the same options as the relay.
pub(crate) fn listen(at: SocketAddr) -> Result<(TcpListener, SocketAddr)> {
    let socket = Socket::new(Domain::for_address(at), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.bind(&at.into())?;
    socket.listen(BACKLOG)?;
    let listener = TcpListener::from(socket);
    let addr = listener.local_addr()?;
    Ok((listener, addr))
}

/// Connects. Closing the connection resets it, so that no TIME_WAIT blocks the port for the next
/// run.
pub(crate) fn connect(to: SocketAddr) -> Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&to, CONNECT_LIMIT)
        .with_context(|| format!("connecting to {to}"))?;
    socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO))?;
    Ok(stream)
}

/// Raises the limit of open files to its maximum, which must suffice for this many connections.
pub(crate) fn raise_descriptor_limit(connections: usize) -> Result<()> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let needed = (connections + OTHER_DESCRIPTORS) as u64;
    ensure!(
        maximum.is_none_or(|most| most >= needed),
        "{needed} open files are needed, but at most {} are allowed; see `ulimit -H -n`",
        maximum.unwrap_or_default()
    );
    let most = Rlimit {
        current: maximum,
        maximum,
    };
    setrlimit(Resource::Nofile, most).context("raising the limit of open files")
}

const OTHER_DESCRIPTORS: usize = 16;
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
const EVENTS_AT_ONCE: usize = 1024;
const BACKLOG: i32 = 1024;
