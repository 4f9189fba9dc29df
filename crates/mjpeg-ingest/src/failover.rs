//! Several sources for one stream, in order of preference.

mod lane;

use std::{
    fmt,
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_util::Stream;
use tokio::time::Instant;

use self::lane::{Lane, LaneHealth};
use crate::{
    config::IngestConfig, control::Control, event::Event, ingest::Ingest, source::Source,
    timer::Timer,
};

/// Reads the first of several sources that has frames, and returns to a better one when that is
/// stable again.
///
/// Normally, only the first source is connected. The next source is connected too when the first
/// has sent no frame for [`failover_after`](IngestConfig::failover_after) (5 s), or at once when it
/// never had a frame and cannot be reached; and so on. Earlier sources are retried all the while,
/// each over one connection. When one of them has had frames without a break for
/// [`return_after`](IngestConfig::return_after) (10 s), it is used again, and those after it are
/// disconnected.
///
/// With one source it behaves like an [`Ingest`].
pub struct Failover {
    sources: Vec<Source>,
    config: IngestConfig,
    control: Control,
    /// The sources in use: the first ones of the list.
    lanes: Vec<Lane>,
    active: usize,
    /// It was paused, and has not resumed since.
    was_paused: bool,
    /// Which lane is polled first, so that a busy one does not starve the others.
    turn: usize,
    timer: Timer,
}

impl Failover {
    /// Makes a failover over these sources, the best first. Nothing happens before the first
    /// [`next`](Self::next). Without sources it has ended.
    pub fn new(sources: impl IntoIterator<Item = Source>, config: IngestConfig) -> Self {
        Self::with_control(sources, config, Control::new())
    }

    /// Makes a failover whose sources all obey this control.
    pub fn with_control(
        sources: impl IntoIterator<Item = Source>,
        config: IngestConfig,
        control: Control,
    ) -> Self {
        Self {
            sources: sources.into_iter().collect(),
            config,
            control,
            lanes: Vec::new(),
            active: 0,
            was_paused: false,
            turn: 0,
            timer: Timer::default(),
        }
    }

    /// Returns a handle that controls all sources while events are pulled.
    pub fn control(&self) -> Control {
        self.control.clone()
    }

    /// How many sources are connected or being retried, from the first one on.
    pub fn in_use(&self) -> usize {
        self.lanes.len()
    }

    /// Waits for the next event, and returns it with the index of its source. Returns `None`, from
    /// then on always, when all sources have ended for good.
    ///
    /// Frames come from one source at a time; the source of the last frame is in use. Of the other
    /// sources only frames and discarded bytes are left out.
    ///
    /// # Panics
    ///
    /// As [`Ingest::next`] does.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe, as [`Ingest::next`] is.
    pub async fn next(&mut self) -> Option<(usize, Event)> {
        poll_fn(|cx| self.poll_event(cx)).await
    }

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Option<(usize, Event)>> {
        loop {
            self.decide(Instant::now());
            if self.lanes.iter().all(|lane| lane.finished) {
                return Poll::Ready(None);
            }
            let Poll::Ready((index, event)) = self.poll_lanes(cx) else {
                let Some(at) = self.next_decision() else {
                    return Poll::Pending;
                };
                ready!(self.timer.poll(cx, at));
                continue;
            };
            let now = Instant::now();
            let Some(event) = event else {
                let lane = &mut self.lanes[index];
                lane.finished = true;
                lane.down(now);
                return Poll::Ready(Some((index, Event::Ended)));
            };
            if let Some(event) = self.filter(index, event, now) {
                return Poll::Ready(Some((index, event)));
            }
        }
    }

    /// Waits for the next event of any lane.
    fn poll_lanes(&mut self, cx: &mut Context<'_>) -> Poll<(usize, Option<Event>)> {
        let turn = self.turn;
        self.turn = self.turn.wrapping_add(1);
        let lanes = self.lanes.len();
        for index in (0..lanes).map(|n| (turn.wrapping_add(n)) % lanes) {
            let lane = &mut self.lanes[index];
            if lane.finished {
                continue;
            }
            if let Poll::Ready(event) = lane.ingest.poll_event(cx) {
                return Poll::Ready((index, event));
            }
        }
        Poll::Pending
    }

    /// Learns from an event, and holds it back if it is not for the owner.
    fn filter(&mut self, index: usize, event: Event, now: Instant) -> Option<Event> {
        let lane = &mut self.lanes[index];
        match &event {
            Event::Frame(_) => {
                lane.up(now);
                if index != self.active && self.lanes[self.active].is_up() {
                    return None;
                }
                self.active = index;
            }
            Event::Discarded { .. } if index != self.active => return None,
            Event::Offline { .. } | Event::Stalled { .. } => lane.down(now),
            Event::Paused => {
                lane.begin(now);
                self.was_paused = true;
            }
            _ => {}
        }
        Some(event)
    }

    /// Connects the next source, or drops those that are no longer needed, if it is time.
    fn decide(&mut self, now: Instant) {
        if self.was_paused && !self.control.is_paused() {
            self.was_paused = false;
            // During the pause no frames were expected.
            self.lanes.iter_mut().for_each(|lane| lane.begin(now));
        }
        self.settle(now);
        if self.may_open() && self.opens_at().is_none_or(|at| at <= now) {
            self.open(now);
        }
    }

    /// Returns to a better source that is stable again, and drops the sources after a stable one.
    fn settle(&mut self, now: Instant) {
        let stable = |lane: &Lane| lane.stable_at(self.config.return_after);
        let best = self
            .lanes
            .iter()
            .position(|lane| stable(lane).is_some_and(|at| at <= now));
        if let Some(best) = best.filter(|&best| best <= self.active) {
            self.active = best;
            self.lanes.truncate(best + 1);
        }
    }

    /// Whether another source exists and is needed.
    fn may_open(&self) -> bool {
        self.lanes.len() < self.sources.len()
            && self.lanes.iter().all(|lane| !lane.is_up())
            && (self.lanes.is_empty() || !self.control.is_paused())
    }

    /// When to connect the next source, if it is still needed then; `None` for now.
    fn opens_at(&self) -> Option<Instant> {
        match *self.lanes.last()? {
            Lane { finished: true, .. }
            | Lane {
                was_up: false,
                health: LaneHealth::Down { failed: true, .. },
                ..
            } => None,
            Lane {
                health: LaneHealth::Down { since, .. } | LaneHealth::Up { since },
                ..
            } => Some(since + self.config.failover_after),
        }
    }

    fn open(&mut self, now: Instant) {
        let source = self.sources[self.lanes.len()].clone();
        let (config, control) = (self.config.clone(), self.control.clone());
        self.lanes.push(Lane {
            ingest: Ingest::with_control(source, config, control),
            health: LaneHealth::Down {
                since: now,
                failed: false,
            },
            was_up: false,
            finished: false,
        });
    }

    /// When to decide again, unless an event comes first.
    fn next_decision(&self) -> Option<Instant> {
        let opens = self.opens_at().filter(|_| self.may_open());
        // No source follows the last one in use, so that its stability decides nothing.
        let unsettled = (self.active + 1).min(self.lanes.len() - 1);
        let settles = self.lanes[..unsettled]
            .iter()
            .filter_map(|lane| lane.stable_at(self.config.return_after))
            .min();
        opens.into_iter().chain(settles).min()
    }
}

/// As [`next`](Self::next).
impl Stream for Failover {
    type Item = (usize, Event);

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<(usize, Event)>> {
        self.get_mut().poll_event(cx)
    }
}

impl fmt::Debug for Failover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Failover")
            .field("sources", &self.sources)
            .field("active", &self.active)
            .finish_non_exhaustive()
    }
}
