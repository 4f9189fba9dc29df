//! One connection, from its first byte to its end.

use std::{
    io,
    task::{Context, Poll, ready},
    time::Duration,
};

use mjpeg_codec::multipart::Via;
use tokio::time::Instant;

use crate::{
    config::IngestConfig,
    duration::LONGEST,
    error::{Error, SourceEnd},
    event::{Captured, Event},
    flood_limiter::FloodLimiter,
    framed::Incoming,
    framing::Framing,
    input::Input,
    order::FrameOrder,
    parsed::Parsed,
    stall::StallWatch,
    tenure::Tenure,
    timer::Timer,
    upstream::Upstream,
};

/// A connection that is being read.
pub(crate) struct Online {
    incoming: Incoming,
    stall: StallWatch,
    upstream: Upstream,
    flood_limiter: FloodLimiter,
    timer: Timer,
    since: Instant,
    frames: u64,
    /// Since when bytes have been waited for, if they were not there after the last frame.
    waits_since: Option<Instant>,
    /// Why no more is read; frames already read still come out.
    ending: Option<Ending>,
    /// For how long it may be used, if that is limited.
    tenure: Option<Tenure>,
    /// What its frames must come after.
    order: Option<FrameOrder>,
}

/// Why a connection is no longer read.
pub(crate) enum Ending {
    Error(Error),
    Paused,
    Finished,
}

/// When the camera counts as stalled or lost, if nothing comes before.
struct Deadlines {
    /// Without a frame it is stalled.
    stall: Option<Instant>,
    /// Without a byte it is lost.
    silence: Instant,
    /// Without a frame it is lost.
    no_frame: Instant,
}

impl Online {
    /// Begins to read. The interval is the one that the source declares.
    pub(crate) fn new(
        (input, framing): (Input, Framing),
        interval: Option<Duration>,
        via: Via,
        config: &IngestConfig,
    ) -> Self {
        let now = Instant::now();
        Self {
            incoming: Incoming::new(input, framing, config.splitter.clone()),
            stall: StallWatch::new(now, config.stall_limit, interval),
            upstream: Upstream::of(via),
            flood_limiter: FloodLimiter::new(now),
            timer: Timer::default(),
            since: now,
            frames: 0,
            waits_since: None,
            ending: None,
            tenure: None,
            order: None,
        }
    }

    /// Sets for how long the connection may be used, and what its frames must come after.
    pub(crate) fn within(self, tenure: Option<Tenure>, order: Option<FrameOrder>) -> Self {
        Self {
            tenure,
            order,
            ..self
        }
    }

    /// Whether frames came, and for long enough.
    pub(crate) fn was_stable(&self, stable_after: Duration, now: Instant) -> bool {
        self.frames > 0 && now.saturating_duration_since(self.since) >= stable_after
    }

    /// Stops reading, unless that has stopped already.
    pub(crate) fn end(&mut self, ending: Ending) {
        if self.ending.is_none() {
            match ending {
                Ending::Finished => self.incoming.finish(),
                // A frame in hand may have been cut off.
                Ending::Error(_) | Ending::Paused => self.incoming.cut_off(),
            }
            self.ending = Some(ending);
        }
    }

    /// Waits for the next event, or for the end after the last.
    pub(crate) fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Result<Event, Ending>> {
        loop {
            if let Some(tenure) = &self.tenure
                && !tenure.is_open(Instant::now())
            {
                return Poll::Ready(Err(Ending::Error(Error::TenureEnded)));
            }
            if let Some(event) = self.upstream.report() {
                return Poll::Ready(Ok(event));
            }
            self.flood_limiter.begin(Instant::now());
            match self.incoming.poll_found(cx) {
                Poll::Ready(Some(found)) => match self.record(found) {
                    Some(event) => return Poll::Ready(Ok(event)),
                    None => continue,
                },
                Poll::Ready(None) => {}
                Poll::Pending => {
                    self.flood_limiter.pause(Instant::now());
                    return Poll::Pending;
                }
            }
            if let Some(error) = self.upstream.refusal() {
                self.end(Ending::Error(Error::Source(error)));
            }
            if let Some(ending) = self.ending.take() {
                return Poll::Ready(Err(ending));
            }
            if let Some(event) = self.check_noise() {
                return Poll::Ready(Ok(event));
            }
            if self.ending.is_some() {
                continue;
            }
            if let Some(event) = ready!(self.poll_flood_limiter(cx)) {
                return Poll::Ready(Ok(event));
            }
            // Read before looking at the clock: data may have come while the owner did not pull.
            if let Poll::Ready(read) = self.incoming.poll_read(cx) {
                self.record_read(read);
                continue;
            }
            self.waits_since.get_or_insert_with(Instant::now);
            if let Some(interval) = self.incoming.interval() {
                self.stall.expect(interval);
            }
            let deadlines = self.deadlines();
            ready!(self.timer.poll(cx, deadlines.next()));
            if self.stall.excuse(deadlines.next(), Instant::now()) {
                continue;
            }
            if let Some(event) = self.give_up(&deadlines) {
                return Poll::Ready(Ok(event));
            }
        }
    }

    /// Waits until more may be read: not at once in a flood, of which it tells.
    fn poll_flood_limiter(&mut self, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        if self.flood_limiter.rests_until().is_none() {
            let (cost, bytes) = self.incoming.cost();
            self.flood_limiter.before_read(Instant::now(), cost, bytes);
        }
        if self.flood_limiter.take_flood() {
            return Poll::Ready(Some(Event::Flooded));
        }
        if let Some(until) = self.flood_limiter.rests_until() {
            self.flood_limiter.pause(Instant::now());
            ready!(self.timer.poll(cx, until));
            self.flood_limiter.rested();
        }
        Poll::Ready(None)
    }

    /// Records a finding. Returns `None` for what is no news, such as a frame that another relay
    /// merely repeats.
    fn record(&mut self, found: Parsed) -> Option<Event> {
        let at = self.incoming.last_read();
        let (mut captured, relay) = match found {
            Parsed::Frame { captured, relay } => (captured, relay),
            Parsed::Discarded { reason, bytes } => {
                return Some(Event::Discarded { reason, bytes });
            }
            Parsed::State { is_online } => {
                self.upstream.state(is_online);
                self.stall.repeat(at);
                return None;
            }
        };
        if relay.is_some_and(|relay| !self.upstream.is_new(relay)) || !self.takes(&mut captured) {
            self.stall.repeat(at);
            return None;
        }
        self.stall.frame(at, self.frames == 0);
        let waited = self
            .waits_since
            .take()
            .map(|since| at.saturating_duration_since(since));
        captured.in_burst = self.frames > 0 && waited.is_none_or(|waited| waited < BURST_GAP);
        self.frames += 1;
        Some(Event::Frame(captured))
    }

    /// Names a frame if it is read in a tenure. Returns whether it comes after those before.
    fn takes(&self, captured: &mut Captured) -> bool {
        if let Some(tenure) = &self.tenure {
            captured.stamp = captured.stamp.with_id(tenure.next_id());
        }
        let (Some(order), Some(id)) = (&self.order, captured.stamp.id()) else {
            return true;
        };
        order.accept(id)
    }

    /// Finds a camera that always sends, so that no timer gets a turn, but never a frame.
    fn check_noise(&mut self) -> Option<Event> {
        let noise = self.stall.noise();
        if let Some(after) = self.stall.stalls_after().filter(|&after| noise >= after) {
            self.stall.mark_reported();
            return Some(Event::Stalled { after });
        }
        let after = self.stall.no_frame_limit();
        if noise >= after && !self.incoming.keeps_time() {
            self.end(Ending::Error(Error::NoFrame { after }));
        }
        None
    }

    /// Records the outcome of a read.
    fn record_read(&mut self, read: io::Result<bool>) {
        let ending = match read {
            Ok(true) => return self.stall.bytes(self.incoming.last_read()),
            Ok(false) => Ending::Error(Error::Closed),
            Err(error) => match error.downcast() {
                Ok(SourceEnd::Finished) => Ending::Finished,
                Ok(SourceEnd::Replaced { by }) => Ending::Error(Error::Replaced { by }),
                Ok(SourceEnd::TenureEnded) => Ending::Error(Error::TenureEnded),
                Ok(SourceEnd::Failed(error)) => Ending::Error(Error::Source(error)),
                Err(error) => Ending::Error(Error::Read(error)),
            },
        };
        self.end(ending);
    }

    fn deadlines(&self) -> Deadlines {
        let last_frame = self.stall.last_frame();
        let stall = self.stall.stalls_after().map(|after| last_frame + after);
        if self.incoming.keeps_time() {
            let (silence, no_frame) = (last_frame + LONGEST, last_frame + LONGEST);
            return Deadlines {
                stall,
                silence,
                no_frame,
            };
        }
        Deadlines {
            stall,
            silence: self.stall.since(self.incoming.last_read()) + self.stall.silence_limit(),
            no_frame: self.stall.last_alive() + self.stall.no_frame_limit(),
        }
    }

    /// Reports a stall, or ends a connection that is lost.
    fn give_up(&mut self, deadlines: &Deadlines) -> Option<Event> {
        let error = match self.stall.stalls_after() {
            Some(after) if deadlines.is_stall() => {
                self.stall.mark_reported();
                return Some(Event::Stalled { after });
            }
            _ if deadlines.silence <= deadlines.no_frame => Error::Stalled {
                after: self.stall.silence_limit(),
            },
            _ => Error::NoFrame {
                after: self.stall.no_frame_limit(),
            },
        };
        self.end(Ending::Error(error));
        None
    }
}

impl Deadlines {
    fn lost(&self) -> Instant {
        self.silence.min(self.no_frame)
    }

    /// Whether the stall comes first.
    fn is_stall(&self) -> bool {
        self.stall.is_some_and(|stall| stall < self.lost())
    }

    fn next(&self) -> Instant {
        match self.stall {
            Some(stall) if self.is_stall() => stall,
            _ => self.lost(),
        }
    }
}

/// Frames whose bytes come this soon after one another are a burst. Shorter than the interval of a
/// camera with 60 frames a second, which no slow viewer may delay.
const BURST_GAP: Duration = Duration::from_millis(10);
