//! Decides when a connected camera is stalled: pure arithmetic over times passed in.

use std::time::Duration;

use tokio::time::Instant;

use crate::{duration::LONGEST, within::STOOD_STILL};

/// Follows the interval between the frames of one connection.
#[derive(Debug)]
pub(crate) struct StallWatch {
    /// How long the camera may send no byte, at least.
    configured: Duration,
    /// How long it may, given its interval.
    limit: Duration,
    /// When the last frame came, or the connection was made.
    last_frame: Instant,
    /// When a frame last came, new or repeated by a relay.
    last_alive: Instant,
    /// When bytes last came.
    last_bytes: Instant,
    /// For how long bytes have come without a frame among them.
    noise: Duration,
    /// The time from frame to frame: declared by the source, then a moving average.
    interval: Option<Duration>,
    /// The current stall was reported.
    is_reported: bool,
    /// When it was noticed that this process had stood still, if nothing has come since.
    excused: Option<Instant>,
}

impl StallWatch {
    /// Begins with a fresh connection, and the interval that its source declares.
    pub(crate) fn new(now: Instant, limit: Duration, interval: Option<Duration>) -> Self {
        let interval = interval.map(|interval| interval.min(LONGEST));
        let mut watch = Self {
            configured: limit,
            limit,
            last_frame: now,
            last_alive: now,
            last_bytes: now,
            noise: Duration::ZERO,
            interval,
            is_reported: false,
            excused: None,
        };
        watch.expect(interval.unwrap_or_default());
        watch
    }

    /// Sets the time from frame to frame that the source knows, or has learned.
    pub(crate) fn expect(&mut self, interval: Duration) {
        let interval = interval.min(LONGEST);
        self.limit = self.configured.max(interval.saturating_mul(3));
    }

    /// Records that bytes came. While they keep coming, no timer gets a turn.
    pub(crate) fn bytes(&mut self, now: Instant) {
        let gap = now.saturating_duration_since(self.last_bytes);
        // In a longer gap the owner may not have read.
        self.noise += gap.min(LONGEST_GAP);
        self.last_bytes = now;
        self.excused = None;
    }

    /// Records a frame, whose last byte was read at this time.
    pub(crate) fn frame(&mut self, now: Instant, is_first: bool) {
        let sample = now.saturating_duration_since(self.last_frame);
        self.last_frame = now;
        self.repeat(now);
        self.is_reported = false;
        self.excused = None;
        if is_first {
            // The time until the first frame is not an interval.
            return;
        }
        self.interval = Some(match self.interval {
            None => sample,
            // A pause counts as four intervals at most, so that one stall does not delay the
            // report of the next. The floor matters after frames that came together, with no time
            // between them.
            Some(average) => {
                let most = average.saturating_mul(4).max(SHORTEST / 2);
                average - average / WEIGHT + sample.min(most) / WEIGHT
            }
        });
    }

    /// Records that a relay repeated its last frame: it is there, though its camera may be stalled.
    pub(crate) fn repeat(&mut self, now: Instant) {
        self.last_alive = now;
        self.noise = Duration::ZERO;
    }

    /// After how long without a byte the connection is given up.
    pub(crate) fn silence_limit(&self) -> Duration {
        self.limit
    }

    /// After how long with bytes, but without a frame, the connection is given up.
    pub(crate) fn no_frame_limit(&self) -> Duration {
        self.limit.saturating_mul(NO_FRAME_LIMITS)
    }

    /// For how long bytes have come without a frame among them.
    pub(crate) fn noise(&self) -> Duration {
        self.noise
    }

    /// Since when a frame is waited for, new or repeated.
    pub(crate) fn last_alive(&self) -> Instant {
        self.since(self.last_alive)
    }

    /// Takes the time of a deadline that was noticed late: this process stood still, and the camera
    /// is given its time anew. Returns false the second time that nothing has come meanwhile: an
    /// owner who always comes late must learn of it, too.
    pub(crate) fn excuse(&mut self, deadline: Instant, now: Instant) -> bool {
        let is_late = now.saturating_duration_since(deadline) >= STOOD_STILL;
        if !is_late || self.excused.is_some() {
            return false;
        }
        self.excused = Some(now);
        true
    }

    /// Since when a frame is waited for.
    pub(crate) fn last_frame(&self) -> Instant {
        self.since(self.last_frame)
    }

    /// This time, or a later one if the time before is not the camera's.
    pub(crate) fn since(&self, time: Instant) -> Instant {
        self.excused.map_or(time, |excused| time.max(excused))
    }

    /// After how long without a frame the camera is stalled; `None` if that was reported.
    pub(crate) fn stalls_after(&self) -> Option<Duration> {
        if self.is_reported {
            return None;
        }
        let interval = self.interval.unwrap_or_default();
        Some(
            SHORTEST
                .max(interval.saturating_mul(INTERVALS))
                .min(self.limit),
        )
    }

    /// Records that the current stall was reported.
    pub(crate) fn mark_reported(&mut self) {
        self.is_reported = true;
    }
}

/// The shortest stall, even of a fast camera: changing a setting, switching to night mode or a busy
/// network take that long.
const SHORTEST: Duration = Duration::from_secs(2);

/// How many intervals without a frame make a stall.
const INTERVALS: u32 = 10;

/// How much of a gap between two reads counts as noise.
const LONGEST_GAP: Duration = Duration::from_secs(1);

/// How many stall limits without a frame end a connection that still carries bytes: a slow link may
/// need long for one image.
const NO_FRAME_LIMITS: u32 = 3;

/// Smoothing factor: about how many intervals the average spans.
const WEIGHT: u32 = 8;

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);

    /// A watch that has seen frames with that interval.
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
    fn stall_is_reported_once_until_a_frame_comes() {
        let mut watch = steady(Duration::from_millis(40), LIMIT);
        watch.mark_reported();
        assert_eq!(watch.stalls_after(), None);
        watch.frame(Instant::now() + Duration::from_secs(60), false);
        let after = watch.stalls_after().unwrap();
        assert!(
            after <= Duration::from_secs(2),
            "a pause is no interval: {after:?}"
        );
    }

    #[test]
    fn frames_that_came_together_do_not_hide_the_interval() {
        let start = Instant::now();
        let mut watch = StallWatch::new(start, LIMIT, None);
        watch.frame(start, true);
        watch.frame(start, false);
        for second in 1..60 {
            watch.frame(start + Duration::from_secs(second), false);
        }
        let after = watch.stalls_after().expect("not reported");
        assert!(after > Duration::from_secs(8), "{after:?}");
    }

    #[test]
    fn time_in_which_the_process_stood_still_is_excused_once() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut watch = StallWatch::new(start, LIMIT, None);
        assert!(!watch.excuse(at(2000), at(2499)), "it was in time");
        assert_eq!(watch.last_frame(), start);
        assert!(watch.excuse(at(2000), at(12_000)));
        assert_eq!(
            (watch.last_frame(), watch.since(start)),
            (at(12_000), at(12_000))
        );
        assert!(
            !watch.excuse(at(14_000), at(90_000)),
            "nothing came meanwhile"
        );
        watch.bytes(at(90_000));
        assert!(watch.excuse(at(92_000), at(99_000)));
        watch.frame(at(99_000), false);
        assert_eq!(watch.last_frame(), at(99_000));
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
