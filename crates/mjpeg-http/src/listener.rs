//! A small HTTP server for one stream.

use std::{
    future::Future,
    io,
    net::{Ipv4Addr, SocketAddr},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use http::Request;
use hyper::{server::conn::http1, service::Service};
use hyper_util::rt::{TokioIo, TokioTimer};
use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::{sleep, timeout},
};
use tracing::{debug, warn};

use crate::{BindError, HttpConfig, StreamService, stall::StallGuard, stats::Counters};

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
        let mut until = pin!(until);
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                biased;
                () = &mut until => break,
                Some(_ended) = connections.join_next() => {}
                accepted = listener.accept() => match accepted {
                    Ok((stream, peer)) => {
                        service.counters().accepted.add_one();
                        debug!(%addr, %peer, "connection");
                        connections.spawn(connection(stream, service.clone(), config.clone()));
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
            while connections.join_next().await.is_some() {}
        })
        .await;
        let aborted = connections.len();
        if drained.is_err() {
            warn!(%addr, aborted, "connections did not end in time and were cut");
            connections.shutdown().await;
        }
        Ended { aborted }
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

async fn connection(stream: TcpStream, service: StreamService, config: HttpConfig) {
    let counters = Arc::clone(service.counters());
    let _open = Open::new(&counters);
    // A part goes out in one write; waiting to fill a segment would only delay its end. Failure costs some delay.
    let _ = stream.set_nodelay(true);
    // A viewer that vanished while there is nothing to send it is found by nothing else. Failure costs only that.
    let _ =
        SockRef::from(&stream).set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEPALIVE_IDLE));
    bound_unsent(&stream);
    let mut closing = service.closing();
    let asked = Arc::new(AtomicBool::new(false));
    let io = TokioIo::new(StallGuard::new(
        stream,
        config.write_stall,
        Arc::clone(&counters),
    ));
    let noting = Noting {
        service,
        asked: Arc::clone(&asked),
    };
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(config.header_timeout)
            .max_buf_size(config.max_header_bytes)
            .serve_connection(io, noting)
    );
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = closing.wanted() => {
            if !asked.load(Ordering::Relaxed) {
                // Browsers open connections ahead of need; there is no response to finish on this one.
                return;
            }
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        if error.is_timeout() {
            counters.header_timeouts.add_one();
        } else if error.is_parse() {
            counters.bad_requests.add_one();
        }
        debug!(%error, "connection ended");
    }
}

/// Keeps the kernel from taking megabytes that the viewer is not ready for.
///
/// Without it, a slow viewer's pictures are as old as that queue is long; and since the socket counts as writable again only when a third
/// of the queue has drained, a viewer that does take bytes, but few, would look like one that takes none.
fn bound_unsent(stream: &TcpStream) {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    // Failure costs lag, not the viewer.
    let _ = SockRef::from(stream).set_tcp_notsent_lowat(NOTSENT_LOWAT_BYTES);
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    let _ = stream;
}

/// Remembers whether a request has come.
struct Noting {
    service: StreamService,
    asked: Arc<AtomicBool>,
}

impl<B> Service<Request<B>> for Noting {
    type Response = <StreamService as Service<Request<B>>>::Response;
    type Error = <StreamService as Service<Request<B>>>::Error;
    type Future = <StreamService as Service<Request<B>>>::Future;

    fn call(&self, request: Request<B>) -> Self::Future {
        self.asked.store(true, Ordering::Relaxed);
        Service::call(&self.service, request)
    }
}

/// Counts a connection for as long as it lives, however its task ends.
struct Open<'a>(&'a Counters);

impl<'a> Open<'a> {
    fn new(counters: &'a Counters) -> Self {
        counters.connections.up();
        Self(counters)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.connections.down();
    }
}

/// Connections that may wait to be accepted; the system caps it (Linux: `net.core.somaxconn`, 4096 by default).
const BACKLOG: i32 = 1024;

/// How long to wait after a failed accept.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

/// How many bytes may wait unsent in the kernel before the socket stops taking more.
#[cfg(any(target_os = "linux", target_os = "android"))]
const NOTSENT_LOWAT_BYTES: u32 = 16 << 10;

/// How long a viewer's connection may be silent before the first TCP keepalive probe.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(30);
