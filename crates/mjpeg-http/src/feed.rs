//! What one viewer is sent next, and when: decisions only, no waiting.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use mjpeg_codec::multipart::{Boundary, Layout};
use mjpeg_fanout::Published;
use tokio::time::Instant;

use crate::{HttpConfig, asked::StreamWish, pace::Pace, seats::Seat};

/// Decides for one viewer. Asked what comes next, it takes it that what came before is written.
pub(crate) struct Feed {
    seat: Seat,
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
}

/// What became of the last frame.
struct Sent {
    seq: u64,
    /// When it must be written for this viewer not to lag too far behind; not known of a repeat.
    late_at: Option<Instant>,
    repeats: u32,
}

/// What comes next.
pub(crate) enum Next {
    Send(Sending),
    /// Nothing before that time, unless a new frame comes.
    Wait(Option<Instant>),
    End,
}

/// What is to be written now.
pub(crate) struct Sending {
    pub(crate) part: Bytes,
    /// After which the viewer lags too far behind.
    pub(crate) late_at: Option<Instant>,
    pub(crate) is_repeat: bool,
}

impl Feed {
    pub(crate) fn new(seat: Seat, wish: &StreamWish, config: &HttpConfig) -> Self {
        let now = Instant::now();
        Self {
            seat,
            layout: wish.layout,
            repeat_soon: wish.repeat_soon,
            keepalive: config.keepalive,
            max_lag: wish.max_lag,
            pace: Pace::new(wish.fps, wish.kbps),
            ends_at: wish.max_duration.and_then(|time| now.checked_add(time)),
            last: None,
            idle_since: None,
        }
    }

    /// What the body begins with.
    pub(crate) fn opening(&self) -> Bytes {
        Boundary::default().opening(self.layout)
    }

    pub(crate) fn layout(&self) -> Layout {
        self.layout
    }

    pub(crate) fn seat(&self) -> &Seat {
        &self.seat
    }

    /// Decides, given the newest frame there is and the usual interval between frames.
    pub(crate) fn next(
        &mut self,
        newest: Option<&Arc<Published>>,
        interval: Option<Duration>,
        now: Instant,
    ) -> Next {
        let idle_since = match self.idle_since {
            Some(since) => since,
            None => {
                self.idle_since = Some(now);
                self.seat.done();
                let late_at = self.last.as_ref().and_then(|last| last.late_at);
                if late_at.is_some_and(|at| at < now) {
                    self.seat.counters().lag_cuts.add_one();
                    return Next::End;
                }
                now
            }
        };
        if self.ends_at.is_some_and(|at| at <= now) {
            self.seat.counters().duration_ends.add_one();
            return Next::End;
        }
        let wait = |at: Option<Instant>| Next::Wait(at.into_iter().chain(self.ends_at).min());
        if let Some(at) = self.pace.wait_until(now.into_std()) {
            return wait(Some(Instant::from_std(at)));
        }
        let Some(newest) = newest else {
            return wait(None);
        };
        let Some(last) = &self.last else {
            return Next::Send(self.send(newest, false, now));
        };
        if newest.seq != last.seq {
            return Next::Send(self.send(newest, false, now));
        }
        let repeat_at = idle_since + self.silence(last, interval);
        if repeat_at <= now {
            return Next::Send(self.send(newest, true, now));
        }
        wait(Some(repeat_at))
    }

    /// How long nothing comes before the last frame is sent again.
    fn silence(&self, last: &Sent, interval: Option<Duration>) -> Duration {
        if self.repeat_soon && last.repeats == 0 {
            return SOON
                .max(interval.unwrap_or_default() * 3 / 2)
                .min(self.keepalive);
        }
        self.keepalive
    }

    fn send(&mut self, frame: &Arc<Published>, is_repeat: bool, now: Instant) -> Sending {
        let part = frame.part().bytes(self.layout);
        self.pace.sent(now.into_std(), part.len());
        let before = self.last.take();
        let skipped = match &before {
            Some(before) => frame.seq.saturating_sub(before.seq + 1),
            None => 0,
        };
        self.seat.begin(frame, part.len(), skipped, is_repeat, now);
        let late_at = match self.max_lag {
            // What was there before the viewer came, or stands in for a frame, says nothing of how it keeps up.
            Some(most) if before.is_none() || frame.is_placeholder => now.checked_add(most),
            Some(most) if !is_repeat => {
                Instant::from_std(frame.stamp.monotonic()).checked_add(most)
            }
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
        Sending {
            part,
            late_at,
            is_repeat,
        }
    }
}

/// The least silence after which the last frame is sent again, to readers that show a frame only when something follows it.
const SOON: Duration = Duration::from_millis(100);
