//! The manager: the calls on streams, their limits, shutdown.

use std::{future::Future, sync::Arc, time::Duration};

use futures_util::future::join_all;
use mjpeg_fanout::Consumer;
use mjpeg_ingest::Source;
use tokio::time::timeout;
use tracing::{debug, field::display, info};

use crate::{
    Change, Error, Events, ManagerConfig, ManagerStats, StreamInfo, StreamName, StreamSpec,
    event::Herald, outlet::AllViewers, registry::Registry, running::Running,
};

/// Runs streams by name. Cheap to clone; all clones are one manager. See the [contract](crate#contract).
///
/// Its methods must be called within a tokio runtime.
#[derive(Clone, Debug)]
pub struct Manager {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    config: ManagerConfig,
    registry: Registry,
    all_viewers: AllViewers,
    herald: Herald,
}

/// What [`Manager::shutdown`] did.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ShutdownReport {
    /// How many streams were stopped.
    pub stopped: usize,
    /// Those of them that did not end by themselves in time.
    pub cut: Vec<Cut>,
    /// Names whose start or stop, begun by another call, had not ended in time.
    pub unfinished: Vec<StreamName>,
}

/// What had to be aborted of a stream.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Cut {
    /// The stream.
    pub name: StreamName,
    /// How many viewers' connections were cut.
    pub connections: usize,
    /// Whether even a task of the stream had not ended after that and was left to end by itself.
    pub task: bool,
}

impl Manager {
    /// Makes a manager that runs nothing yet.
    pub fn new(mut config: ManagerConfig) -> Self {
        let inner = Inner {
            all_viewers: AllViewers::limited(&mut config),
            registry: Registry::new(config.max_streams),
            config,
            herald: Herald::new(),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// Starts a stream: takes its port, connects to its camera as its [mode](StreamSpec::mode) wants, and serves it.
    ///
    /// # Errors
    ///
    /// All of [`Error`] but `NotFound`. A failed start leaves nothing behind, and the name is free again.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future undoes the start.
    pub async fn start(&self, spec: StreamSpec) -> Result<StreamInfo, Error> {
        let reserved = self.inner.registry.reserve(&spec.name)?;
        let limit = self.inner.config.start_timeout;
        let starting = async {
            let herald = self.inner.herald.clone();
            let started = Running::start(spec, &self.inner.config, herald);
            let started = timeout(limit, started).await;
            started.unwrap_or(Err(Error::StartTimeout { after: limit }))
        };
        let running = tokio::select! {
            biased;
            () = self.inner.registry.shut_down() => return Err(Error::ShutDown),
            started = self.in_time(starting) => started??,
        };
        let info = running.info();
        if let Err(running) = reserved.fill(running) {
            running.stop().await;
            return Err(Error::ShutDown);
        }
        let listen = info.listen.map(display);
        info!(stream = %info.name, source = %info.source, listen, "stream started");
        self.inner.herald.tell(&info.name, Change::Started);
        Ok(info)
    }

    /// Stops a stream: ends its viewers' responses, frees its port and hangs up on its camera. When it returns, all that has happened.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`]; [`Error::CallTimeout`] if it does not end in time, by itself or cut. It is cut off then.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future cuts the stream off without waiting for its end.
    pub async fn stop(&self, name: &str) -> Result<(), Error> {
        let (running, busy) = self.inner.registry.take(name)?;
        let cut = self.in_time(running.stop()).await?;
        info!(stream = name, cut, "stream stopped");
        self.inner.herald.tell(busy.name(), Change::Stopped);
        Ok(())
    }

    /// Reads one stream.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`].
    pub fn get(&self, name: &str) -> Result<StreamInfo, Error> {
        self.inner.registry.with(name, Running::info)
    }

    /// Reads all streams, by name. Streams that are just being started or stopped are not among them.
    pub fn list(&self) -> Vec<StreamInfo> {
        self.inner.registry.with_all(Running::info)
    }

    /// Reads what is counted over all streams.
    pub fn stats(&self) -> ManagerStats {
        let registry = &self.inner.registry;
        ManagerStats {
            streams: registry.names().len(),
            streams_refused: registry.refused(),
            viewers: self.inner.all_viewers.now(),
            viewers_refused: self.inner.all_viewers.refused(),
        }
    }

    /// Disconnects a stream's camera until [`resume`](Self::resume). Viewers keep their picture, then get the placeholder, if there is one. Nothing here waits: the
    /// stream's state tells when it is done. A source that has ended is not concerned.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`].
    pub fn pause(&self, name: &str) -> Result<(), Error> {
        self.inner.registry.with(name, |running| running.pause())
    }

    /// Connects the camera of a paused stream again, at once. Does nothing to others.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`].
    pub fn resume(&self, name: &str) -> Result<(), Error> {
        self.inner.registry.with(name, |running| running.resume())
    }

    /// Tries an offline camera now and not at the end of its backoff. Does nothing to others.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`].
    pub fn retry_now(&self, name: &str) -> Result<(), Error> {
        self.inner
            .registry
            .with(name, |running| running.retry_now())
    }

    /// Gives a running stream other sources, the preferred one first. Its viewers stay, and get the frames of the new ones.
    ///
    /// Nothing here waits: the stream's state tells how it goes.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`]; [`Error::InvalidSpec`] when there are none.
    pub fn set_sources(
        &self,
        name: &str,
        sources: impl IntoIterator<Item = Source>,
    ) -> Result<(), Error> {
        let sources: Vec<Source> = sources.into_iter().collect();
        if sources.is_empty() {
            return Err(Error::InvalidSpec("a stream needs a source".into()));
        }
        self.inner
            .registry
            .with(name, |running| running.set_sources(sources))
    }

    /// Subscribes to what happens to all streams from now on.
    pub fn events(&self) -> Events {
        self.inner.herald.listen()
    }

    /// Subscribes to a stream's frames, beside its viewers.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`].
    pub fn subscribe(&self, name: &str) -> Result<Consumer, Error> {
        self.inner.registry.with(name, Running::consumer)
    }

    /// Reads the HTTP counters of a stream; `None` if it has no port.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`].
    #[cfg(feature = "listener")]
    pub fn http_stats(&self, name: &str) -> Result<Option<mjpeg_http::Stats>, Error> {
        self.inner.registry.with(name, Running::http_stats)
    }

    /// Reads who is watching a stream over its HTTP port, and what each was sent; nobody if it has none.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`].
    #[cfg(feature = "listener")]
    pub fn viewers(&self, name: &str) -> Result<Vec<mjpeg_http::ViewerInfo>, Error> {
        self.inner.registry.with(name, Running::viewers)
    }

    /// Stops all streams at once and starts no more; starts in progress fail with [`Error::ShutDown`]. Viewers' responses have
    /// the [grace](ManagerConfig::shutdown_grace) to end (5 s), then they are cut; the report says which.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future cuts off what has not ended yet.
    pub async fn shutdown(&self) -> ShutdownReport {
        let limit = self.inner.config.shutdown_grace + CUT_TIME;
        let registry = &self.inner.registry;
        let stopping = registry
            .take_all()
            .into_iter()
            .map(async |(name, running)| {
                let ended = timeout(limit, running.stop()).await;
                self.inner.herald.tell(&name, Change::Stopped);
                Cut {
                    name,
                    connections: *ended.as_ref().unwrap_or(&0),
                    task: ended.is_err(),
                }
            });
        // Calls in progress elsewhere end by themselves: a start is told, a stop has limits of its own.
        let (ended, _in_time) =
            tokio::join!(join_all(stopping), timeout(limit, registry.none_busy()));
        let stopped = ended.len();
        let cut: Vec<Cut> = ended
            .into_iter()
            .filter(|cut| cut.connections > 0 || cut.task)
            .collect();
        let unfinished = registry.names();
        debug!(stopped, ?cut, ?unfinished, "manager shut down");
        ShutdownReport {
            stopped,
            cut,
            unfinished,
        }
    }

    async fn in_time<T>(&self, call: impl Future<Output = T>) -> Result<T, Error> {
        let after = self.inner.config.call_timeout;
        timeout(after, call)
            .await
            .map_err(|_| Error::CallTimeout { after })
    }
}

/// What a task gets to notice that it was aborted. Only one that blocks its thread needs longer.
const CUT_TIME: Duration = Duration::from_secs(1);
