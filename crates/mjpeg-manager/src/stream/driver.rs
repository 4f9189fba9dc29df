//! The task that carries a camera's events to its viewers.

use std::{
    future::pending,
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use futures_util::FutureExt;
use mjpeg_codec::multipart::Via;
use mjpeg_fanout::{Consumer, Demand};
use mjpeg_ingest::{Control, Event, Failover, IngestConfig};
use tokio::{
    sync::{oneshot, watch},
    time::{Instant, sleep_until},
};
use tracing::error;

#[cfg(feature = "detect")]
use crate::stream::looker::Looker;
use crate::{
    spec::StreamSpec,
    state::StreamState,
    status::monitor::Monitor,
    stream::{
        panics::Panics,
        pipeline::{Pipeline, ingest_config},
        placeholder::{PlaceholderControl, Scene},
        sink::Sink,
        upstreams::Upstreams,
    },
};

/// Runs until it is aborted.
pub(crate) struct StreamDriver {
    spec: Arc<StreamSpec>,
    specs: watch::Receiver<Arc<StreamSpec>>,
    /// Tells which spec is in use.
    in_use: watch::Sender<Arc<StreamSpec>>,
    config: IngestConfig,
    control: Control,
    monitor: Arc<Monitor>,
    demand: Demand,
    placeholder: PlaceholderControl,
    state: DriverState,
    /// Fails when the publisher of a fed stream is dropped. `None` for other streams, and after it
    /// has failed.
    publisher: Option<oneshot::Receiver<()>>,
    /// Since when nobody has wanted frames.
    unwanted_since: Option<Instant>,
    upstreams: Upstreams,
    panics: Panics,
    #[cfg(feature = "detect")]
    looker: Looker,
    /// Last, so that it outlives the rest: viewers' responses end when it is dropped.
    sink: Arc<Sink>,
}

/// Where frames come from now.
enum DriverState {
    Sources(Box<Failover>),
    Publisher,
    /// Nobody wants frames.
    Idle,
    Ended,
    Failed {
        until: Instant,
    },
}

/// What a step of the driver waited for.
enum Woken {
    Event(Option<(usize, Event)>),
    Spec,
    /// Viewers have come, gone, or both.
    Demand,
    /// The program has published a frame that may be looked at.
    Fed,
    /// Time has passed, or the stream was paused or resumed.
    Other,
}

impl StreamDriver {
    /// Makes the driver of a stream with sources. `failover` may have been read from.
    pub(crate) fn new(
        specs: watch::Receiver<Arc<StreamSpec>>,
        config: IngestConfig,
        failover: Failover,
        sink: Arc<Sink>,
        consumer: Consumer,
    ) -> Self {
        let control = failover.control();
        let mut driver = Self::with(specs, config, control, sink, consumer);
        driver.state = match driver.spec.linger() {
            Some(_) => DriverState::Idle,
            None => DriverState::Sources(Box::new(failover)),
        };
        driver
    }

    /// Makes the driver of a fed stream.
    pub(crate) fn fed(
        specs: watch::Receiver<Arc<StreamSpec>>,
        publisher: oneshot::Receiver<()>,
        sink: Arc<Sink>,
        consumer: Consumer,
    ) -> Self {
        let (config, control) = (IngestConfig::default(), Control::new());
        let mut driver = Self::with(specs, config, control, sink, consumer);
        driver.publisher = Some(publisher);
        driver.state = DriverState::Publisher;
        driver
    }

    fn with(
        mut specs: watch::Receiver<Arc<StreamSpec>>,
        config: IngestConfig,
        control: Control,
        sink: Arc<Sink>,
        consumer: Consumer,
    ) -> Self {
        let spec = Arc::clone(&specs.borrow_and_update());
        Self {
            placeholder: PlaceholderControl::new(&spec, consumer, &sink.producer),
            demand: sink.producer.demand(),
            monitor: Arc::clone(&sink.monitor),
            state: DriverState::Ended,
            publisher: None,
            unwanted_since: None,
            upstreams: Upstreams::default(),
            panics: Panics::new(),
            #[cfg(feature = "detect")]
            looker: Looker::default(),
            in_use: watch::Sender::new(Arc::clone(&spec)),
            spec,
            specs,
            config,
            control,
            sink,
        }
    }

    /// Follows which spec is in use.
    pub(crate) fn in_use(&self) -> watch::Receiver<Arc<StreamSpec>> {
        self.in_use.subscribe()
    }

    /// Runs until it is aborted. A panic costs a restart with backoff.
    pub(crate) async fn run(mut self) {
        loop {
            // What the panic may have left half-done is dropped together with `state`; the
            // record stays readable.
            let outcome = AssertUnwindSafe(self.step()).catch_unwind().await;
            if outcome.is_err() {
                self.panicked();
            }
        }
    }

    async fn step(&mut self) {
        let now = Instant::now();
        self.turn(now);
        self.sink.sync_status();
        let producer = &self.sink.producer;
        let scene = Scene::of(&self.monitor.record());
        let tend_at = self.placeholder.tend(&scene, &self.spec, producer, now);
        let times = [
            tend_at,
            self.turns_at(now),
            self.monitor.tell_suppressed(now),
        ];
        let deadline = times.into_iter().flatten().min();
        let is_fed = matches!(self.state, DriverState::Publisher);
        #[cfg(feature = "detect")]
        let look = self.looker.due(&self.sink, self.spec.detect());
        #[cfg(not(feature = "detect"))]
        let look = pending();
        let woken = tokio::select! {
            event = next_event(&mut self.state, &mut self.publisher) => Woken::Event(event),
            () = spec_changed(&mut self.specs) => Woken::Spec,
            _ = self.demand.changed() => Woken::Demand,
            () = look, if is_fed => Woken::Fed,
            () = self.control.changed() => Woken::Other,
            () = self.placeholder.worked(producer) => Woken::Other,
            () = timer(deadline) => Woken::Other,
        };
        match woken {
            Woken::Event(Some((index, event))) => self.event(index, event).await,
            Woken::Event(None) => {
                self.state = DriverState::Ended;
                self.monitor.ended();
            }
            Woken::Spec => {
                self.reconfigure();
                self.in_use.send_replace(Arc::clone(&self.spec));
            }
            // A snapshot that came and went meanwhile restarts the linger time too.
            Woken::Demand => self.unwanted_since = None,
            Woken::Fed => self.look().await,
            Woken::Other => {}
        }
    }

    async fn event(&mut self, index: usize, event: Event) {
        if let Some(via) = self.upstreams.record(index, &event) {
            self.sink.producer.set_via(via);
        }
        match event {
            Event::Frame(captured) => {
                if captured.in_burst {
                    // Viewers that are ready have not had the frame before it yet.
                    self.sink.producer.taken().await;
                }
                self.monitor.frame_from(index);
                let pipeline = Pipeline::of(&self.spec);
                self.sink
                    .frame_in_slices(captured.frame, captured.stamp, pipeline)
                    .await;
                self.look().await;
            }
            event => self.monitor.source_event(index, event),
        }
        if let DriverState::Sources(failover) = &self.state {
            self.monitor.disconnected_from(failover.in_use());
        }
    }

    /// Looks at the newest picture if that is asked for.
    async fn look(&mut self) {
        #[cfg(feature = "detect")]
        self.looker.look(&self.sink, self.spec.detect()).await;
    }

    /// Takes over a new spec. The camera stays connected unless the sources have changed.
    fn reconfigure(&mut self) {
        let spec = Arc::clone(&self.specs.borrow_and_update());
        let old = mem::replace(&mut self.spec, spec);
        self.placeholder
            .configure(&self.spec, &old, &self.sink.producer);
        if self.spec.sources() == old.sources() {
            return;
        }
        match self.state {
            DriverState::Idle => {
                let resting = Some(self.resting());
                self.monitor.begin(self.spec.sources(), resting);
            }
            _ => self.begin(),
        }
    }

    /// Starts or ends reading if it is time.
    fn turn(&mut self, now: Instant) {
        if self.demand.now() > 0 {
            self.unwanted_since = None;
        } else {
            self.unwanted_since.get_or_insert(now);
        }
        if matches!(self.state, DriverState::Idle) {
            self.monitor.rest(self.resting());
        }
        if self.turns_at(now).is_none_or(|at| at > now) {
            return;
        }
        match self.state {
            DriverState::Sources(_) => {
                self.state = DriverState::Idle;
                self.monitor.rest(self.resting());
                // The next viewer must not be shown an old picture as the present one.
                self.sink.producer.retire();
                self.forget_relays();
            }
            DriverState::Idle | DriverState::Failed { .. } => self.begin(),
            DriverState::Publisher | DriverState::Ended => {}
        }
    }

    /// When it is time to start or end reading, if that is known.
    fn turns_at(&self, now: Instant) -> Option<Instant> {
        let is_wanted = self.unwanted_since.is_none() || self.spec.linger().is_none();
        match (&self.state, self.unwanted_since) {
            (DriverState::Sources(_), Some(since)) => Some(since + self.spec.linger()?),
            (DriverState::Idle, _) if is_wanted && !self.control.is_paused() => Some(now),
            (DriverState::Failed { until }, _) => Some(*until),
            _ => None,
        }
    }

    /// The state of a stream that is not read.
    fn resting(&self) -> StreamState {
        if self.control.is_paused() {
            StreamState::Paused
        } else {
            StreamState::Idle
        }
    }

    /// No source is connected any more.
    fn forget_relays(&mut self) {
        self.upstreams = Upstreams::default();
        self.sink.producer.set_via(Via::default());
    }

    /// Starts over with the first source.
    fn begin(&mut self) {
        // Close the old connections before new ones are made: one connection per camera.
        self.state = DriverState::Ended;
        self.forget_relays();
        if self.publisher.is_some() {
            self.monitor.begin(&[], Some(StreamState::Connecting));
            self.state = DriverState::Publisher;
            return;
        }
        let sources = self.spec.sources();
        self.monitor.begin(sources, None);
        let config = ingest_config(&self.config, &self.spec);
        let control = self.control.clone();
        let failover = Failover::with_control(sources.iter().cloned(), config, control);
        self.state = DriverState::Sources(Box::new(failover));
    }

    fn panicked(&mut self) {
        let state = mem::replace(&mut self.state, DriverState::Ended);
        // What has panicked while it was read may do so again when it is dropped. That is the same
        // failure, and counted once.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(state)));
        let now = Instant::now();
        let retry_in = self.panics.delay(now);
        let stream = self.spec.name();
        let retry_seconds = retry_in.as_secs_f64();
        error!(%stream, retry_seconds, "the stream's task panicked; starting it again");
        self.monitor.panicked(retry_in);
        self.in_use.send_replace(Arc::clone(&self.spec));
        self.state = DriverState::Failed {
            until: now + retry_in,
        };
    }
}

/// Waits for the next event of the sources, or for the end of the publisher.
async fn next_event(
    state: &mut DriverState,
    publisher: &mut Option<oneshot::Receiver<()>>,
) -> Option<(usize, Event)> {
    match (state, &mut *publisher) {
        (DriverState::Sources(failover), _) => failover.next().await,
        (DriverState::Publisher, Some(dropped)) => {
            // Nothing is ever sent: this is an error.
            let _ = dropped.await;
            *publisher = None;
            None
        }
        (DriverState::Publisher, None) => None,
        _ => pending().await,
    }
}

async fn spec_changed(specs: &mut watch::Receiver<Arc<StreamSpec>>) {
    if specs.changed().await.is_err() {
        // The stream is being dropped, which aborts this task anyway.
        pending().await
    }
}

async fn timer(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => pending().await,
    }
}
