//! What one viewer is sent next, and when: decisions only, no waiting.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use mjpeg_codec::multipart::{RelayHeaders, RelayId, Via};
use mjpeg_fanout::{Consumer, Published, Status};
use tokio::time::Instant;

#[cfg(feature = "replay")]
use crate::replay::player::Player;
use crate::{
    config::stream::StreamConfig,
    feed::{
        form::{Form, Rendered},
        pace::Pace,
    },
    request::stream::StreamRequest,
    viewers::{
        in_flight::SentBytes,
        permit::{OutgoingPart, Permit},
    },
};

pub(crate) mod form;
mod pace;

/// Decides for one viewer. Each call to [`next`](Self::next) implies that the previous part has
/// been written.
pub(crate) struct Feed {
    permit: Permit,
    /// Boxed: a shard goes through its viewers for each frame, and most of this is not needed then.
    request: Box<StreamRequest>,
    form: Form,
    config: Arc<StreamConfig>,
    pace: Pace,
    started: Instant,
    ends_at: Option<Instant>,
    /// The frame last sent.
    last: Option<Last>,
    /// Since when nothing is being written; `None` while something is.
    idle_since: Option<Instant>,
    /// Whether the last frame is to be sent again at once.
    is_probed: bool,
    /// What it shows instead of what is live, and the task that does so. Boxed as the request is.
    #[cfg(feature = "replay")]
    replay: Option<Box<(Consumer, Player)>>,
}

/// The frame last sent.
struct Last {
    seq: u64,
    captured: std::time::Instant,
    /// When it must be written for this viewer not to lag too far behind; `None` for a repeat.
    late_at: Option<Instant>,
    repeats: u32,
}

/// What another relay is told of the source.
#[derive(Debug, Default)]
pub(crate) struct SourceState {
    status: Status,
    via: Via,
}

impl SourceState {
    pub(crate) fn of(consumer: &Consumer) -> Self {
        Self {
            status: consumer.status(),
            via: consumer.via(),
        }
    }

    /// Describes a frame to another relay.
    pub(crate) fn describe(
        &self,
        frame: &Published,
        is_repeat: bool,
        now: Instant,
    ) -> RelayHeaders {
        let captured = frame.stamp.monotonic();
        RelayHeaders {
            id: frame.id(),
            age: now.into_std().saturating_duration_since(captured),
            // A camera that is being connected is not lost.
            is_online: self.status != Status::Offline,
            is_repeat: is_repeat || frame.is_placeholder,
            via: Via::through(RelayId::of_this_process(), &self.via),
        }
    }
}

/// What comes next.
pub(crate) enum Next {
    Send(Sending),
    /// Nothing before that time, unless a new frame comes.
    Wait(Option<Instant>),
    End,
}

/// The same, with a frame that has not been taken.
pub(crate) enum Due<'a> {
    Frame {
        frame: &'a Arc<Published>,
        is_repeat: bool,
    },
    Wait(Option<Instant>),
    End,
}

/// A frame to be written now.
pub(crate) struct Sending {
    pub(crate) frame: Arc<Published>,
    /// Frames skipped since the one before.
    skipped: u64,
    pub(crate) is_repeat: bool,
    /// After this, the viewer lags too far behind.
    pub(crate) late_at: Option<Instant>,
}

impl Feed {
    pub(crate) fn new(
        permit: Permit,
        request: StreamRequest,
        config: Arc<StreamConfig>,
        now: Instant,
    ) -> Self {
        let mut feed = Self {
            permit,
            form: Form::new(&request),
            pace: Pace::new(None, None),
            started: now,
            ends_at: None,
            last: None,
            idle_since: None,
            is_probed: false,
            #[cfg(feature = "replay")]
            replay: None,
            config: Arc::clone(&config),
            request: Box::new(request),
        };
        feed.limit(config);
        feed
    }

    /// Shows the past from now on.
    #[cfg(feature = "replay")]
    pub(crate) fn with_replay(mut self, player: Player, consumer: Consumer) -> Self {
        self.replay = Some(Box::new((consumer, player)));
        self
    }

    /// What it shows instead of what is live; `None` if that is live.
    pub(crate) fn replay(&self) -> Option<&Consumer> {
        #[cfg(feature = "replay")]
        return self.replay.as_ref().map(|replay| &replay.0);
        #[cfg(not(feature = "replay"))]
        None
    }

    /// Applies this configuration from now on; cheap if it is the one that applies already.
    pub(crate) fn configure(&mut self, config: &Arc<StreamConfig>) {
        if !Arc::ptr_eq(&self.config, config) {
            self.limit(Arc::clone(config));
        }
    }

    fn limit(&mut self, config: Arc<StreamConfig>) {
        let fps = lower(self.request.fps, config.max_fps());
        let kbps = lower(self.request.kbps, config.max_kbps());
        self.pace.limit(fps, kbps);
        let duration = lower(self.request.max_duration, config.max_duration());
        self.ends_at = duration.and_then(|time| self.started.checked_add(time));
        self.config = config;
    }

    pub(crate) fn config(&self) -> &StreamConfig {
        &self.config
    }

    /// What the body begins with.
    pub(crate) fn opening(&self) -> Bytes {
        self.form.opening()
    }

    pub(crate) fn permit(&self) -> &Permit {
        &self.permit
    }

    /// Decides, given the newest frame and the usual interval between frames.
    pub(crate) fn next(
        &mut self,
        newest: Option<&Arc<Published>>,
        interval: Option<Duration>,
        now: Instant,
    ) -> Next {
        match self.due(newest, interval, now) {
            Due::Frame { frame, is_repeat } => Next::Send(self.send(frame, is_repeat, now)),
            Due::Wait(at) => Next::Wait(at),
            Due::End => Next::End,
        }
    }

    /// Decides without taking the frame: the same call later may find a newer one.
    pub(crate) fn due<'a>(
        &mut self,
        newest: Option<&'a Arc<Published>>,
        interval: Option<Duration>,
        now: Instant,
    ) -> Due<'a> {
        let idle_since = match self.idle_since {
            Some(since) => since,
            None => {
                self.idle_since = Some(now);
                self.permit.done();
                let late_at = self.last.as_ref().and_then(|last| last.late_at);
                if late_at.is_some_and(|at| at < now) {
                    self.permit.counters().lag_cuts.add_one();
                    return Due::End;
                }
                now
            }
        };
        if self.is_over(now) {
            return Due::End;
        }
        let ends_at = self.until();
        let frame = |frame, is_repeat| Due::Frame { frame, is_repeat };
        let wait = |at: Option<Instant>| Due::Wait(at.into_iter().chain(ends_at).min());
        if let Some(at) = self.pace.wait_until(now.into_std()) {
            return wait(Some(Instant::from_std(at)));
        }
        let Some(newest) = newest else {
            return wait(None);
        };
        let Some(last) = &self.last else {
            return frame(newest, false);
        };
        if newest.seq != last.seq {
            return frame(newest, false);
        }
        let repeat_at = idle_since + self.silence(last, interval);
        if repeat_at <= now || self.is_probed {
            return frame(newest, true);
        }
        wait(Some(repeat_at))
    }

    /// Sends the last frame again at once, to find out whether anybody is there.
    pub(crate) fn probe(&mut self) {
        self.is_probed = true;
    }

    /// Whether the viewer's time is over; counts it then.
    pub(crate) fn is_over(&self, now: Instant) -> bool {
        if self.ends_at.is_some_and(|at| at <= now) {
            self.permit.counters().duration_ends.add_one();
            return true;
        }
        self.has_expired(now)
    }

    /// When the viewer's time will be over; `None` for never.
    pub(crate) fn until(&self) -> Option<Instant> {
        let granted_until = self.permit.granted_until();
        self.ends_at.into_iter().chain(granted_until).min()
    }

    /// Whether the viewer's grant has ended; counts it then.
    pub(crate) fn has_expired(&self, now: Instant) -> bool {
        let has_expired = self.permit.granted_until().is_some_and(|at| at <= now);
        if has_expired {
            self.permit.counters().kicked.add_one();
        }
        has_expired
    }

    /// How long no frame comes before the last one is sent again.
    fn silence(&self, last: &Last, interval: Option<Duration>) -> Duration {
        let mut keepalive = self.config.keepalive();
        if self.request.is_relay {
            keepalive = keepalive.min(RELAY_KEEPALIVE);
        }
        if self.request.repeat_soon && last.repeats == 0 {
            return SOON
                .max(interval.unwrap_or_default() * 3 / 2)
                .min(keepalive);
        }
        keepalive
    }

    /// Takes a frame that is due.
    pub(crate) fn send(
        &mut self,
        frame: &Arc<Published>,
        is_repeat: bool,
        now: Instant,
    ) -> Sending {
        let before = self.last.take();
        let skipped = match &before {
            Some(before) => frame.seq.saturating_sub(before.seq + 1),
            None => 0,
        };
        let captured = frame.stamp.monotonic();
        let is_newer = before.as_ref().is_some_and(|last| captured > last.captured);
        let late_at = match self.request.max_lag {
            // A placeholder, a frame from before the viewer came, or one that is shown once more
            // says nothing about how the viewer keeps up.
            Some(most) if frame.is_placeholder || !is_repeat && !is_newer => now.checked_add(most),
            // The time on the way to this relay is not the viewer's either.
            Some(most) if !is_repeat => Instant::from_std(captured)
                .checked_add(most)
                .filter(|at| *at > now)
                .or_else(|| now.checked_add(most)),
            _ => None,
        };
        let repeats = before
            .filter(|_| is_repeat)
            .map_or(0, |before| before.repeats + 1);
        self.last = Some(Last {
            seq: frame.seq,
            captured,
            late_at,
            repeats,
        });
        self.idle_since = None;
        self.is_probed = false;
        Sending {
            frame: Arc::clone(frame),
            skipped,
            is_repeat,
            late_at,
        }
    }

    /// Renders a frame that is to be written now, and records that writing it begins.
    pub(crate) fn render(
        &mut self,
        sending: &Sending,
        source: &SourceState,
        now: Instant,
    ) -> Rendered {
        let frame = &sending.frame;
        let part = self.form.part(frame);
        let rendered = self
            .form
            .bytes(&part, || source.describe(frame, sending.is_repeat, now));
        self.pace.sent(now.into_std(), rendered.len());
        let sent = OutgoingPart {
            frame: &sending.frame,
            held: SentBytes::Part(&part, self.form.allow_origin()),
            bytes: rendered.len(),
            skipped: sending.skipped,
            is_repeat: sending.is_repeat,
            max_inflight_bytes: self.config.max_inflight_bytes(),
        };
        self.permit.begin(&sent, now);
        rendered
    }

    /// Records that writing a frame begins for a viewer that gets it in a form of its own, of this
    /// many bytes.
    pub(crate) fn begin(&mut self, sending: &Sending, bytes: usize, now: Instant) {
        self.pace.sent(now.into_std(), bytes);
        let sent = OutgoingPart {
            frame: &sending.frame,
            held: SentBytes::Picture(&sending.frame),
            bytes,
            skipped: sending.skipped,
            is_repeat: sending.is_repeat,
            max_inflight_bytes: self.config.max_inflight_bytes(),
        };
        self.permit.begin(&sent, now);
    }

    /// Whether nothing has been sent yet.
    pub(crate) fn is_new(&self) -> bool {
        self.last.is_none()
    }

    /// Whether this is the frame last sent.
    pub(crate) fn has_sent(&self, frame: &Published) -> bool {
        let last = self.last.as_ref();
        last.is_some_and(|last| last.seq == frame.seq)
    }

    /// Sets what the viewer asks for from now on: frames per second at most.
    pub(crate) fn ask_fps(&mut self, fps: Option<f64>) {
        self.request.fps = fps;
        self.limit(Arc::clone(&self.config));
    }
}

/// The lower of what a viewer asks for and what it may have.
fn lower<T: PartialOrd>(asked: Option<T>, most: Option<T>) -> Option<T> {
    match (asked, most) {
        (Some(asked), Some(most)) => Some(if asked < most { asked } else { most }),
        (asked, most) => asked.or(most),
    }
}

/// The longest silence towards a relay, so that it soon knows whether the camera is still there.
const RELAY_KEEPALIVE: Duration = Duration::from_millis(500);

/// The shortest silence after which the last frame is sent again to readers that show a frame only
/// when something follows it.
const SOON: Duration = Duration::from_millis(100);
