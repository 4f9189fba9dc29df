//! The relay: a manager, its HTTP outlet, its streams and its gateways.

pub(crate) mod change;

use std::{fmt, io, net::SocketAddr, path::PathBuf, sync::Arc};

use futures_util::future::join_all;
use mjpeg_manager::{
    Error, HttpOutlet, Manager, ManagerConfig, ShutdownReport, StreamInfo, StreamName, StreamSpec,
    mjpeg_http::ListenAddress,
};

use crate::{
    access::RelayAccess,
    cluster::RelayNode,
    gateway::{
        config::{GatewayConfig, GatewayError},
        control_socket,
        routes::Routes,
        running::RunningGateways,
        state::Relayed,
    },
    jwks::KeyReader,
    metrics::Metrics,
};

/// A running relay. Dropping it stops it at once; [`shutdown`](Self::shutdown) stops it gracefully.
#[derive(Debug)]
pub struct Relay {
    gateways: RunningGateways,
    relayed: Arc<Relayed>,
    keys: KeyReader,
    streams: Vec<StreamInfo>,
}

/// Which gateways are open, and how they find streams.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Gateways {
    /// The gateways.
    pub open: Vec<GatewayConfig>,
    /// How they find streams.
    pub routes: Routes,
}

impl Gateways {
    /// Opens these gateways, which find streams so.
    pub fn new(open: impl IntoIterator<Item = GatewayConfig>, routes: Routes) -> Self {
        Self {
            open: open.into_iter().collect(),
            routes,
        }
    }
}

impl Relay {
    /// Starts all streams or none, concurrently, and serves them over HTTP with default settings.
    ///
    /// # Errors
    ///
    /// [`StartError`] if any stream fails. The streams that had started are stopped.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future stops all streams at once.
    pub async fn start(
        specs: impl IntoIterator<Item = StreamSpec>,
        config: ManagerConfig,
    ) -> Result<Self, StartError> {
        Self::with_http(specs, config, HttpOutlet::default()).await
    }

    /// Starts all streams or none, concurrently, and serves them over HTTP through this outlet.
    ///
    /// # Errors
    ///
    /// [`StartError`] if any stream fails. The streams that had started are stopped.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future stops all streams at once.
    pub async fn with_http(
        specs: impl IntoIterator<Item = StreamSpec>,
        config: ManagerConfig,
        http: HttpOutlet,
    ) -> Result<Self, StartError> {
        Self::with_gateways(specs, config, http, Gateways::default()).await
    }

    /// Starts all streams or none, concurrently, and serves them over HTTP through this outlet and
    /// these gateways. They are bound before the streams start, and serve when all have.
    ///
    /// Streams should have none of the
    /// [reserved names](mjpeg_manager::mjpeg_http::RESERVED_NAMES).
    ///
    /// # Errors
    ///
    /// [`StartError`] if any gateway or stream fails. What had started is stopped.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future stops all at once.
    pub async fn with_gateways(
        specs: impl IntoIterator<Item = StreamSpec>,
        config: ManagerConfig,
        http: HttpOutlet,
        gateways: Gateways,
    ) -> Result<Self, StartError> {
        Self::with_access(specs, config, http, gateways, RelayAccess::default()).await
    }

    /// Does the same, for clients who may do this.
    pub(crate) async fn with_access(
        specs: impl IntoIterator<Item = StreamSpec>,
        config: ManagerConfig,
        http: HttpOutlet,
        gateways: Gateways,
        access: RelayAccess,
    ) -> Result<Self, StartError> {
        let manager = Manager::with_outlets(config, [http.factory()]);
        let source = access.keys.clone();
        let relayed = Arc::new(Relayed::new(manager.clone(), http, access));
        let mut running = RunningGateways::new(Arc::clone(&relayed));
        let wanted = running.with_certificates(gateways.open).await;
        let change = running
            .prepare(wanted, &|_, _| None)
            .map_err(StartError::gateways)?;
        let mut streams = Vec::new();
        let mut errors = Vec::new();
        let starting = specs.into_iter().map(async |spec| {
            let name = spec.name().clone();
            let started = manager.start(relayed.shared(spec)).await;
            started.map_err(|error| (name, error))
        });
        for started in join_all(starting).await {
            match started {
                Ok(stream) => streams.push(stream),
                Err(failure) => errors.push(failure),
            }
        }
        if !errors.is_empty() {
            manager.shutdown().await;
            return Err(StartError::streams(errors));
        }
        relayed.set_routes(gateways.routes);
        running.commit(change);
        #[cfg(unix)]
        relayed.resume_recordings().await;
        Ok(Self {
            gateways: running,
            keys: KeyReader::start(Arc::clone(&relayed), source),
            relayed,
            streams,
        })
    }

    /// Replaces the gateways and the routes. A gateway whose address stays is configured without
    /// being closed; new ones are bound first. Viewers keep their responses, even of gateways that
    /// are closed.
    ///
    /// When it returns, the ports of closed gateways are free.
    ///
    /// # Errors
    ///
    /// One for each gateway that could not be bound, or whose certificate cannot be used. Nothing
    /// has changed then.
    ///
    /// # Cancel safety
    ///
    /// A dropped future has changed all or nothing.
    pub async fn set_gateways(&mut self, gateways: Gateways) -> Result<(), Vec<GatewayError>> {
        let wanted = self.gateways.with_certificates(gateways.open).await;
        let change = self.gateways.prepare(wanted, &|_, _| None)?;
        self.relayed.set_routes(gateways.routes);
        self.gateways.commit(change);
        self.gateways.settled().await;
        Ok(())
    }

    /// Opens the socket at which the program's own user controls it.
    pub(crate) fn open_control_socket(&mut self, path: PathBuf) {
        self.gateways
            .open_control_socket(control_socket::gateway(path));
    }

    /// What the relay is in a cluster, if it is in one.
    pub(crate) fn cluster(&self) -> Option<&RelayNode> {
        self.relayed.cluster.as_ref()
    }

    /// Stores a stream for all nodes of the cluster, or removes it: `None`.
    ///
    /// # Errors
    ///
    /// If the engine does not take it, or there is no cluster.
    pub(crate) async fn share_document(
        &self,
        name: &StreamName,
        json: Option<String>,
    ) -> io::Result<()> {
        match self.cluster() {
            Some(cluster) => cluster.store(name, json).await,
            None => Err(io::Error::other("the relay is in no cluster")),
        }
    }

    /// Returns the manager that runs the streams.
    pub fn manager(&self) -> &Manager {
        &self.relayed.manager
    }

    /// Returns the HTTP outlet of the streams, with its counters and viewers.
    pub fn http(&self) -> &HttpOutlet {
        &self.relayed.http
    }

    /// Returns the figures that the gateways answer at `/metrics`.
    pub fn metrics(&self) -> &Metrics {
        &self.relayed.metrics
    }

    /// Returns where the gateways listen, with the actual ports, by their names.
    pub fn gateway_addresses(&self) -> impl Iterator<Item = (String, ListenAddress)> {
        let open = self.gateways.open();
        open.map(|(address, config)| (config.name().to_owned(), address.clone()))
    }

    /// Returns the URLs that a browser on this machine opens: the pages of the gateways, then the
    /// streams in the order of their specs, each on its own port or else on the first gateway that
    /// has one.
    pub fn urls(&self) -> impl Iterator<Item = String> {
        let open: Vec<_> = self.gateways.open().collect();
        let url_of = |(address, config): &(&ListenAddress, GatewayConfig)| match address {
            ListenAddress::Tcp(addr) => {
                let scheme = if config.tls().is_some() {
                    "https"
                } else {
                    "http"
                };
                Some((url(scheme, *addr), config.serve()))
            }
            _ => None,
        };
        let gateways: Vec<_> = open.iter().filter_map(url_of).collect();
        let pages = gateways.iter().filter(|(_, serve)| serve.page);
        let pages: Vec<String> = pages.map(|(url, _)| url.clone()).collect();
        let mut with_streams = gateways.into_iter().filter(|(_, serve)| serve.streams);
        let shared = with_streams.next().map(|(url, _)| url);
        let streams = self.streams.iter().filter_map(move |stream| {
            let on_gateway = || Some(format!("{}{}/", shared.as_ref()?, stream.name));
            stream
                .listen
                .map(|addr| url("http", addr))
                .or_else(on_gateway)
        });
        pages.into_iter().chain(streams)
    }

    /// Closes the gateways, stops all streams within the manager's grace period, and reports what
    /// had to be cut.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the relay, which stops it at once.
    pub async fn shutdown(mut self) -> ShutdownReport {
        if let Some(cluster) = &self.relayed.cluster {
            cluster.shutdown().await;
        }
        let manager = &self.relayed.manager;
        let walls = self
            .relayed
            .control
            .drain(manager.config().shutdown_grace());
        let (report, (), ()) = tokio::join!(manager.shutdown(), self.gateways.shutdown(), walls);
        #[cfg(unix)]
        self.relayed.end_clips().await;
        self.relayed.webhooks.stop();
        report
    }
}

/// Why a [`Relay`] did not start. `Display` lists the failures, each with its causes and its code.
#[derive(Debug)]
#[non_exhaustive]
pub struct StartError {
    /// The streams that failed, and why.
    pub errors: Vec<(StreamName, Error)>,
    /// The gateways that failed; then no stream was started.
    pub gateways: Vec<GatewayError>,
}

impl StartError {
    fn streams(errors: Vec<(StreamName, Error)>) -> Self {
        Self {
            errors,
            gateways: Vec::new(),
        }
    }

    fn gateways(gateways: Vec<GatewayError>) -> Self {
        Self {
            errors: Vec::new(),
            gateways,
        }
    }

    /// The failures, each with its causes and its code.
    pub(crate) fn lines(&self) -> impl Iterator<Item = String> {
        let gateways = self.gateways.iter().map(GatewayError::chain);
        let of_stream = |(name, error): &(StreamName, Error)| {
            format!("{name}: {} ({})", error.chain(), error.code())
        };
        gateways.chain(self.errors.iter().map(of_stream))
    }

    /// Whether nothing failed but ports that others have.
    pub(crate) fn is_port_in_use(&self) -> bool {
        let is_in_use = |(_, error): &(_, Error)| matches!(error, Error::PortInUse { .. });
        self.errors.iter().all(is_in_use) && self.gateways.iter().all(GatewayError::is_in_use)
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the relay did not start")?;
        self.lines().try_for_each(|line| write!(f, "\n  {line}"))
    }
}

impl std::error::Error for StartError {}

/// Makes a URL that works in a browser on this machine.
fn url(scheme: &str, addr: SocketAddr) -> String {
    if addr.ip().is_unspecified() {
        return format!("{scheme}://localhost:{}/", addr.port());
    }
    format!("{scheme}://{addr}/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_can_be_opened() {
        let url = |addr: &str| url("http", addr.parse().unwrap());
        assert_eq!(url("[::]:8081"), "http://localhost:8081/");
        assert_eq!(url("0.0.0.0:8081"), "http://localhost:8081/");
        assert_eq!(url("127.0.0.1:8081"), "http://127.0.0.1:8081/");
        assert_eq!(url("[::1]:8081"), "http://[::1]:8081/");
    }
}
