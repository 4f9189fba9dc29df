//! The task that keeps the clips of one stream.

use std::{sync::Arc, time::Duration};

use mjpeg_control::{Error, ErrorCode};
use mjpeg_manager::{
    Change, Detection, Manager, StreamEvent, StreamName,
    mjpeg_fanout::{Consumer, ReplayRing, RingFrame},
    mjpeg_http::{Moment, MomentClock},
};
use mjpeg_timelapse::TimelapseSpec;
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep, sleep_until, timeout},
};
use tracing::{info, warn};

use super::{
    counters::ClipCounters,
    disk::{ClipDisk, OpenClip},
    schedule::{ClipSchedule, Trigger},
};
use crate::event_clips::{ClipEvent, EventClipPlan};

/// Keeps the clips of one stream, one after the other.
pub(super) struct EventRecorder {
    pub(super) stream: StreamName,
    pub(super) manager: Manager,
    pub(super) control: mjpeg_control::ControlApi,
    pub(super) disk: ClipDisk,
    pub(super) counters: Arc<ClipCounters>,
    pub(super) plan: watch::Receiver<Arc<EventClipPlan>>,
    pub(super) events: mpsc::Receiver<StreamEvent>,
    /// When the last picture was captured that a clip has: none is in two clips.
    pub(super) kept_to: Option<Instant>,
    /// Why the last clip was not kept, if so.
    pub(super) problem: Option<String>,
}

/// What a clip is made of.
struct ClipParts {
    ring: ReplayRing,
    consumer: Consumer,
    clip: OpenClip,
    schedule: ClipSchedule,
    /// The number of the last frame that was written.
    number: u64,
}

impl EventRecorder {
    /// Keeps clips until nobody sends events any more.
    pub(super) async fn run(mut self) {
        while let Some(event) = self.events.recv().await {
            let mut next = self.trigger(&event);
            while let Some(trigger) = next {
                next = match self.record(trigger).await {
                    Ok(next) => next,
                    Err(error) => {
                        self.counters.fail();
                        self.note(Some((trigger.event, error)));
                        None
                    }
                };
            }
        }
    }

    /// What an event triggers, if a clip of it is wanted.
    fn trigger(&self, event: &StreamEvent) -> Option<Trigger> {
        let kind = ClipEvent::of(&event.change)?;
        if !self.plan.borrow().on.contains(&kind) {
            return None;
        }
        // It is told late: what matters is since when it is so.
        let frozen_since = || self.manager.get(self.stream.as_str()).ok()?.frozen_since;
        let at = match kind {
            ClipEvent::Frozen => frozen_since().unwrap_or(event.at),
            _ => event.at,
        };
        let at = MomentClock::now_by_system().instant(Moment::At(at));
        Some(Trigger::new(kind, at))
    }

    /// Keeps a clip. Returns what the next one is of, if it follows at once.
    async fn record(&mut self, trigger: Trigger) -> Result<Option<Trigger>, Error> {
        let Some(mut parts) = self.begin(trigger).await? else {
            return Ok(None);
        };
        let written = self.write_all(&mut parts).await;
        let reason = if written.is_ok() {
            "clip"
        } else {
            "incomplete"
        };
        let finished = self.disk.finish(parts.clip, reason).await;
        if let Ok(Some(clip)) = &finished {
            let event = trigger.event.as_str();
            let (id, frames) = (&clip.id, clip.frames);
            info!(stream = %self.stream, event, id, frames, "clip by event kept");
            self.control.clip_ready(clip);
        }
        written?;
        if finished?.is_some() {
            self.counters.keep();
            self.note(None);
        }
        let rest = parts.schedule.rest();
        Ok(rest.filter(|rest| !rest.lasts || self.sees_motion()))
    }

    /// Makes a clip, if there are pictures for it that no other has.
    async fn begin(&self, mut trigger: Trigger) -> Result<Option<ClipParts>, Error> {
        let plan = Arc::clone(&self.plan.borrow());
        let consumer = self.manager.observe(self.stream.as_str());
        let consumer = consumer.map_err(Error::from)?;
        let ring = consumer
            .replay()
            .ok_or_else(|| Error::new(ErrorCode::NotFound, "the stream keeps no past pictures"))?;
        if trigger.event.ends_pictures() {
            settle(&ring, &consumer).await;
            let Some((_, newest)) = ring.span() else {
                return Ok(None);
            };
            trigger.at = newest;
        }
        let from = trigger.at.checked_sub(plan.before).unwrap_or(trigger.at);
        let behind = self.kept_to.map(|kept| kept + Duration::from_nanos(1));
        let from = behind.map_or(from, |behind| behind.max(from));
        let Some(first) = first_picture(&ring, from, trigger).await else {
            return Ok(None);
        };
        let word = trigger.event.as_str();
        let spec = TimelapseSpec::new(self.stream.as_str());
        let spec = spec.with_title(word).with_event(word.to_owned());
        let clip = self.disk.create(spec).await?;
        Ok(Some(ClipParts {
            schedule: ClipSchedule::new(&plan, first.at(), trigger),
            number: first.number().saturating_sub(1),
            ring,
            consumer,
            clip,
        }))
    }

    /// Writes the pictures of a clip until it is over.
    async fn write_all(&mut self, parts: &mut ClipParts) -> Result<(), Error> {
        loop {
            let frames = batch(&parts.ring, parts.number, parts.schedule.end());
            if let Some(last) = frames.last() {
                (parts.number, self.kept_to) = (last.number(), Some(last.at()));
                self.disk.append(&parts.clip, frames).await?;
                self.take_events(parts).await;
                continue;
            }
            let is_over = Instant::now() >= parts.schedule.end();
            // There is a later picture.
            if is_over || parts.ring.after(parts.number).is_some() {
                return Ok(());
            }
            tokio::select! {
                has_grown = parts.ring.grown(parts.number) => if !has_grown {
                    return Ok(());
                },
                event = self.events.recv() => self.take(event, parts).await,
                () = sleep_until(parts.schedule.end()) => {}
            }
        }
    }

    /// Takes in the events that have come while frames were written.
    async fn take_events(&mut self, parts: &mut ClipParts) {
        loop {
            match self.events.try_recv() {
                Ok(event) => self.take(Some(event), parts).await,
                Err(mpsc::error::TryRecvError::Empty) => return,
                Err(mpsc::error::TryRecvError::Disconnected) => {
                    return self.take(None, parts).await;
                }
            }
        }
    }

    /// Takes in an event during a clip; `None` if the stream keeps none any more.
    async fn take(&self, event: Option<StreamEvent>, parts: &mut ClipParts) {
        let Some(event) = event else {
            return parts.schedule.stop(Instant::now());
        };
        let now = Instant::now();
        if let Change::Cleared(Detection::Motion) = event.change {
            parts.schedule.clear(now);
        } else if ClipEvent::of(&event.change).is_some_and(ClipEvent::ends_pictures) {
            settle(&parts.ring, &parts.consumer).await;
            parts.schedule.stop(now);
        } else if let Some(trigger) = self.trigger(&event) {
            parts.schedule.add(trigger);
        }
    }

    fn sees_motion(&self) -> bool {
        let info = self.manager.get(self.stream.as_str());
        info.is_ok_and(|info| info.detected.contains(&Detection::Motion))
    }

    /// Notes why a clip was not kept, or that one was. Logs what is new.
    fn note(&mut self, problem: Option<(ClipEvent, Error)>) {
        let stream = &self.stream;
        match problem {
            Some((event, error)) => {
                let (event, error) = (event.as_str(), error.to_string());
                if self.problem.is_none() {
                    warn!(%stream, event, error, "clip by event not kept");
                }
                self.problem = Some(error);
            }
            None => {
                if self.problem.take().is_some() {
                    info!(%stream, "clips by event are kept again");
                }
            }
        }
    }
}

/// The first picture of a clip from this time on. The event may be the rest of one of which the
/// last picture was kept already; then the next one is waited for.
async fn first_picture(ring: &ReplayRing, from: Instant, trigger: Trigger) -> Option<RingFrame> {
    let coming = async {
        loop {
            match ring.since(from) {
                Some(first) => return first,
                None => sleep(LOOK_AGAIN).await,
            }
        }
    };
    match trigger.event.ends_pictures() {
        true => ring.since(from),
        false => timeout(NEXT_PICTURE, coming).await.ok(),
    }
}

/// The next frames of a clip: as many as are written at once.
fn batch(ring: &ReplayRing, number: u64, end: Instant) -> Vec<RingFrame> {
    let (mut frames, mut bytes, mut at) = (Vec::new(), 0, number);
    while frames.len() < MOST_FRAMES && bytes < MOST_BYTES {
        let Some(frame) = ring.after(at).filter(|frame| frame.at() <= end) else {
            break;
        };
        at = frame.number();
        bytes += frame.frame().bytes().len();
        frames.push(frame);
    }
    frames
}

/// Waits until the last picture that a camera has sent is in the ring.
async fn settle(ring: &ReplayRing, consumer: &Consumer) {
    let Some(last) = consumer.picture() else {
        return;
    };
    let last = Instant::from_std(last.stamp.monotonic());
    let waiting = async {
        while ring.span().is_none_or(|(_, newest)| newest < last) {
            let newest = ring.at(Instant::now()).map_or(0, |frame| frame.number());
            if !ring.grown(newest).await {
                return;
            }
        }
    };
    // It may keep fewer pictures than come.
    let _ = timeout(SETTLE_TIME, waiting).await;
}

const MOST_FRAMES: usize = 32;
/// Frames that are being written stay in memory, which counts as the ring's.
const MOST_BYTES: usize = 4 << 20;
const SETTLE_TIME: Duration = Duration::from_millis(500);

/// How long to wait for the first picture of a clip.
const NEXT_PICTURE: Duration = Duration::from_secs(2);
const LOOK_AGAIN: Duration = Duration::from_millis(20);
