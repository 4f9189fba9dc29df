//! The outlet that serves a stream over HTTP on a port of its own (feature `listener`).

mod port;
mod services;
mod stream;

use std::{sync::Arc, time::Duration};

use mjpeg_http::{
    ListenerConfig, ListenerStats, StreamConfig, StreamStats, ViewerInfo, ViewerLimit,
};

use crate::{
    name::StreamName,
    stream::{
        http::{services::Services, stream::HttpStream},
        outlet::{Outlet, OutletFactory},
    },
};

/// Serves each stream of a manager over HTTP, on the address that its spec
/// [asks for](crate::StreamSpec::with_listen).
///
/// Give a clone to [`Manager::with_outlets`](crate::Manager::with_outlets), of one manager only,
/// and keep one to read the counters. All clones are one outlet.
///
/// ```
/// use mjpeg_manager::{HttpOutlet, Manager, ManagerConfig, mjpeg_http::StreamConfig};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let http = HttpOutlet::new(StreamConfig::default()).with_max_viewers(500);
/// let manager = Manager::with_outlets(ManagerConfig::default(), [http.factory()]);
/// assert_eq!(http.total_viewers(), 0);
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct HttpOutlet {
    config: StreamConfig,
    listener: ListenerConfig,
    limit: ViewerLimit,
    services: Arc<Services>,
}

impl HttpOutlet {
    /// Makes an outlet that serves streams as `config` says. All its streams together may have
    /// 20,000 viewers.
    pub fn new(config: StreamConfig) -> Self {
        Self {
            config,
            listener: ListenerConfig::default(),
            limit: ViewerLimit::new(MAX_VIEWERS),
            services: Arc::default(),
        }
    }

    /// Sets how many viewers all streams may have together. Default 20,000; 0 refuses all. Call it
    /// before the outlet is given to a manager.
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

    /// Sets the limits and times of the streams' ports. Default: those of
    /// [`ListenerConfig::default`].
    pub fn with_listener(mut self, config: ListenerConfig) -> Self {
        self.listener = config;
        self
    }

    /// Returns a clone for [`Manager::with_outlets`](crate::Manager::with_outlets).
    pub fn factory(&self) -> Arc<dyn OutletFactory> {
        Arc::new(self.clone())
    }

    /// Returns how streams are served.
    pub fn config(&self) -> &StreamConfig {
        &self.config
    }

    /// Returns the limits and times of the streams' ports.
    pub fn listener(&self) -> &ListenerConfig {
        &self.listener
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

    /// Reads the counters of a stream. `None` if no stream of that name is served over HTTP.
    pub fn stats(&self, stream: &str) -> Option<StreamStats> {
        let services = self.services.lock();
        Some(services.get(stream)?.service.stats())
    }

    /// Reads the counters of a stream's newest port. `None` if no stream of that name is served
    /// over HTTP.
    pub fn listener_stats(&self, stream: &str) -> Option<ListenerStats> {
        let services = self.services.lock();
        Some(services.get(stream)?.port.stats())
    }

    /// Lists the viewers of a stream, and what each was sent. Empty if no stream of that name is
    /// served over HTTP.
    pub fn viewers(&self, stream: &str) -> Vec<ViewerInfo> {
        let services = self.services.lock();
        services
            .get(stream)
            .map_or_else(Vec::new, |served| served.service.viewers())
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
            self.config.clone().with_viewer_limit(self.limit.clone()),
            // The stream's own grace ends first.
            self.listener.clone().with_grace(Duration::MAX),
            Arc::clone(&self.services),
        ))
    }
}

/// The default limit on the viewers of all streams together.
const MAX_VIEWERS: usize = 20_000;
