//! The task that carries a camera's events to its viewers.

use std::{future::pending, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::FutureExt;
use mjpeg_fanout::{Consumer, Demand, Producer};
use mjpeg_ingest::{Backoff, Control, Event, Failover, IngestConfig, Source};
use tokio::{
    sync::{Notify, watch},
    time::{Instant, sleep_until},
};
use tracing::error;

use crate::{
    State, StreamSpec,
    monitor::Monitor,
    stand_in::{Scene, StandIn},
};

/// Runs until it is aborted.
pub(crate) struct Driver {
    spec: StreamSpec,
    config: IngestConfig,
    control: Control,
    sources: watch::Receiver<Vec<Source>>,
    /// Told when the stream is paused or resumed, which its sources see by themselves, if they are read.
    nudge: Arc<Notify>,
    monitor: Arc<Monitor>,
    demand: Demand,
    stand_in: StandIn,
    phase: Phase,
    /// Since when nobody has wanted frames.
    unwanted_since: Option<Instant>,
    panics: Panics,
    /// Last, so that it outlives all else: without it, viewers' responses end.
    producer: Producer,
}

enum Phase {
    Reads(Box<Failover>),
    /// Nobody wants frames.
    Idle,
    Ended,
    Failed {
        until: Instant,
    },
}

struct Panics {
    seed: u64,
    in_a_row: u32,
    last: Option<Instant>,
}

/// What a step of the driver waited for.
enum Woken {
    Event(Option<(usize, Event)>),
    Sources,
    /// Somebody has come or gone, or both.
    Demand,
    /// Time has passed, or it was paused or resumed.
    Other,
}

impl Driver {
    /// Takes a failover from whose sources something may have been read.
    pub(crate) fn new(
        spec: StreamSpec,
        config: IngestConfig,
        (sources, nudge): (watch::Receiver<Vec<Source>>, Arc<Notify>),
        monitor: Arc<Monitor>,
        (producer, consumer): (Producer, Consumer),
        failover: Failover,
    ) -> Self {
        Self {
            control: failover.control(),
            demand: producer.demand(),
            stand_in: StandIn::new(&spec, consumer, &producer),
            unwanted_since: None,
            phase: match spec.linger {
                Some(_) => Phase::Idle,
                None => Phase::Reads(Box::new(failover)),
            },
            panics: Panics::new(),
            spec,
            config,
            sources,
            nudge,
            monitor,
            producer,
        }
    }

    /// Runs until it is aborted. A panic costs a restart with backoff.
    pub(crate) async fn run(mut self) {
        loop {
            // What the panic may have left half-done is dropped with the phase; the monitor's figures stay readable.
            let outcome = AssertUnwindSafe(self.step()).catch_unwind().await;
            if outcome.is_err() {
                self.panicked();
            }
        }
    }

    async fn step(&mut self) {
        let now = Instant::now();
        self.turn(now);
        let scene = Scene::of(&self.monitor.seen());
        let tend_at = self.stand_in.tend(&scene, &self.producer, now);
        let deadline = tend_at.into_iter().chain(self.turns_at(now)).min();
        let woken = tokio::select! {
            event = next_of(&mut self.phase) => Woken::Event(event),
            () = changed(&mut self.sources) => Woken::Sources,
            _ = self.demand.changed() => Woken::Demand,
            () = self.nudge.notified() => Woken::Other,
            () = self.stand_in.drawn(&self.producer) => Woken::Other,
            () = alarm(deadline) => Woken::Other,
        };
        match woken {
            Woken::Event(Some((index, event))) => {
                self.monitor.apply(index, event, &self.producer, &self.spec);
                if let Phase::Reads(failover) = &self.phase {
                    self.monitor.let_go(failover.in_use(), &self.producer);
                }
            }
            Woken::Event(None) => {
                self.phase = Phase::Ended;
                self.monitor.ended(&self.producer);
            }
            Woken::Sources if matches!(self.phase, Phase::Idle) => {
                let sources = self.sources.borrow_and_update().clone();
                let resting = Some(self.resting());
                self.monitor.begin(&sources, resting, &self.producer);
            }
            Woken::Sources => self.begin(),
            // Also a snapshot that has come and gone meanwhile makes the camera linger anew.
            Woken::Demand => self.unwanted_since = None,
            Woken::Other => {}
        }
    }

    /// Goes on to the next phase if it is time.
    fn turn(&mut self, now: Instant) {
        if self.demand.now() > 0 {
            self.unwanted_since = None;
        } else {
            self.unwanted_since.get_or_insert(now);
        }
        if matches!(self.phase, Phase::Idle) {
            self.monitor.rest(self.resting(), &self.producer);
        }
        if self.turns_at(now).is_none_or(|at| at > now) {
            return;
        }
        match self.phase {
            Phase::Reads(_) => {
                self.phase = Phase::Idle;
                self.monitor.rest(self.resting(), &self.producer);
                // The next viewer is to see what is, not what was.
                self.producer.retire();
            }
            Phase::Idle | Phase::Failed { .. } => self.begin(),
            Phase::Ended => {}
        }
    }

    /// When it is time for the next phase, if that is known.
    fn turns_at(&self, now: Instant) -> Option<Instant> {
        match (&self.phase, self.unwanted_since) {
            (Phase::Reads(_), Some(since)) => Some(since + self.spec.linger?),
            (Phase::Idle, None) if !self.control.is_paused() => Some(now),
            (Phase::Failed { until }, _) => Some(*until),
            _ => None,
        }
    }

    /// How a stream is that reads nothing for want of viewers.
    fn resting(&self) -> State {
        if self.control.is_paused() {
            State::Paused
        } else {
            State::Idle
        }
    }

    /// Reads the sources from their beginning.
    fn begin(&mut self) {
        // Close the old connections before new ones are made: one connection per camera.
        self.phase = Phase::Ended;
        let sources = self.sources.borrow_and_update().clone();
        self.monitor.begin(&sources, None, &self.producer);
        let (config, control) = (self.config.clone(), self.control.clone());
        let failover = Failover::with_control(sources, config, control);
        self.phase = Phase::Reads(Box::new(failover));
    }

    fn panicked(&mut self) {
        self.phase = Phase::Ended;
        let now = Instant::now();
        let retry_in = self.panics.delay(now);
        error!(stream = %self.spec.name, ?retry_in, "the stream's task panicked; starting it again");
        self.monitor.panicked(retry_in, &self.producer);
        self.phase = Phase::Failed {
            until: now + retry_in,
        };
    }
}

impl Panics {
    fn new() -> Self {
        Self {
            seed: fastrand::u64(..),
            in_a_row: 0,
            last: None,
        }
    }

    /// How long to wait after a panic.
    fn delay(&mut self, now: Instant) -> Duration {
        let is_rare = |last: Instant| now.saturating_duration_since(last) >= STABLE_AFTER;
        if self.last.replace(now).is_some_and(is_rare) {
            self.in_a_row = 0;
        }
        self.in_a_row += 1;
        Backoff::default().delay(self.in_a_row - 1, self.seed)
    }
}

async fn next_of(phase: &mut Phase) -> Option<(usize, Event)> {
    match phase {
        Phase::Reads(failover) => failover.next().await,
        _ => pending().await,
    }
}

async fn changed(sources: &mut watch::Receiver<Vec<Source>>) {
    if sources.changed().await.is_err() {
        // The stream is being dropped, which aborts this task anyway.
        pending().await
    }
}

async fn alarm(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => pending().await,
    }
}

/// How long a stream must have run for a panic to count as the first again.
const STABLE_AFTER: Duration = Duration::from_secs(60);
