//! The manager: the calls on streams, their limits, shutdown.

use std::{future::Future, sync::Arc, time::Duration};

use futures_util::future::join_all;
use mjpeg_fanout::Consumer;
#[cfg(feature = "http-listen")]
use mjpeg_ingest::Inlet;
use mjpeg_ingest::Source;
use tokio::time::timeout;
use tracing::{debug, field::display, info};

use crate::{
    config::ManagerConfig,
    error::{Error, InvalidSpec},
    event::{EventSender, Events},
    registry::{Busy, Registry},
    spec::StreamSpec,
    state::StreamState,
    status::info::{CutStream, ManagerStats, ShutdownReport, StreamInfo},
    stream::{RunningStream, StreamContext, fed::Publisher, outlet::OutletFactory},
    subscription::Subscription,
};

/// Runs streams by name. Cheap to clone; all clones are one manager. See the
/// [contract](crate#contract).
///
/// Its methods must be called within a tokio runtime.
#[derive(Clone, Debug)]
pub struct Manager {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    context: StreamContext,
    registry: Registry,
}

impl Manager {
    /// Makes a manager whose streams are served by no outlet: frames are taken with
    /// [`subscribe`](Self::subscribe).
    pub fn new(config: ManagerConfig) -> Self {
        Self::with_outlets(config, [])
    }

    /// Makes a manager whose streams are each served by an outlet of each of these factories, such
    /// as `HttpOutlet` (feature `listener`).
    pub fn with_outlets(
        config: ManagerConfig,
        outlets: impl IntoIterator<Item = Arc<dyn OutletFactory>>,
    ) -> Self {
        let inner = Inner {
            registry: Registry::new(config.max_streams()),
            context: StreamContext {
                #[cfg(feature = "replay")]
                replay: mjpeg_fanout::RingMemory::new(config.max_replay_bytes()),
                config,
                outlets: outlets.into_iter().collect(),
                events: EventSender::new(),
            },
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// Returns the limits and times.
    pub fn config(&self) -> &ManagerConfig {
        &self.inner.context.config
    }

    /// Replaces the limit on the memory that the frames which streams keep for replay may take in
    /// all: see [`ManagerConfig::with_max_replay_bytes`]. If it is lower, memory is freed as new
    /// frames come.
    #[cfg(feature = "replay")]
    pub fn set_max_replay_bytes(&self, bytes: usize) {
        self.inner.context.replay.set_max_bytes(bytes);
    }

    /// Starts a stream: takes its port, connects to its camera as its
    /// [mode](StreamSpec::with_mode) wants, and serves it.
    ///
    /// # Errors
    ///
    /// All of [`Error`] but `NotFound`. A failed start leaves nothing behind, and the name is free
    /// again.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future undoes the start.
    pub async fn start(&self, spec: StreamSpec) -> Result<StreamInfo, Error> {
        let Inner { context, registry } = &*self.inner;
        let reserved = registry.reserve(spec.name())?;
        let after = context.config.start_timeout();
        let starting = async {
            let started = timeout(after, RunningStream::start(spec, context)).await;
            started.unwrap_or(Err(Error::StartTimeout { after }))
        };
        let stream = tokio::select! {
            biased;
            () = registry.shut_down() => return Err(Error::ShutDown),
            started = self.in_time(starting) => started??,
        };
        self.enter(&reserved, stream).await
    }

    /// Starts a [fed](StreamSpec::fed) stream: takes its port and serves what the returned
    /// publisher is given.
    ///
    /// Pausing and retrying do nothing to such a stream.
    ///
    /// # Errors
    ///
    /// As those of [`start`](Self::start); [`InvalidSpec::FedWithSource`] if it has a source. A
    /// failed start leaves nothing behind.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future undoes the start.
    pub async fn start_fed(&self, spec: StreamSpec) -> Result<Publisher, Error> {
        let Inner { context, registry } = &*self.inner;
        let reserved = registry.reserve(spec.name())?;
        let (stream, publisher) = RunningStream::start_fed(spec, context)?;
        self.enter(&reserved, stream).await?;
        Ok(publisher)
    }

    /// Stops a stream: ends its viewers' responses, frees its port and disconnects its camera. All
    /// that has happened when it returns.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`]; [`Error::CallTimeout`] if it does not end in time, by itself or cut. It
    /// is aborted then.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future aborts the stream without waiting for its end.
    pub async fn stop(&self, name: &str) -> Result<(), Error> {
        let (stream, _busy) = self.inner.registry.take(name)?;
        let cut = self.in_time(stream.stop()).await?;
        info!(stream = name, cut, "stream stopped");
        stream.monitor().stopped();
        Ok(())
    }

    /// Replaces the spec of the running stream that has the spec's name. Viewers keep their
    /// responses, whatever changes.
    ///
    /// * Sources: if they differ, the camera is disconnected and the first new source connected;
    ///   the stream's state shows how that goes. If they are the same, the connection is not
    ///   touched.
    /// * Listen: the new port is taken first, and the old one then accepts no more connections.
    ///   When the call returns, that has happened.
    /// * Everything else takes effect without a reconnect. The mode has no effect on a stream that
    ///   runs.
    ///
    /// Frames that come after the call has returned are treated as the new spec says. Does nothing
    /// if the spec is the same.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`]; [`Error::InvalidSpec`]; [`Error::PortInUse`], [`Error::ListenFailed`]
    /// or [`Error::OutletFailed`] for the new port. Nothing has changed then.
    /// [`Error::CallTimeout`] if another call on this stream, or the end of the old port, takes too
    /// long.
    ///
    /// # Cancel safety
    ///
    /// After dropping the future, either all has changed or nothing.
    pub async fn apply(&self, spec: StreamSpec) -> Result<StreamInfo, Error> {
        let stream = self.inner.registry.get(spec.name().as_str())?;
        self.in_time(stream.apply(|_| spec)).await??;
        Ok(stream.info())
    }

    /// Gives a running stream other sources, the preferred one first. Viewers keep their responses,
    /// and get the frames of the new sources.
    ///
    /// A shorthand for [`apply`](Self::apply).
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`]; [`Error::InvalidSpec`] if there are none or they do not go with the
    /// rest of the spec.
    ///
    /// # Cancel safety
    ///
    /// After dropping the future, either all has changed or nothing.
    pub async fn set_sources(
        &self,
        name: &str,
        sources: impl IntoIterator<Item = Source>,
    ) -> Result<(), Error> {
        let stream = self.inner.registry.get(name)?;
        let sources: Vec<Source> = sources.into_iter().collect();
        if sources.is_empty() {
            return Err(InvalidSpec::NoSource.into());
        }
        let change = |spec: &StreamSpec| spec.clone().with_sources(sources);
        self.in_time(stream.apply(change)).await?
    }

    /// Reads the spec of a running stream.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], or [`Error::ShutDown`] after a [`shutdown`](Self::shutdown).
    pub fn spec(&self, name: &str) -> Result<Arc<StreamSpec>, Error> {
        Ok(self.inner.registry.get(name)?.spec())
    }

    /// Returns where the pictures of a running stream are handed in, if `push:` is among its
    /// sources. (Feature `http-listen`.)
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`].
    #[cfg(feature = "http-listen")]
    pub fn inlet(&self, name: &str) -> Result<Option<Inlet>, Error> {
        let spec = self.spec(name)?;
        Ok(spec.sources().iter().find_map(Source::inlet).cloned())
    }

    /// Reads one stream.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], or [`Error::ShutDown`] after a [`shutdown`](Self::shutdown).
    pub fn get(&self, name: &str) -> Result<StreamInfo, Error> {
        Ok(self.inner.registry.get(name)?.info())
    }

    /// Reads all streams, by name, without those that are just being started or stopped.
    pub fn list(&self) -> Vec<StreamInfo> {
        let streams = self.inner.registry.all();
        streams.iter().map(|stream| stream.info()).collect()
    }

    /// Reads what is counted over all streams.
    pub fn stats(&self) -> ManagerStats {
        let registry = &self.inner.registry;
        ManagerStats {
            streams: registry.names().len(),
            streams_refused: registry.refused(),
        }
    }

    /// Waits until the state of a stream is as wanted, and reads the stream then. Returns at once
    /// if it is already. Sees each state that lasts; one that comes and goes may be missed.
    ///
    /// ```no_run
    /// # use mjpeg_manager::{Error, Manager, StreamState};
    /// # async fn example(manager: Manager) -> Result<(), Error> {
    /// manager.wait_for("door", |state| *state == StreamState::Online).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if there is no such stream, or if it is stopped meanwhile;
    /// [`Error::ShutDown`] after a [`shutdown`](Self::shutdown).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn wait_for(
        &self,
        name: &str,
        wanted: impl FnMut(&StreamState) -> bool,
    ) -> Result<StreamInfo, Error> {
        // The stream itself must not be kept alive by the wait.
        let mut states = self.inner.registry.get(name)?.states();
        let waited = states.wait_for(wanted).await.map(|_| ());
        waited.map_err(|_| Error::NotFound { name: name.into() })?;
        self.get(name)
    }

    /// Disconnects a stream's camera until [`resume`](Self::resume). Viewers keep the last frame,
    /// then get the placeholder, if there is one.
    ///
    /// Does not wait: the stream's state shows when it is done. Does nothing to a source that has
    /// ended.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], or [`Error::ShutDown`] after a [`shutdown`](Self::shutdown).
    pub fn pause(&self, name: &str) -> Result<(), Error> {
        self.inner.registry.get(name)?.control().pause();
        Ok(())
    }

    /// Connects the camera of a paused stream again, at once. Does nothing to others.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], or [`Error::ShutDown`] after a [`shutdown`](Self::shutdown).
    pub fn resume(&self, name: &str) -> Result<(), Error> {
        self.inner.registry.get(name)?.control().resume();
        Ok(())
    }

    /// Retries an offline camera now instead of at the end of its backoff. Does nothing to others.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], or [`Error::ShutDown`] after a [`shutdown`](Self::shutdown).
    pub fn retry_now(&self, name: &str) -> Result<(), Error> {
        self.inner.registry.get(name)?.control().retry_now();
        Ok(())
    }

    /// Subscribes to what happens to all streams from now on.
    pub fn events(&self) -> Events {
        self.inner.context.events.subscribe()
    }

    /// Takes a stream's frames, as a viewer does: the camera of a stream
    /// [on demand](StreamSpec::with_on_demand) stays connected while the subscription lives.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], or [`Error::ShutDown`] after a [`shutdown`](Self::shutdown).
    pub fn subscribe(&self, name: &str) -> Result<Subscription, Error> {
        self.observe(name).map(Subscription::new)
    }

    /// Takes those frames of a stream that viewers and subscribers want anyway: the camera of a
    /// stream on demand is not connected for it, so that no frame may ever come.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], or [`Error::ShutDown`] after a [`shutdown`](Self::shutdown).
    pub fn observe(&self, name: &str) -> Result<Consumer, Error> {
        Ok(self.inner.registry.get(name)?.consumer())
    }

    /// Stops all streams at once and starts no more. Starts in progress fail with
    /// [`Error::ShutDown`].
    ///
    /// Viewers' responses have the [grace](ManagerConfig::with_shutdown_grace) to end (5 s), then
    /// they are cut; the report says which.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future aborts what has not ended yet.
    pub async fn shutdown(&self) -> ShutdownReport {
        let Inner { context, registry } = &*self.inner;
        let limit = context.config.shutdown_grace() + CUT_TIME;
        let stopping = registry.take_all().into_iter().map(async |(name, stream)| {
            let ended = timeout(limit, stream.stop()).await;
            stream.monitor().stopped();
            CutStream {
                name,
                connections: *ended.as_ref().unwrap_or(&0),
                task: ended.is_err(),
            }
        });
        // Other calls in progress end by themselves: a start notices, a stop has its own limits.
        let (ended, _in_time) =
            tokio::join!(join_all(stopping), timeout(limit, registry.none_busy()));
        let stopped = ended.len();
        let cut: Vec<CutStream> = ended
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

    /// Makes a started stream visible, unless the manager was shut down meanwhile.
    async fn enter(&self, name: &Busy<'_>, stream: RunningStream) -> Result<StreamInfo, Error> {
        let stream = Arc::new(stream);
        let info = stream.info();
        if !name.fill(&stream) {
            stream.stop().await;
            return Err(Error::ShutDown);
        }
        let listen = info.listen.map(display);
        info!(stream = %info.name, source = info.source, listen, "stream started");
        Ok(info)
    }

    async fn in_time<T>(&self, call: impl Future<Output = T>) -> Result<T, Error> {
        let after = self.inner.context.config.call_timeout();
        timeout(after, call)
            .await
            .map_err(|_| Error::CallTimeout { after })
    }
}

/// How long a task gets to notice that it was aborted, and an [`apply`](Manager::apply) in progress
/// to let go of a port it has left. Only a task that blocks its thread needs longer.
const CUT_TIME: Duration = Duration::from_secs(2);
