//! A small HTTP server for one stream.

use std::{
    future::Future,
    io,
    net::{Ipv4Addr, SocketAddr},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::{
    net::TcpListener,
    runtime::Handle,
    sync::mpsc,
    task::JoinSet,
    time::{sleep, timeout},
};
use tracing::{debug, warn};

use crate::{
    BindError, HttpConfig, StreamService, connection,
    shard::{self, Newcomer},
};

/// A bound port, ready to serve a stream.
#[derive(Debug)]
pub struct Listener {
    listener: TcpListener,
    addr: SocketAddr,
    config: HttpConfig,
}

/// How [`Listener::serve`] ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ended {
    /// Connections that had not ended within the [grace](HttpConfig::grace) and were cut.
    pub aborted: usize,
}

impl Listener {
    /// Binds a port and begins to listen; connections wait until [`serve`](Self::serve).
    ///
    /// Port 0 takes a free port. `[::]` takes IPv4 connections too, and falls back to `0.0.0.0` where the machine has no IPv6.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    ///
    /// # Errors
    ///
    /// [`BindError::InUse`] exactly when another socket has the port, of whatever process; [`BindError::Failed`] otherwise.
    pub fn bind(addr: SocketAddr, config: HttpConfig) -> Result<Self, BindError> {
        let bound = match listen(addr) {
            Err(error) if is_any_v6(addr) && error.kind() != io::ErrorKind::AddrInUse => {
                // Most likely this machine has no IPv6. Should it be something else, this fails as well and says so.
                listen((Ipv4Addr::UNSPECIFIED, addr.port()).into())
            }
            bound => bound,
        };
        let (listener, addr) = bound.map_err(|source| match source.kind() {
            io::ErrorKind::AddrInUse => BindError::InUse { addr },
            _ => BindError::Failed { addr, source },
        })?;
        Ok(Self {
            listener,
            addr,
            config,
        })
    }

    /// Where it listens: the address asked for, with the real port.
    pub fn local_addr(&self) -> SocketAddr {
        self.addr
    }

    /// Serves viewers until `until` completes, then ends: the port is closed at once, each response ends after the part it is at, and what has not
    /// ended within the [grace](HttpConfig::grace) is cut.
    ///
    /// It ends the service with it ([`StreamService::close`]), all clones included: give each listener a service of its own.
    ///
    /// When this returns, the port is free and all connections and their tasks have ended.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the port and cuts all connections.
    pub async fn serve(self, service: StreamService, until: impl Future<Output = ()>) -> Ended {
        let Self {
            listener,
            addr,
            config,
        } = self;
        let config = Arc::new(config);
        let mut until = pin!(until);
        let mut connections = JoinSet::new();
        let mut shards = Shards::new(&service);
        loop {
            tokio::select! {
                biased;
                () = &mut until => break,
                Some(ended) = connections.join_next() => {
                    if let Ok(Some(newcomer)) = ended {
                        shards.welcome(newcomer);
                    }
                }
                accepted = listener.accept() => match accepted {
                    Ok((stream, peer)) => {
                        service.counters().accepted.add_one();
                        debug!(%addr, %peer, "connection");
                        let config = Arc::clone(&config);
                        connections.spawn(connection::serve(stream, peer, service.clone(), config));
                    }
                    Err(error) => {
                        service.counters().accept_errors.add_one();
                        warn!(%addr, %error, "cannot accept a connection; trying again");
                        // Out of file descriptors, most likely: the backlog stays full, so do not spin.
                        sleep(ACCEPT_RETRY).await;
                    }
                },
            }
        }
        drop(listener);
        service.close();
        let drained = timeout(config.grace, async {
            while let Some(ended) = connections.join_next().await {
                if let Ok(Some(newcomer)) = ended {
                    newcomer.viewer.wire.end();
                }
            }
            shards.ended().await;
        })
        .await;
        let aborted = service.counters().connections.now() as usize;
        if drained.is_err() {
            warn!(%addr, aborted, "connections did not end in time and were cut");
            connections.shutdown().await;
            shards.cut().await;
        }
        Ended { aborted }
    }
}

/// The tasks that serve viewers: one for each worker thread of the runtime.
struct Shards<'a> {
    service: &'a StreamService,
    tasks: JoinSet<()>,
    ways_in: Vec<mpsc::UnboundedSender<Newcomer>>,
    next: usize,
}

impl<'a> Shards<'a> {
    fn new(service: &'a StreamService) -> Self {
        let mut shards = Self {
            service,
            tasks: JoinSet::new(),
            ways_in: Vec::new(),
            next: 0,
        };
        for _ in 0..Handle::current().metrics().num_workers() {
            let way_in = shards.start();
            shards.ways_in.push(way_in);
        }
        shards
    }

    fn start(&mut self) -> mpsc::UnboundedSender<Newcomer> {
        let (way_in, coming) = mpsc::unbounded_channel();
        let consumer = self.service.consumer().clone();
        self.tasks
            .spawn(shard::serve(consumer, coming, self.service.closing()));
        way_in
    }

    /// Gives a viewer to the next shard in turn.
    fn welcome(&mut self, newcomer: Newcomer) {
        self.next = (self.next + 1) % self.ways_in.len();
        let refused = self.ways_in[self.next].send(newcomer);
        if let Err(mpsc::error::SendError(newcomer)) = refused {
            // A task that is gone has panicked; its viewers are lost, but not those that come.
            warn!("a task that serves viewers has failed; starting another");
            self.ways_in[self.next] = self.start();
            let _ = self.ways_in[self.next].send(newcomer);
        }
    }

    /// Waits until all have ended, after the service was closed.
    async fn ended(&mut self) {
        while self.tasks.join_next().await.is_some() {}
    }

    async fn cut(&mut self) {
        self.tasks.shutdown().await;
    }
}

fn listen(addr: SocketAddr) -> io::Result<(TcpListener, SocketAddr)> {
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP))?;
    if is_any_v6(addr) {
        socket.set_only_v6(false)?;
    }
    // Connections of an earlier run linger in TIME_WAIT and must not keep the port from us. On Unix this still refuses a port on
    // which somebody listens; on Windows it would not, and is not needed.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&addr.into())?;
    socket.listen(BACKLOG)?;
    let listener = TcpListener::from_std(socket.into())?;
    let addr = listener.local_addr()?;
    Ok((listener, addr))
}

fn is_any_v6(addr: SocketAddr) -> bool {
    addr.is_ipv6() && addr.ip().is_unspecified()
}

/// Connections that may wait to be accepted; the system caps it (Linux: `net.core.somaxconn`, 4096 by default).
const BACKLOG: i32 = 1024;

/// How long to wait after a failed accept.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);
