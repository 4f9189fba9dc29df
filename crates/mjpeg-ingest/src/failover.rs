//! Several sources for one stream, in order of preference.

use std::{
    fmt,
    future::{Future, poll_fn},
    task::Poll,
    time::Duration,
};

use tokio::time::{Instant, timeout_at};

use crate::{Control, Event, Ingest, IngestConfig, Source};

/// Reads the first of several sources that has frames, and goes back to a better one when that is stable again.
///
/// While all goes well, only the first source is connected. When no frame comes from it for
/// [`failover_after`](IngestConfig::failover_after) (5 s), or at once if it never had one and cannot be reached, the next source is connected too, and
/// so on. Those before it are tried all the while, each over one connection. When one of them has had frames without a break for
/// [`return_after`](IngestConfig::return_after) (10 s), it is taken again, and those behind it are disconnected.
///
/// With one source it is an [`Ingest`].
pub struct Failover {
    sources: Vec<Source>,
    config: IngestConfig,
    control: Control,
    /// The sources in use; a beginning of the list.
    lanes: Vec<Lane>,
    active: usize,
    /// It was paused, and has not gone on since.
    was_paused: bool,
    /// Which lane is asked first, so that none that always has something keeps the others waiting.
    turn: usize,
}

struct Lane {
    ingest: Ingest,
    health: Health,
    /// It has had a frame.
    was_up: bool,
    finished: bool,
}

#[derive(Clone, Copy)]
enum Health {
    Down {
        since: Instant,
        /// An attempt has failed, or the camera has stalled.
        failed: bool,
    },
    Up {
        since: Instant,
    },
}

impl Failover {
    /// Makes a failover over these sources, the best first; nothing happens before the first [`next`](Self::next). One without sources has ended.
    pub fn new(sources: impl IntoIterator<Item = Source>, config: IngestConfig) -> Self {
        Self::with_control(sources, config, Control::new())
    }

    /// Makes a failover as [`new`](Self::new) does, all of whose sources are steered by this control.
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
        }
    }

    /// A handle to steer all sources with while events are pulled.
    pub fn control(&self) -> Control {
        self.control.clone()
    }

    /// How many sources are connected or being tried, from the first one on.
    pub fn in_use(&self) -> usize {
        self.lanes.len()
    }

    /// Waits for the next event, and tells which source it is of. `None`, for ever, when all sources have ended for good.
    ///
    /// Frames come from one source at a time; the one whose frame came last is in use. Of the others only frames and discarded bytes are left out.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe, as [`Ingest::next`] is.
    pub async fn next(&mut self) -> Option<(usize, Event)> {
        loop {
            let now = Instant::now();
            if self.was_paused && !self.control.is_paused() {
                self.was_paused = false;
                // The time of a pause is not one in which frames have failed to come.
                self.lanes.iter_mut().for_each(|lane| lane.begin(now));
            }
            self.settle(now);
            if self.may_open() && self.opens_at().is_none_or(|at| at <= now) {
                self.open(now);
            }
            if self.lanes.iter().all(|lane| lane.finished) {
                return None;
            }
            let deadline = self.next_decision();
            let Some((index, event)) = self.pull(deadline).await else {
                continue;
            };
            let Some(event) = event else {
                let lane = &mut self.lanes[index];
                lane.finished = true;
                lane.down(true);
                return Some((index, Event::Ended));
            };
            if let Some(event) = self.sort(index, event) {
                return Some((index, event));
            }
        }
    }

    /// Waits for one of the lanes; gives nothing when that time has come first.
    async fn pull(&mut self, until: Option<Instant>) -> Option<(usize, Option<Event>)> {
        let turn = self.turn;
        self.turn = self.turn.wrapping_add(1);
        let waiting = self.lanes.iter_mut().enumerate();
        let mut waiting: Vec<_> = waiting
            .filter(|(_, lane)| !lane.finished)
            .map(|(index, lane)| (index, Box::pin(lane.ingest.next())))
            .collect();
        let first = turn % waiting.len().max(1);
        waiting.rotate_left(first);
        let any = poll_fn(move |cx| {
            for (index, next) in &mut waiting {
                if let Poll::Ready(event) = next.as_mut().poll(cx) {
                    return Poll::Ready((*index, event));
                }
            }
            Poll::Pending
        });
        match until {
            Some(until) => timeout_at(until, any).await.ok(),
            None => Some(any.await),
        }
    }

    /// Learns from an event, and holds back what is not for the owner.
    fn sort(&mut self, index: usize, event: Event) -> Option<Event> {
        let lane = &mut self.lanes[index];
        match &event {
            Event::Frame(_) => {
                if let Health::Down { .. } = lane.health {
                    lane.health = Health::Up {
                        since: Instant::now(),
                    };
                }
                lane.was_up = true;
                if index != self.active && self.lanes[self.active].is_up() {
                    return None;
                }
                self.active = index;
            }
            Event::Discarded { .. } if index != self.active => return None,
            Event::Offline { .. } | Event::Stalled { .. } => lane.down(true),
            Event::Paused => {
                lane.begin(Instant::now());
                self.was_paused = true;
            }
            _ => {}
        }
        Some(event)
    }

    /// Takes a better source that is stable again, and lets go of those behind the one that is.
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

    /// Whether there is another source, and need of it.
    fn may_open(&self) -> bool {
        self.lanes.len() < self.sources.len()
            && self.lanes.iter().all(|lane| !lane.is_up())
            && (self.lanes.is_empty() || !self.control.is_paused())
    }

    /// When the next source is to be connected, if there is need of it then; `None` for now.
    fn opens_at(&self) -> Option<Instant> {
        match *self.lanes.last()? {
            Lane { finished: true, .. }
            | Lane {
                was_up: false,
                health: Health::Down { failed: true, .. },
                ..
            } => None,
            Lane {
                health: Health::Down { since, .. } | Health::Up { since },
                ..
            } => Some(since + self.config.failover_after),
        }
    }

    fn open(&mut self, now: Instant) {
        let source = self.sources[self.lanes.len()].clone();
        let (config, control) = (self.config.clone(), self.control.clone());
        self.lanes.push(Lane {
            ingest: Ingest::with_control(source, config, control),
            health: Health::Down {
                since: now,
                failed: false,
            },
            was_up: false,
            finished: false,
        });
    }

    /// When there is something to decide, unless an event comes first.
    fn next_decision(&self) -> Option<Instant> {
        let opens = self.opens_at().filter(|_| self.may_open());
        // The last one in use has nothing to settle.
        let unsettled = (self.active + 1).min(self.lanes.len() - 1);
        let settles = self.lanes[..unsettled]
            .iter()
            .filter_map(|lane| lane.stable_at(self.config.return_after))
            .min();
        opens.into_iter().chain(settles).min()
    }
}

impl Lane {
    fn is_up(&self) -> bool {
        matches!(self.health, Health::Up { .. })
    }

    fn down(&mut self, failed: bool) {
        match &mut self.health {
            Health::Down { failed: before, .. } => *before |= failed,
            Health::Up { .. } => {
                self.health = Health::Down {
                    since: Instant::now(),
                    failed,
                };
            }
        }
    }

    /// From now on a frame may be expected.
    fn begin(&mut self, now: Instant) {
        self.health = Health::Down {
            since: now,
            failed: false,
        };
    }

    fn stable_at(&self, return_after: Duration) -> Option<Instant> {
        match self.health {
            Health::Up { since } => Some(since + return_after),
            Health::Down { .. } => None,
        }
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
