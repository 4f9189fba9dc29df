//! When a connected camera counts as stalled: pure arithmetic over times given from outside.

use std::time::Duration;

use tokio::time::Instant;

use crate::config::LONGEST;

/// Follows the rhythm of one connection's frames.
#[derive(Debug)]
pub(crate) struct StallWatch {
    /// With no byte for so long, the connection is given up.
    limit: Duration,
    /// When the last frame came, or the connection was made.
    last_frame: Instant,
    /// When bytes last came, and for how long they have come without a frame among them.
    noise: (Instant, Duration),
    /// From frame to frame: what the source says of itself, then a moving average of what comes.
    interval: Option<Duration>,
    /// The present stall was told.
    is_stalled: bool,
}

impl StallWatch {
    /// Begins with a fresh connection, whose frames are known to be so far apart, if that is known.
    pub(crate) fn new(now: Instant, limit: Duration, interval: Option<Duration>) -> Self {
        let interval = interval.map(|interval| interval.min(LONGEST));
        let limit = limit.max(interval.unwrap_or_default().saturating_mul(3));
        Self {
            limit,
            last_frame: now,
            noise: (now, Duration::ZERO),
            interval,
            is_stalled: false,
        }
    }

    /// Takes in that bytes came. Where they never cease, no timer would be heard.
    pub(crate) fn bytes(&mut self, now: Instant) {
        let (last, noise) = &mut self.noise;
        let gap = now.saturating_duration_since(*last);
        // A longer gap may be one in which the owner did not read.
        *noise += gap.min(LONGEST_GAP);
        *last = now;
    }

    /// Takes in a frame, which ended at that time.
    pub(crate) fn frame(&mut self, now: Instant, is_first: bool) {
        let sample = now.saturating_duration_since(self.last_frame);
        self.last_frame = now;
        self.noise.1 = Duration::ZERO;
        self.is_stalled = false;
        if is_first {
            // How long the camera took to begin says nothing of its rhythm.
            return;
        }
        self.interval = Some(match self.interval {
            None => sample,
            // A pause counts as four intervals at most, so that one stall does not make the next one wait; but frames that came together, with no time
            // between them, do not bind it to nothing.
            Some(usual) => {
                let most = usual.saturating_mul(4).max(SHORTEST / 2);
                usual - usual / WEIGHT + sample.min(most) / WEIGHT
            }
        });
    }

    /// With no byte for so long, the connection is given up.
    pub(crate) fn silence_limit(&self) -> Duration {
        self.limit
    }

    /// With bytes, but no frame among them for so long, the connection is given up.
    pub(crate) fn no_frame_limit(&self) -> Duration {
        self.limit.saturating_mul(NO_FRAME_LIMITS)
    }

    /// For how long bytes have come without a frame among them.
    pub(crate) fn noise(&self) -> Duration {
        self.noise.1
    }

    pub(crate) fn last_frame(&self) -> Instant {
        self.last_frame
    }

    /// After how long without a frame it is stalled; `None` if that was told.
    pub(crate) fn stalls_after(&self) -> Option<Duration> {
        if self.is_stalled {
            return None;
        }
        let usual = self.interval.unwrap_or_default();
        Some(
            SHORTEST
                .max(usual.saturating_mul(INTERVALS))
                .min(self.limit),
        )
    }

    /// It is stalled, and that is told.
    pub(crate) fn told(&mut self) {
        self.is_stalled = true;
    }
}

/// No camera is stalled sooner, however fast it is: a key press, a night switch, a busy network take as long.
const SHORTEST: Duration = Duration::from_secs(2);

/// How many intervals without a frame make a stall.
const INTERVALS: u32 = 10;

/// As much of a gap between two reads counts as noise.
const LONGEST_GAP: Duration = Duration::from_secs(1);

/// How many stall limits without a frame end a connection that still carries bytes: a slow link may take long over one picture.
const NO_FRAME_LIMITS: u32 = 3;

/// Of how many intervals, about, the average is.
const WEIGHT: u32 = 8;

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);

    /// A watch that has seen frames with that interval, and when the last one came.
    fn steady(interval: Duration, limit: Duration) -> StallWatch {
        let start = Instant::now();
        let mut watch = StallWatch::new(start, limit, None);
        for n in 0..50 {
            watch.frame(start + interval * n, n == 0);
        }
        watch
    }

    #[test]
    fn fast_camera_stalls_after_two_seconds_and_a_slow_one_after_ten_intervals() {
        let after = |millis| steady(Duration::from_millis(millis), LIMIT).stalls_after();
        assert_eq!(after(33), Some(Duration::from_secs(2)));
        assert_eq!(after(500), Some(Duration::from_secs(5)));
        assert_eq!(after(5_000), Some(LIMIT), "bounded by the stall limit");
    }

    #[test]
    fn stall_is_told_once_until_a_frame_comes() {
        let mut watch = steady(Duration::from_millis(40), LIMIT);
        watch.told();
        assert_eq!(watch.stalls_after(), None);
        watch.frame(Instant::now() + Duration::from_secs(60), false);
        let after = watch.stalls_after().unwrap();
        assert!(
            after <= Duration::from_secs(2),
            "a pause is no rhythm: {after:?}"
        );
    }

    #[test]
    fn frames_that_came_together_do_not_hide_the_rhythm() {
        let start = Instant::now();
        let mut watch = StallWatch::new(start, LIMIT, None);
        watch.frame(start, true);
        watch.frame(start, false);
        for second in 1..60 {
            watch.frame(start + Duration::from_secs(second), false);
        }
        let after = watch.stalls_after().expect("not told");
        assert!(after > Duration::from_secs(8), "{after:?}");
    }

    #[test]
    fn source_known_to_be_slow_has_longer_limits() {
        let minute = Duration::from_secs(60);
        let watch = StallWatch::new(Instant::now(), LIMIT, Some(minute));
        assert_eq!(watch.silence_limit(), 3 * minute);
        assert_eq!(watch.stalls_after(), Some(3 * minute));
        let fast = StallWatch::new(Instant::now(), LIMIT, Some(minute / 600));
        assert_eq!(fast.silence_limit(), LIMIT);
    }
}
