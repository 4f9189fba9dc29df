//! Shows the past at the pace in which it was captured, or faster or slower.

use std::time::Duration;

use mjpeg_fanout::{Consumer, Producer, ReplayRing, RingFrame};
use tokio::{
    task::AbortHandle,
    time::{Instant, sleep_until, timeout_at},
};

use crate::replay::places::ReplayPlace;

/// A task that publishes past frames for one viewer, until it is dropped.
#[derive(Debug)]
pub(crate) struct Player {
    task: AbortHandle,
    _place: ReplayPlace,
}

/// Which part of the past is shown, and how fast.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PlayedSpan {
    pub(crate) from: Instant,
    /// `None` for no end: it goes on with what is captured meanwhile.
    pub(crate) to: Option<Instant>,
    pub(crate) speed: f64,
}

impl Player {
    /// Starts the task. Returns what its viewer reads.
    pub(crate) fn start(
        ring: ReplayRing,
        playback: PlayedSpan,
        place: ReplayPlace,
    ) -> (Self, Consumer) {
        let (producer, consumer) = mjpeg_fanout::channel();
        let playing = PlayerTask {
            ring,
            playback,
            producer,
            began: Instant::now(),
            began_at: playback.from,
        };
        let player = Self {
            task: tokio::spawn(playing.run()).abort_handle(),
            _place: place,
        };
        (player, consumer)
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct PlayerTask {
    ring: ReplayRing,
    playback: PlayedSpan,
    producer: Producer,
    /// When the frame captured at `began_at` is due.
    began: Instant,
    began_at: Instant,
}

impl PlayerTask {
    /// Publishes one frame after the other. The viewer's response ends when this does, as the
    /// producer is dropped.
    async fn run(mut self) {
        let from = self.playback.from;
        // What was to be seen at that time comes at once.
        let mut next = self.ring.at(from).or_else(|| self.ring.since(from));
        let mut number = 0;
        loop {
            let Some(frame) = next.or_else(|| self.ring.after(number)) else {
                if !self.has_grown(number).await {
                    return;
                }
                next = None;
                continue;
            };
            next = None;
            if self.playback.to.is_some_and(|to| frame.at() > to) {
                return;
            }
            self.skip_what_is_gone(&frame);
            sleep_until(self.due(frame.at())).await;
            // Lets the viewer take the frame before, if several are due together.
            self.producer.taken().await;
            number = frame.number();
            let stamp = frame.stamp().with_id(frame.id());
            self.producer.publish(frame.frame().clone(), stamp);
        }
    }

    /// Waits until there is a frame that is newer, at most until the end of what is shown. Returns
    /// whether there is one.
    async fn has_grown(&self, number: u64) -> bool {
        let grown = self.ring.grown(number);
        match self.playback.to {
            Some(to) => timeout_at(to, grown).await.unwrap_or(false),
            None => grown.await,
        }
    }

    /// Goes on at once with the oldest frame if those before it were dropped from the ring: it may
    /// have begun later, or the viewer's pace may be slower than that of the camera.
    fn skip_what_is_gone(&mut self, frame: &RingFrame) {
        let oldest = self.ring.span().map(|(oldest, _)| oldest);
        let now = Instant::now();
        if oldest == Some(frame.at()) && self.due(frame.at()) > now {
            (self.began, self.began_at) = (now, frame.at());
        }
    }

    /// When the frame that was captured at this time is to be shown.
    fn due(&self, at: Instant) -> Instant {
        let offset = at.saturating_duration_since(self.began_at).as_secs_f64();
        let offset = Duration::try_from_secs_f64(offset / self.playback.speed);
        let due = offset
            .ok()
            .and_then(|offset| self.began.checked_add(offset));
        due.unwrap_or(self.began)
    }
}
