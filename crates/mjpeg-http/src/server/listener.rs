//! An HTTP server for streams.

#[cfg(unix)]
use std::path::Path;
use std::{convert::Infallible, fmt, future::Future, net::SocketAddr, pin::pin, sync::Arc};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use tokio::{task::JoinSet, time::timeout};
use tower_service::Service;
use tracing::{debug, warn};

use crate::{
    address::ListenAddress,
    closing::Closer,
    config::listener::ListenerConfig,
    error::BindError,
    server::{
        accept::{Accept, TcpAccept, Wrap},
        accept_outage::AcceptOutage,
        connection,
        context::Context,
        fallback::{BoxError, Fallback, Tower},
        handle::{ListenerHandle, ListenerShared},
        handshakes::Handshakes,
        streams::Streams,
    },
    service::Drained,
};

/// A bound port or socket, ready to serve streams.
///
/// It accepts connections, reads requests and routes them. Viewers belong to their
/// [`StreamService`](crate::StreamService).
pub struct Listener {
    accept: Box<dyn Accept>,
    fallback: Option<Fallback>,
    wrap: Option<Arc<dyn Wrap>>,
    shared: Arc<ListenerShared>,
}

impl Listener {
    /// Binds a TCP port and begins to listen; connections wait until [`serve`](Self::serve).
    ///
    /// Port 0 takes a free port. `[::]` accepts IPv4 connections too, and falls back to `0.0.0.0`
    /// if the machine has no IPv6.
    ///
    /// # Errors
    ///
    /// [`BindError::InUse`] exactly when another socket, of any process, has the port;
    /// [`BindError::Failed`] otherwise.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn bind(addr: SocketAddr, config: ListenerConfig) -> Result<Self, BindError> {
        Ok(Self::of_port(TcpAccept::bind(addr)?, config))
    }

    /// Makes a second listener of a TCP port that another one has, to which the port is to pass: no
    /// client is refused meanwhile. Until the other one ends, which should be soon, a connection
    /// may go to either.
    ///
    /// Returns `None` if the other one has ended, or was not made by [`bind`](Self::bind).
    ///
    /// # Errors
    ///
    /// What the system said, such as that there are no more file descriptors.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn taking_over(
        other: &ListenerHandle,
        config: ListenerConfig,
    ) -> Option<std::io::Result<Self>> {
        let accept = other.second_socket()?;
        Some(accept.map(|accept| Self::of_port(accept, config)))
    }

    /// Binds a Unix socket. A socket file that a killed process left is replaced; the file is
    /// removed when the listener ends.
    ///
    /// # Errors
    ///
    /// [`BindError::InUse`] when a process listens there, or another kind of file has the path;
    /// [`BindError::Failed`] otherwise.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    #[cfg(unix)]
    pub fn bind_unix(path: impl AsRef<Path>, config: ListenerConfig) -> Result<Self, BindError> {
        let accept = crate::server::accept::UnixAccept::bind(path.as_ref(), None)?;
        Ok(Self::new(accept, config))
    }

    /// Binds a Unix socket whose file has this mode, such as `0o660`, whatever the process's umask
    /// is. Else as [`bind_unix`](Self::bind_unix).
    ///
    /// # Errors
    ///
    /// As those of [`bind_unix`](Self::bind_unix).
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    #[cfg(unix)]
    pub fn bind_unix_with_mode(
        path: impl AsRef<Path>,
        mode: u32,
        config: ListenerConfig,
    ) -> Result<Self, BindError> {
        let accept = crate::server::accept::UnixAccept::bind(path.as_ref(), Some(mode))?;
        Ok(Self::new(accept, config))
    }

    /// Takes over a listening TCP or Unix socket that another process opened, such as systemd. It
    /// is set to non-blocking.
    ///
    /// # Errors
    ///
    /// [`BindError::Failed`] if it is not a listening stream socket.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    #[cfg(unix)]
    pub fn from_fd(fd: std::os::fd::OwnedFd, config: ListenerConfig) -> Result<Self, BindError> {
        use std::os::fd::AsRawFd;

        let address = ListenAddress::Other(format!("fd {}", fd.as_raw_fd()));
        let accept = crate::server::accept::from_fd(fd)
            .map_err(|source| BindError::Failed { address, source })?;
        Ok(Self::from_box(accept, config))
    }

    /// Makes a listener that gets its connections from `accept`.
    pub fn new(accept: impl Accept, config: ListenerConfig) -> Self {
        Self::from_box(Box::new(accept), config)
    }

    fn of_port(accept: TcpAccept, config: ListenerConfig) -> Self {
        let port = accept.held();
        Self {
            shared: Arc::new(ListenerShared::of_port(config, port)),
            ..Self::new(accept, ListenerConfig::default())
        }
    }

    fn from_box(accept: Box<dyn Accept>, config: ListenerConfig) -> Self {
        Self {
            accept,
            fallback: None,
            wrap: None,
            shared: Arc::new(ListenerShared::new(config)),
        }
    }

    /// Sets the service for every path that belongs to no stream. It may upgrade connections and
    /// stream its responses. These connections are counted, and the listener's limits apply to
    /// them: header timeout, write stall, and the grace at the end. Default: none; the [default
    /// stream](Streams::default_stream) answers everything.
    ///
    /// Requests carry a [`Peer`](crate::Peer) extension, and one with the connection's
    /// [`TlsInfo`](crate::TlsInfo), if it has any.
    ///
    /// ```no_run
    /// use axum::{Router, routing::get};
    /// use mjpeg_http::{Listener, ListenerConfig};
    ///
    /// # fn example() -> Result<Listener, Box<dyn std::error::Error>> {
    /// let pages = Router::new().route("/", get(async || "The pages of your own."));
    /// let listener = Listener::bind("[::]:8081".parse()?, ListenerConfig::default())?;
    /// let listener = listener.with_fallback(pages);
    /// # Ok(listener)
    /// # }
    /// ```
    pub fn with_fallback<S, B>(mut self, service: S) -> Self
    where
        S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send,
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        self.fallback = Some(Arc::new(Tower(service)));
        self
    }

    /// Sets a layer that wraps each connection, such as TLS. Default: none.
    pub fn with_wrap(mut self, wrap: Arc<dyn Wrap>) -> Self {
        self.wrap = Some(wrap);
        self
    }

    /// Returns where it listens, with the actual port.
    pub fn address(&self) -> ListenAddress {
        self.accept.address()
    }

    /// Returns the TCP address with the actual port; `None` for other kinds.
    pub fn local_addr(&self) -> Option<SocketAddr> {
        match self.address() {
            ListenAddress::Tcp(addr) => Some(addr),
            _ => None,
        }
    }

    /// Returns a handle that works while the listener serves.
    pub fn handle(&self) -> ListenerHandle {
        ListenerHandle::new(Arc::clone(&self.shared))
    }

    /// Serves requests until `until` completes. Then it closes the port at once, gives answers in
    /// progress the [grace](ListenerConfig::with_grace) to end, and cuts the rest.
    ///
    /// Viewers keep their streams, because they belong to their
    /// [`StreamService`](crate::StreamService): end them with its
    /// [`drain`](crate::StreamService::drain). When this returns, the port is free and everything
    /// else that came through it has ended. [`Drained::cut`] counts the connections that were cut.
    /// Of a connection that a fallback has upgraded and not [kept](crate::Detach), all reads and
    /// writes fail then; the fallback must drop it.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the port and cuts all connections but those of viewers.
    pub async fn serve(self, streams: impl Streams, until: impl Future<Output = ()>) -> Drained {
        let Self {
            mut accept,
            fallback,
            wrap,
            shared,
        } = self;
        let address = accept.address();
        let counters = Arc::clone(&shared.counters);
        let context = Arc::new(Context {
            listener: Arc::clone(&shared),
            streams: Box::new(streams),
            fallback,
            wrap,
            handshakes: Handshakes::default(),
            closer: Closer::new(),
            cutter: Closer::new(),
        });
        let cut_on_drop = CutOnDrop(Arc::clone(&context));
        let mut until = pin!(until);
        let mut connections = JoinSet::new();
        let mut outage = AcceptOutage::new(Arc::clone(&shared), address.clone());
        loop {
            tokio::select! {
                biased;
                () = &mut until => break,
                Some(_) = connections.join_next() => {}
                (transport, peer) = outage.accept(&mut *accept) => {
                    counters.accepted.add_one();
                    let config = shared.config();
                    debug!(listener = config.log_name(), %address, %peer, "connection accepted");
                    let context = Arc::clone(&context);
                    // Boxed: the socket keeps the waker of this task, and with it the task's
                    // memory, for as long as a viewer watches.
                    let serving = Box::pin(connection::serve(transport, peer, context));
                    connections.spawn(serving);
                }
            }
        }
        drop(accept);
        context.closer.close();
        let all = async { while connections.join_next().await.is_some() {} };
        let mut cut = 0;
        if timeout(shared.config().grace(), all).await.is_err() {
            cut = connections.len();
            let config = shared.config();
            let listener = config.log_name();
            warn!(listener, %address, cut, "connections did not end in time and were cut");
        }
        drop(cut_on_drop);
        connections.shutdown().await;
        Drained { cut }
    }
}

/// Cuts the connections that a fallback service has upgraded: nothing else could end them.
struct CutOnDrop(Arc<Context>);

impl Drop for CutOnDrop {
    fn drop(&mut self) {
        self.0.cutter.close();
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener")
            .field("address", &self.address())
            .field("config", &self.shared.config())
            .finish_non_exhaustive()
    }
}
