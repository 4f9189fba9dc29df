//! What one viewer is sent next, and when.

use std::{pin::Pin, sync::Arc, time::Duration};

use bytes::Bytes;
use mjpeg_codec::multipart::{Boundary, Layout};
use mjpeg_fanout::{Consumer, Published};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::{HttpConfig, asked::StreamWish, pace::Pace, service::Closing, viewers::Seat};

/// Gives a viewer its parts, one at a time, each time the newest frame; asked for the next one, it takes it that the one before is written.
pub(crate) struct Feed {
    consumer: Consumer,
    seat: Seat,
    closing: Option<Closing>,
    layout: Layout,
    repeat_soon: bool,
    keepalive: Duration,
    max_lag: Option<Duration>,
    pace: Pace,
    ends_at: Option<Instant>,
    /// The frame last sent.
    last: Option<Sent>,
    /// Since when nothing was being written; `None` while something is.
    idle_since: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
}

/// What became of the last frame.
struct Sent {
    seq: u64,
    /// When it must be written for this viewer not to lag too far behind; not known of a repeat.
    late_at: Option<Instant>,
    repeats: u32,
}

/// What is to be written now.
pub(crate) struct Sending {
    pub(crate) part: Bytes,
    /// After which the viewer lags too far behind.
    pub(crate) late_at: Option<Instant>,
}

impl Feed {
    pub(crate) fn new(
        consumer: Consumer,
        seat: Seat,
        wish: &StreamWish,
        config: &HttpConfig,
        closing: Option<Closing>,
    ) -> Self {
        Self {
            consumer,
            seat,
            closing,
            layout: wish.layout,
            repeat_soon: wish.repeat_soon,
            keepalive: config.keepalive,
            max_lag: wish.max_lag,
            pace: Pace::new(wish.fps, wish.kbps),
            ends_at: wish
                .max_duration
                .and_then(|t| Instant::now().checked_add(t)),
            last: None,
            idle_since: None,
            timer: None,
        }
    }

    /// What the body begins with.
    pub(crate) fn opening(&self) -> Bytes {
        Boundary::default().opening(self.layout)
    }

    pub(crate) fn seat(&self) -> &Seat {
        &self.seat
    }

    /// Waits for the next part; `None` when the response ends.
    pub(crate) async fn next(&mut self) -> Option<Sending> {
        let mut now = Instant::now();
        let idle_since = *self.idle_since.get_or_insert(now);
        self.seat.done();
        if self
            .last
            .as_ref()
            .and_then(|last| last.late_at)
            .is_some_and(|at| at < now)
        {
            self.seat.counters().lag_cuts.add_one();
            return None;
        }
        loop {
            let paced = self.pace.wait_until(now.into_std()).map(Instant::from_std);
            let repeat_at = self
                .last
                .as_ref()
                .map(|last| idle_since + self.silence(last));
            let wake_at = paced.or(repeat_at).into_iter().chain(self.ends_at).min();
            let fresh = async {
                match paced {
                    // The newest is taken when its time has come.
                    Some(_) => std::future::pending().await,
                    None => self.consumer.next().await,
                }
            };
            tokio::select! {
                biased;
                () = closed(&mut self.closing) => return None,
                frame = fresh => return frame.map(|frame| self.send(frame, false)),
                () = alarm(&mut self.timer, wake_at) => {}
            }
            now = Instant::now();
            if self.ends_at.is_some_and(|at| at <= now) {
                self.seat.counters().duration_ends.add_one();
                return None;
            }
            if paced.is_none()
                && repeat_at.is_some_and(|at| at <= now)
                && let Some(frame) = self.consumer.latest()
            {
                return Some(self.send(frame, true));
            }
        }
    }

    /// How long nothing comes before the last frame is sent again.
    fn silence(&self, last: &Sent) -> Duration {
        if self.repeat_soon && last.repeats == 0 {
            let interval = self.consumer.interval().unwrap_or_default();
            return SOON.max(interval * 3 / 2).min(self.keepalive);
        }
        self.keepalive
    }

    fn send(&mut self, frame: Arc<Published>, is_repeat: bool) -> Sending {
        let now = Instant::now();
        let part = frame.part().bytes(self.layout);
        self.pace.sent(now.into_std(), part.len());
        let before = self.last.take();
        let skipped = match &before {
            Some(before) => frame.seq.saturating_sub(before.seq + 1),
            None => 0,
        };
        self.seat.begin(&frame, part.len(), skipped, is_repeat, now);
        let late_at = match self.max_lag {
            Some(most) if !is_repeat => Instant::from_std(frame.mono).checked_add(most),
            _ => None,
        };
        let repeats = before
            .filter(|_| is_repeat)
            .map_or(0, |before| before.repeats + 1);
        self.last = Some(Sent {
            seq: frame.seq,
            late_at,
            repeats,
        });
        self.idle_since = None;
        Sending { part, late_at }
    }
}

async fn closed(closing: &mut Option<Closing>) {
    match closing {
        Some(closing) => closing.wanted().await,
        None => std::future::pending().await,
    }
}

/// Waits until a time; for ever without one.
///
/// An alarm set too early is left to ring in vain: at thirty frames a second that costs less than to set it anew for each.
pub(crate) async fn alarm(timer: &mut Option<Pin<Box<Sleep>>>, at: Option<Instant>) {
    let Some(at) = at else {
        return std::future::pending().await;
    };
    let timer = timer.get_or_insert_with(|| Box::pin(sleep_until(at)));
    loop {
        if timer.deadline() > at || timer.is_elapsed() {
            timer.as_mut().reset(at);
        }
        timer.as_mut().await;
        if Instant::now() >= at {
            return;
        }
    }
}

/// The least silence after which the last frame is sent again, to readers that show a frame only when something follows it.
const SOON: Duration = Duration::from_millis(100);
