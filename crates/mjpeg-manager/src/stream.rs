//! One running stream.

pub(crate) mod driver;
pub(crate) mod fed;
#[cfg(feature = "listener")]
pub(crate) mod http;
#[cfg(feature = "detect")]
mod looker;
pub(crate) mod outlet;
mod panics;
pub(crate) mod pipeline;
pub(crate) mod placeholder;
pub(crate) mod reach;
#[cfg(feature = "replay")]
mod replay;
pub(crate) mod sink;
pub(crate) mod upstreams;

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use mjpeg_fanout::Consumer;
use mjpeg_ingest::{Control, Failover};
use tokio::{sync::watch, task::JoinHandle};

use crate::{
    config::ManagerConfig,
    error::{Error, InvalidSpec},
    event::EventSender,
    spec::{StartMode, StreamSpec},
    state::StreamState,
    status::{info::StreamInfo, monitor::Monitor},
    stream::{
        driver::StreamDriver,
        fed::Publisher,
        outlet::{OutletFactory, Outlets},
        pipeline::ingest_config,
        reach::reach,
        sink::Sink,
    },
};

/// What the streams of a manager share.
#[derive(Debug)]
pub(crate) struct StreamContext {
    pub(crate) config: ManagerConfig,
    pub(crate) outlets: Vec<Arc<dyn OutletFactory>>,
    pub(crate) events: EventSender,
    /// What all streams keep for replay is bounded together.
    #[cfg(feature = "replay")]
    pub(crate) replay: mjpeg_fanout::RingMemory,
}

/// A stream and everything it owns. Dropping it ends all of that.
#[derive(Debug)]
pub(crate) struct RunningStream {
    /// How the stream's task is configured. Pausing and retrying are commands, by `control`.
    spec: watch::Sender<Arc<StreamSpec>>,
    /// The spec that the task uses, which is the same soon after a change.
    in_use: watch::Receiver<Arc<StreamSpec>>,
    control: Control,
    monitor: Arc<Monitor>,
    consumer: Consumer,
    /// Where viewers connect.
    listen: Mutex<Option<SocketAddr>>,
    grace: Duration,
    /// Locked while the stream is changed or stopped.
    owned: tokio::sync::Mutex<Owned>,
}

/// What must be ended. Dropping it does so.
#[derive(Debug)]
struct Owned {
    outlets: Outlets,
    /// Drives the camera; owns the producer.
    task: JoinHandle<()>,
    #[cfg(feature = "replay")]
    replay: replay::ReplayTask,
    is_stopped: bool,
}

/// A stream that is being started: what is there before its camera is.
struct Starting {
    specs: watch::Sender<Arc<StreamSpec>>,
    outlets: Outlets,
    listen: Option<SocketAddr>,
    monitor: Arc<Monitor>,
    sink: Arc<Sink>,
    consumer: Consumer,
}

impl RunningStream {
    /// Takes the port, reaches the camera if that is required, and only then begins to serve.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future undoes all.
    pub(crate) async fn start(spec: StreamSpec, context: &StreamContext) -> Result<Self, Error> {
        if spec.sources().is_empty() {
            return Err(InvalidSpec::NoSource.into());
        }
        let starting = Starting::bind(spec, context)?;
        let spec = Arc::clone(&starting.specs.borrow());
        let ingest = context.config.ingest().clone();
        let config = ingest_config(&ingest, &spec);
        let mut failover = Failover::new(spec.sources().iter().cloned(), config);
        if spec.mode() == StartMode::Require {
            reach(&mut failover, &spec, &starting.monitor).await?;
        }
        let control = failover.control();
        let (specs, sink) = (starting.specs.subscribe(), Arc::clone(&starting.sink));
        let driver = StreamDriver::new(specs, ingest, failover, sink, starting.consumer.clone());
        Ok(starting.serve(driver, control, context))
    }

    /// Starts a stream that the returned publisher feeds.
    pub(crate) fn start_fed(
        spec: StreamSpec,
        context: &StreamContext,
    ) -> Result<(Self, Publisher), Error> {
        if !spec.sources().is_empty() {
            return Err(InvalidSpec::FedWithSource.into());
        }
        let starting = Starting::bind(spec, context)?;
        let (publisher, dropped) = Publisher::new(&starting.sink, starting.specs.subscribe());
        let (specs, sink) = (starting.specs.subscribe(), Arc::clone(&starting.sink));
        let driver = StreamDriver::fed(specs, dropped, sink, starting.consumer.clone());
        let stream = starting.serve(driver, Control::new(), context);
        Ok((stream, publisher))
    }

    /// Replaces the spec by what `change` makes of it. Returns when the stream's task uses it, the
    /// new port accepts viewers, and the old one does not.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSpec`], [`Error::NotFound`] if the stream was stopped meanwhile, and those
    /// of [`Outlet::bind`](outlet::Outlet::bind). Nothing has changed then.
    ///
    /// # Cancel safety
    ///
    /// A dropped future has changed all or nothing.
    pub(crate) async fn apply(
        &self,
        change: impl FnOnce(&StreamSpec) -> StreamSpec,
    ) -> Result<(), Error> {
        let mut owned = self.owned.lock().await;
        let old = self.spec();
        if owned.is_stopped {
            let name = old.name().to_string();
            return Err(Error::NotFound { name });
        }
        let mut new = change(&old);
        if new == *old {
            return Ok(());
        }
        if new.sources() == old.sources() {
            // What is read goes on with what belongs to it, such as an inlet.
            new = new.with_sources(old.sources().iter().cloned());
        }
        match (old.sources().is_empty(), new.sources().is_empty()) {
            (false, true) => return Err(InvalidSpec::NoSource.into()),
            (true, false) => return Err(InvalidSpec::FedWithSource.into()),
            _ => new.validate()?,
        }
        let listen = owned.outlets.bind(&new)?;
        owned.outlets.serve(&self.consumer);
        *self.listen.lock().unwrap_or_else(PoisonError::into_inner) = listen;
        let new = Arc::new(new);
        self.monitor.configure(&new);
        self.spec.send_replace(Arc::clone(&new));
        owned.outlets.settled().await;
        // An error means that the task has ended, which it does only when it is aborted.
        let mut in_use = self.in_use.clone();
        let _ = in_use.wait_for(|spec| Arc::ptr_eq(spec, &new)).await;
        Ok(())
    }

    /// Ends the responses, frees the port, and disconnects the camera. Returns when all tasks have
    /// ended, with the number of responses that had to be cut.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future, and then the stream, ends all at once.
    pub(crate) async fn stop(&self) -> usize {
        let mut owned = self.owned.lock().await;
        owned.is_stopped = true;
        let cut = owned.outlets.stop(self.grace).await;
        owned.task.abort();
        // An error is the abort just asked for.
        let _ = (&mut owned.task).await;
        #[cfg(feature = "replay")]
        owned.replay.stop().await;
        cut
    }

    pub(crate) fn control(&self) -> &Control {
        &self.control
    }

    pub(crate) fn monitor(&self) -> &Monitor {
        &self.monitor
    }

    pub(crate) fn consumer(&self) -> Consumer {
        self.consumer.clone()
    }

    pub(crate) fn spec(&self) -> Arc<StreamSpec> {
        Arc::clone(&self.spec.borrow())
    }

    /// Follows the state of the stream's camera.
    pub(crate) fn states(&self) -> watch::Receiver<StreamState> {
        self.monitor.states()
    }

    pub(crate) fn info(&self) -> StreamInfo {
        let spec = self.spec();
        let listen = *self.listen.lock().unwrap_or_else(PoisonError::into_inner);
        let record = self.monitor.record();
        StreamInfo {
            name: spec.name().clone(),
            source: record.source(),
            sources: record.sources.clone(),
            on_demand: spec.linger().is_some(),
            mode: spec.mode(),
            listen,
            peer: record.peer(),
            state: record.state.clone(),
            since: record.since,
            frozen_since: record.freeze.since(),
            detected: record.detected.clone(),
            detections: record.detections.clone(),
            undetectable: record.undetectable,
            size: record.size,
            fps: self.consumer.fps(),
            frames: record.frames,
            bytes: record.bytes,
            received_bytes: record.received_bytes,
            discarded: record.discarded.clone(),
            repaired: record.repaired.clone(),
            viewers: self.consumer.viewers(),
            reconnects: record.connections.saturating_sub(1),
            failures: record.failures.clone(),
            last_error: record.last_error.clone(),
            panics: record.panics,
            #[cfg(feature = "replay")]
            replay: spec
                .replay()
                .and_then(|_| self.consumer.replay())
                .map(|ring| replay::info(&ring)),
            #[cfg(not(feature = "replay"))]
            replay: None,
        }
    }
}

impl Starting {
    /// Checks the spec and takes the port.
    fn bind(spec: StreamSpec, context: &StreamContext) -> Result<Self, Error> {
        spec.validate()?;
        let mut outlets = Outlets::new(&context.outlets, spec.name());
        let listen = outlets.bind(&spec)?;
        let (producer, consumer) = mjpeg_fanout::channel();
        let monitor = Arc::new(Monitor::new(&spec, context.events.clone()));
        let sink = Sink::new(Arc::clone(&monitor), producer, consumer.clone());
        Ok(Self {
            specs: watch::Sender::new(Arc::new(spec)),
            outlets,
            listen,
            monitor,
            sink: Arc::new(sink),
            consumer,
        })
    }

    /// Starts the task and lets viewers in.
    fn serve(
        self,
        driver: StreamDriver,
        control: Control,
        context: &StreamContext,
    ) -> RunningStream {
        let mut outlets = self.outlets;
        #[cfg(feature = "replay")]
        let replay = replay::ReplayTask::start(
            self.specs.subscribe(),
            &self.sink.producer,
            self.consumer.clone(),
            &context.replay,
        );
        let in_use = driver.in_use();
        let task = tokio::spawn(driver.run());
        outlets.serve(&self.consumer);
        RunningStream {
            spec: self.specs,
            in_use,
            control,
            monitor: self.monitor,
            consumer: self.consumer,
            listen: Mutex::new(self.listen),
            grace: context.config.shutdown_grace(),
            owned: tokio::sync::Mutex::new(Owned {
                outlets,
                task,
                #[cfg(feature = "replay")]
                replay,
                is_stopped: false,
            }),
        }
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        self.task.abort();
    }
}
