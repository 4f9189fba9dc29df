//! The outlet that serves a stream over HTTP on a port of its own (feature `listener`).

use std::{
    collections::BTreeMap,
    io::ErrorKind,
    mem,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use mjpeg_fanout::Consumer;
use mjpeg_http::{
    BindError, ListenAddress, Listener, ListenerConfig, ListenerMonitor, ListenerStats,
    StreamConfig, StreamService, StreamStats, ViewerInfo, ViewerLimit,
};
use tokio::{sync::oneshot, task::JoinHandle, time::timeout};

use crate::{
    error::{Error, InvalidSpec},
    name::StreamName,
    spec::StreamSpec,
    stream::outlet::{Outlet, OutletFactory},
};

/// Serves each stream of a manager over HTTP, on the address that its spec
/// [asks for](StreamSpec::with_listen).
///
/// Give a clone to [`Manager::with_outlets`](crate::Manager::with_outlets), of one manager only, and
/// keep one to read the counters. All clones are one outlet.
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

/// The services of the streams that are served now.
#[derive(Debug, Default)]
struct Services(Mutex<BTreeMap<StreamName, Served>>);

/// A stream that is served.
#[derive(Clone, Debug)]
struct Served {
    service: StreamService,
    /// The counters of its newest port.
    port: ListenerMonitor,
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
    /// The default protects the machine: so many viewers take some 60 MiB of this process, and more
    /// of the kernel's memory. [`StreamConfig`] limits how many one stream and one address may have,
    /// and tells who is refused. Counted in [`viewers_refused`](Self::viewers_refused).
    pub fn with_max_viewers(mut self, most: usize) -> Self {
        self.limit = ViewerLimit::new(most);
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

    /// Reads the counters of a stream. `None` if no stream of that name is served over HTTP.
    pub fn stats(&self, stream: &str) -> Option<StreamStats> {
        let services = self.services.lock();
        Some(services.get(stream)?.service.stats())
    }

    /// Reads the counters of a stream's newest port. `None` if no stream of that name is served over
    /// HTTP.
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
        let config = self.config.clone();
        Box::new(HttpStream {
            name: stream.clone(),
            config: config.with_viewer_limit(self.limit.clone()),
            // The stream's own grace ends first.
            listener: self.listener.clone().with_grace(Duration::MAX),
            services: Arc::clone(&self.services),
            service: None,
            next: Next::Keep,
            port: None,
            left: Vec::new(),
        })
    }
}

impl Services {
    /// Held briefly, never across a wait.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<StreamName, Served>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The HTTP side of one stream.
#[derive(Debug)]
struct HttpStream {
    name: StreamName,
    config: StreamConfig,
    listener: ListenerConfig,
    services: Arc<Services>,
    /// Made for the first port. It owns the viewers, whatever becomes of the port they came through.
    service: Option<StreamService>,
    /// What `serve` is to do.
    next: Next,
    port: Option<Port>,
    /// Ports that accept no more viewers.
    left: Vec<Port>,
}

#[derive(Debug)]
enum Next {
    Keep,
    Listen(SocketAddr, Listener),
    Close,
}

/// A port that is being served.
#[derive(Debug)]
struct Port {
    /// The address asked for.
    asked: SocketAddr,
    addr: SocketAddr,
    monitor: ListenerMonitor,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<usize>,
}

#[async_trait]
impl Outlet for HttpStream {
    fn bind(&mut self, spec: &StreamSpec) -> Result<Option<SocketAddr>, Error> {
        let Some(asked) = spec.listen() else {
            self.next = Next::Close;
            return Ok(None);
        };
        if let Some(port) = &mut self.port
            && (port.asked == asked || port.addr == asked)
        {
            self.next = Next::Keep;
            return Ok(Some(port.addr));
        }
        let listener = Listener::bind(asked, self.listener.clone()).map_err(failure)?;
        let addr = listener.local_addr().unwrap_or(asked);
        self.next = Next::Listen(asked, listener);
        Ok(Some(addr))
    }

    fn unbind(&mut self) {
        self.next = Next::Keep;
    }

    fn serve(&mut self, consumer: &Consumer) {
        let port = match mem::replace(&mut self.next, Next::Keep) {
            Next::Keep => return,
            Next::Close => None,
            Next::Listen(asked, listener) => {
                let new = || StreamService::builder(consumer.clone());
                let service = self.service.get_or_insert_with(|| {
                    let builder = new().config(self.config.clone());
                    builder.name(self.name.as_str()).build()
                });
                let port = Port::serve(asked, listener, service.clone());
                let served = Served {
                    service: service.clone(),
                    port: port.monitor.clone(),
                };
                self.services.lock().insert(self.name.clone(), served);
                Some(port)
            }
        };
        if let Some(mut old) = mem::replace(&mut self.port, port) {
            old.close();
            self.left.push(old);
        }
    }

    async fn settled(&mut self) {
        for port in &mut self.left {
            port.ended().await;
        }
        self.left.clear();
    }

    async fn stop(&mut self, grace: Duration) -> usize {
        self.services.lock().remove(&self.name);
        let (port, service) = (self.port.take(), self.service.take());
        let closing = async {
            match port {
                Some(port) => port.stop(grace, service.as_ref()).await,
                None => 0,
            }
        };
        let draining = async {
            match &service {
                Some(service) => service.drain(grace).await.cut,
                None => 0,
            }
        };
        let (connections, viewers) = tokio::join!(closing, draining);
        connections + viewers
    }
}

impl Drop for HttpStream {
    fn drop(&mut self) {
        if self.service.is_some() {
            self.services.lock().remove(&self.name);
        }
    }
}

impl Port {
    fn serve(asked: SocketAddr, listener: Listener, service: StreamService) -> Self {
        let addr = listener.local_addr().unwrap_or(asked);
        let monitor = listener.monitor();
        let (stop, stopped) = oneshot::channel();
        let until = async {
            // An error means that the port is being dropped, which aborts this task anyway.
            let _ = stopped.await;
        };
        let serve = listener.serve(service, until);
        let task = tokio::spawn(async move { serve.await.cut });
        Self {
            asked,
            addr,
            monitor,
            stop: Some(stop),
            task,
        }
    }

    /// Frees the port, waits until its connections have ended, and cuts those that have not within
    /// the grace. Returns how many were cut.
    async fn stop(mut self, grace: Duration, service: Option<&StreamService>) -> usize {
        self.close();
        if let Ok(cut) = timeout(grace, self.ended()).await {
            return cut;
        }
        // The service counts those of its viewers itself.
        let viewers = service.map_or(0, |service| service.stats().viewers);
        let cut = self.monitor.stats().connections.saturating_sub(viewers);
        self.task.abort();
        self.ended().await;
        cut as usize
    }

    /// Accepts no more connections.
    fn close(&mut self) {
        if let Some(stop) = self.stop.take() {
            // An error means that the task has ended by itself.
            let _ = stop.send(());
        }
    }

    /// Waits until all connections have ended. Returns how many were cut.
    async fn ended(&mut self) -> usize {
        (&mut self.task).await.unwrap_or(0)
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn failure(error: BindError) -> Error {
    match error {
        BindError::InUse {
            address: ListenAddress::Tcp(addr),
        } => Error::PortInUse { addr },
        BindError::Failed {
            address: ListenAddress::Tcp(addr),
            source,
        } if is_callers_fault(source.kind()) => InvalidSpec::Listen { addr, source }.into(),
        BindError::Failed {
            address: ListenAddress::Tcp(addr),
            source,
        } => Error::ListenFailed { addr, source },
        other => Error::OutletFailed {
            source: Box::new(other),
        },
    }
}

/// No such address on this machine, or no right to use that port.
fn is_callers_fault(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::AddrNotAvailable
            | ErrorKind::PermissionDenied
            | ErrorKind::Unsupported
            | ErrorKind::InvalidInput
    )
}

/// The default limit on the viewers of all streams together.
const MAX_VIEWERS: usize = 20_000;
