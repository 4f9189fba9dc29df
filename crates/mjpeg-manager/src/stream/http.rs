//! The outlet that serves streams over HTTP (feature `listener`).

mod gate;
mod port;
pub(crate) mod ports;
mod services;
mod stream;

use std::{net::SocketAddr, sync::Arc};

#[cfg(feature = "replay")]
use mjpeg_http::ReplayLimit;
use mjpeg_http::{
    Gate, Listener, ListenerConfig, ListenerStats, StreamConfig, StreamService, StreamStats,
    Streams, ViewerInfo, ViewerLimit,
};

use crate::{
    error::Error,
    name::StreamName,
    stream::{
        http::{
            gate::OutletGate,
            ports::{PortReservation, Ports},
            services::{ServiceEntry, Services},
            stream::{HttpStream, failure},
        },
        outlet::{Outlet, OutletFactory},
    },
};

/// Serves each stream of a manager over HTTP: on the address that its spec
/// [asks for](crate::StreamSpec::with_listen), if it does, and through every
/// [`Listener`](mjpeg_http::Listener) that is given this outlet, which finds streams by name.
///
/// Give a clone to [`Manager::with_outlets`](crate::Manager::with_outlets), of one manager only,
/// and keep one to read the counters. All clones are one outlet.
///
/// ```
/// use mjpeg_manager::{
///     HttpOutlet, Manager, ManagerConfig,
///     mjpeg_http::{Listener, ListenerConfig, StreamConfig},
/// };
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let http = HttpOutlet::new(StreamConfig::default()).with_max_viewers(500);
/// let manager = Manager::with_outlets(ManagerConfig::default(), [http.factory()]);
/// // All streams on one port: /door/, /yard/ and so on.
/// # async fn serve(http: HttpOutlet) -> Result<(), Box<dyn std::error::Error>> {
/// let listener = Listener::bind("[::]:8080".parse()?, ListenerConfig::default())?;
/// listener.serve(http, std::future::pending()).await;
/// # Ok(())
/// # }
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct HttpOutlet {
    config: StreamConfig,
    gate: Option<OutletGate>,
    ports: Arc<Ports>,
    limit: ViewerLimit,
    #[cfg(feature = "replay")]
    replays: ReplayLimit,
    services: Arc<Services>,
}

impl HttpOutlet {
    /// Makes an outlet that serves streams as `config` says, unless one is
    /// [configured](Self::configure) itself. All its streams together may have
    /// 20,000 viewers.
    pub fn new(config: StreamConfig) -> Self {
        Self {
            config,
            gate: None,
            ports: Arc::default(),
            limit: ViewerLimit::new(MAX_VIEWERS),
            #[cfg(feature = "replay")]
            replays: ReplayLimit::new(MAX_REPLAYS),
            services: Arc::default(),
        }
    }

    /// Sets how many viewers all streams may have together, for all clones. Default 20,000; 0
    /// refuses all. Viewers over a lower limit stay.
    ///
    /// The default protects the machine: that many viewers take some 60 MiB of this process, and
    /// more of the kernel's memory. [`StreamConfig`] limits the viewers of one stream and of one
    /// address, and says which ones are refused. Counted in
    /// [`viewers_refused`](Self::viewers_refused).
    pub fn with_max_viewers(self, most: usize) -> Self {
        self.limit.set(most);
        self
    }

    /// Sets how many requests for snapshots or `/state` of all streams together may be waiting or
    /// on their way at once. Default 2000; 0 refuses all. Call it before the outlet is given to a
    /// manager.
    ///
    /// Counted in [`snapshots_refused`](Self::snapshots_refused).
    pub fn with_max_snapshots(self, most: usize) -> Self {
        self.limit.set_max_snapshots(most);
        self
    }

    /// Sets how many replays and clips of all streams together may be on their way at once, for all
    /// clones. Default 16; 0 refuses all.
    ///
    /// Counted in [`replays_refused`](Self::replays_refused).
    #[cfg(feature = "replay")]
    pub fn with_max_replays(self, most: usize) -> Self {
        self.replays.set(most);
        self
    }

    /// Sets the gate that all streams ask before they admit anybody. Default: none, and everybody
    /// is admitted. Call it before the outlet is given to a manager.
    pub fn with_gate(mut self, gate: Arc<dyn Gate>) -> Self {
        self.gate = Some(OutletGate(gate));
        self
    }

    /// Sets the limits and times of the streams' ports. Default: those of
    /// [`ListenerConfig::default`]. Call it before the outlet is given to a manager;
    /// [`configure_ports`](Self::configure_ports) changes them afterwards.
    pub fn with_listener(mut self, config: ListenerConfig) -> Self {
        self.ports = Arc::new(Ports::new(config));
        self
    }

    /// Returns a clone for [`Manager::with_outlets`](crate::Manager::with_outlets).
    pub fn factory(&self) -> Arc<dyn OutletFactory> {
        Arc::new(self.clone())
    }

    /// Sets how one stream is served. Its viewers keep their responses:
    /// [`StreamService::configure`] says what applies to them. A stream that is not running yet is
    /// served so when it starts.
    ///
    /// Forgotten when the stream is stopped, and when its start fails.
    pub fn configure(&self, stream: &StreamName, config: StreamConfig) {
        let config = self.limited(config);
        let mut services = self.services.lock();
        let entry = services.entry(stream.clone()).or_default();
        if let Some(served) = &entry.served {
            served.service.configure(config.clone());
        }
        entry.config = Some(config);
    }

    /// Replaces the limits and times of the streams' ports. Of those that are open,
    /// [`ListenerHandle::configure`](mjpeg_http::ListenerHandle::configure) says what applies when.
    pub fn configure_ports(&self, config: ListenerConfig) {
        self.ports.configure(config);
        let services = self.services.lock();
        for (stream, entry) in services.iter() {
            let served = entry.served.as_ref();
            if let Some(port) = served.and_then(|served| served.port.as_ref()) {
                port.handle.configure(self.ports.port_config(stream));
            }
        }
    }

    /// Takes a port for the stream that will be started, or changed, to listen at this address, so
    /// that this cannot fail then.
    ///
    /// A listener that has the port already is kept instead, such as one from
    /// [`hand_over`](Self::hand_over).
    ///
    /// # Errors
    ///
    /// [`Error::PortInUse`], [`Error::ListenFailed`] or [`Error::InvalidSpec`].
    pub fn reserve(
        &self,
        addr: SocketAddr,
        bound: Option<Listener>,
    ) -> Result<PortReservation, Error> {
        // The stream that takes it configures it.
        let bind = || Listener::bind(addr, self.ports.config()).map_err(failure);
        let listener = bound.map_or_else(bind, Ok)?;
        Ok(self.ports.reserve(addr, listener))
    }

    /// Makes a second listener of the port that a stream has at this address, for a port that is to
    /// pass from that stream to something else: see
    /// [`Listener::taking_over`](mjpeg_http::Listener::taking_over). `None` if no stream has it.
    pub fn hand_over(&self, addr: SocketAddr, config: ListenerConfig) -> Option<Listener> {
        let services = self.services.lock();
        let served = services.values().filter_map(|entry| entry.served.as_ref());
        let mut ports = served.filter_map(|served| served.port.as_ref());
        // A port that was left is still known by its counters.
        ports.find_map(|port| match addr.port() != 0 && port.is_at(addr) {
            true => Listener::taking_over(&port.handle, config.clone())?.ok(),
            false => None,
        })
    }

    /// Returns the service of a stream that is running.
    pub fn service(&self, stream: &str) -> Option<StreamService> {
        self.services.find(stream)
    }

    /// Lists the streams that are running, by name.
    pub fn names(&self) -> Vec<StreamName> {
        let services = self.services.lock();
        let is_served = |(_, entry): &(_, &ServiceEntry)| entry.served.is_some();
        let served = services.iter().filter(is_served);
        served.map(|(name, _)| name.clone()).collect()
    }

    /// Returns how streams are served that are not configured themselves.
    pub fn config(&self) -> &StreamConfig {
        &self.config
    }

    /// Returns the limits and times of the streams' ports.
    pub fn listener(&self) -> ListenerConfig {
        self.ports.config()
    }

    /// Returns how many viewers all streams may have together.
    pub fn max_viewers(&self) -> usize {
        self.limit.most()
    }

    /// Returns how many viewers all streams have now.
    pub fn total_viewers(&self) -> usize {
        self.limit.viewers()
    }

    /// Returns how many viewers were refused because all streams together had as many as allowed.
    pub fn viewers_refused(&self) -> u64 {
        self.limit.refused()
    }

    /// Returns how many snapshots of all streams may be on their way at once.
    pub fn max_snapshots(&self) -> usize {
        self.limit.max_snapshots()
    }

    /// Returns how many snapshots were refused because all streams together had as many on their
    /// way as allowed.
    pub fn snapshots_refused(&self) -> u64 {
        self.limit.snapshots_refused()
    }

    /// Returns how many replays and clips of all streams may be on their way at once.
    #[cfg(feature = "replay")]
    pub fn max_replays(&self) -> usize {
        self.replays.most()
    }

    /// Returns how many replays and clips of all streams are on their way now.
    #[cfg(feature = "replay")]
    pub fn replays(&self) -> usize {
        self.replays.now()
    }

    /// Returns how many replays and clips were refused because all streams together had as many as
    /// allowed.
    #[cfg(feature = "replay")]
    pub fn replays_refused(&self) -> u64 {
        self.replays.refused()
    }

    /// Reads the counters of a stream. `None` if no stream of that name is running.
    pub fn stats(&self, stream: &str) -> Option<StreamStats> {
        Some(self.service(stream)?.stats())
    }

    /// Reads the counters of a stream's newest port. `None` if no stream of that name is running,
    /// or it has had no port of its own.
    pub fn listener_stats(&self, stream: &str) -> Option<ListenerStats> {
        let services = self.services.lock();
        let served = services.get(stream)?.served.as_ref()?;
        Some(served.port.as_ref()?.handle.stats())
    }

    /// Lists the viewers of a stream, and what each was sent. Empty if no stream of that name is
    /// running.
    pub fn viewers(&self, stream: &str) -> Vec<ViewerInfo> {
        let service = self.service(stream);
        service.map_or_else(Vec::new, |service| service.viewers())
    }

    /// A configuration with the limits on all streams together.
    fn limited(&self, config: StreamConfig) -> StreamConfig {
        #[cfg(feature = "replay")]
        let config = config.with_replay_limit(self.replays.clone());
        config.with_viewer_limit(self.limit.clone())
    }
}

/// Finds the streams that are running. None is the default.
impl Streams for HttpOutlet {
    fn find(&self, name: &str) -> Option<StreamService> {
        self.service(name)
    }
}

impl Default for HttpOutlet {
    fn default() -> Self {
        Self::new(StreamConfig::default())
    }
}

impl OutletFactory for HttpOutlet {
    fn outlet(&self, stream: &StreamName) -> Box<dyn Outlet> {
        Box::new(HttpStream::new(
            stream.clone(),
            self.limited(self.config.clone()),
            self.gate.clone(),
            Arc::clone(&self.ports),
            Arc::clone(&self.services),
        ))
    }
}

/// The default limit on the viewers of all streams together.
const MAX_VIEWERS: usize = 20_000;

#[cfg(feature = "replay")]
const MAX_REPLAYS: usize = 16;
