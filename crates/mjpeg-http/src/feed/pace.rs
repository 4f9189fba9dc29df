//! How fast one viewer is sent frames.

use std::time::{Duration, Instant};

/// Spaces frames evenly, by their number, their bytes, or both. Frames go whole: a large one makes
/// the next one wait longer.
///
/// Pure arithmetic over times given from outside.
#[derive(Debug)]
pub(crate) struct Pace {
    interval: Duration,
    /// 0 for no limit.
    bytes_per_second: f64,
    next_at: Option<Instant>,
}

impl Pace {
    pub(crate) fn new(frames_per_second: Option<f64>, kbps: Option<f64>) -> Self {
        let mut pace = Self {
            interval: Duration::ZERO,
            bytes_per_second: 0.0,
            next_at: None,
        };
        pace.limit(frames_per_second, kbps);
        pace
    }

    /// Sets other limits, which apply from the next frame on.
    pub(crate) fn limit(&mut self, frames_per_second: Option<f64>, kbps: Option<f64>) {
        self.interval = time(frames_per_second.map_or(0.0, |fps| 1.0 / fps));
        self.bytes_per_second = kbps.map_or(0.0, |kbps| kbps * BYTES_PER_KBIT);
    }

    /// When the next frame may go; `None` when it may go now.
    pub(crate) fn wait_until(&self, now: Instant) -> Option<Instant> {
        self.next_at.filter(|&at| at > now)
    }

    /// Records that a frame of this many bytes goes out.
    pub(crate) fn sent(&mut self, now: Instant, bytes: usize) {
        let mut interval = self.interval;
        if self.bytes_per_second > 0.0 {
            interval = interval.max(time(bytes as f64 / self.bytes_per_second));
        }
        if interval.is_zero() {
            return;
        }
        // Counted from when it was due, so that the average holds although each frame is a little
        // late. Missed frames are not caught up on.
        let due = self
            .next_at
            .filter(|&at| now < at + interval)
            .unwrap_or(now);
        self.next_at = Some(due + interval);
    }
}

/// A thousand bits, as network rates are given.
const BYTES_PER_KBIT: f64 = 125.0;

/// Bounded, so that adding it to a time cannot overflow.
fn time(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds.clamp(0.0, LONGEST_SECONDS))
}

const LONGEST_SECONDS: f64 = 24.0 * 3600.0;

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends whenever it may, from a source with this interval, and returns when, in milliseconds.
    #[allow(clippy::disallowed_methods, reason = "no clock is waited for")]
    fn sent_at(mut pace: Pace, source: Duration, bytes: usize, until: Duration) -> Vec<u128> {
        let start = Instant::now();
        let mut sent = Vec::new();
        let mut newest = Duration::ZERO;
        while newest < until {
            let now = start + newest;
            // The frame is taken when it comes, or when it is due.
            let at = pace.wait_until(now).unwrap_or(now);
            pace.sent(at, bytes);
            sent.push((at - start).as_millis());
            while start + newest <= at {
                newest += source;
            }
        }
        sent
    }

    #[test]
    fn frames_are_spaced_evenly_and_their_rate_is_that_asked_for() {
        let source = Duration::from_millis(33);
        let pace = Pace::new(Some(10.0), None);
        let sent = sent_at(pace, source, 1000, Duration::from_secs(10));
        assert!((99..=101).contains(&sent.len()), "{}", sent.len());
        let gaps: Vec<_> = sent.windows(2).map(|w| w[1] - w[0]).collect();
        assert!(gaps.iter().all(|gap| (66..=134).contains(gap)), "{gaps:?}");
    }

    #[test]
    fn bytes_are_spaced_as_whole_frames() {
        // 800 kbit/s are 100 kB/s: a frame of 20 kB every 200 ms.
        let pace = Pace::new(None, Some(800.0));
        let sent = sent_at(
            pace,
            Duration::from_millis(40),
            20_000,
            Duration::from_secs(10),
        );
        assert!((49..=51).contains(&sent.len()), "{}", sent.len());
    }

    #[test]
    fn slower_of_both_limits_holds() {
        let pace = Pace::new(Some(2.0), Some(800.0));
        let sent = sent_at(
            pace,
            Duration::from_millis(40),
            20_000,
            Duration::from_secs(10),
        );
        assert!((19..=21).contains(&sent.len()), "{}", sent.len());
    }

    #[test]
    fn what_was_missed_is_not_caught_up() {
        #[allow(clippy::disallowed_methods, reason = "no clock is waited for")]
        let start = Instant::now();
        let mut pace = Pace::new(Some(10.0), None);
        pace.sent(start, 1);
        let later = start + Duration::from_secs(60);
        assert_eq!(pace.wait_until(later), None);
        pace.sent(later, 1);
        assert_eq!(
            pace.wait_until(later),
            Some(later + Duration::from_millis(100))
        );
    }

    #[test]
    fn without_limits_nothing_waits() {
        let pace = Pace::new(None, None);
        let sent = sent_at(
            pace,
            Duration::from_millis(10),
            1000,
            Duration::from_secs(1),
        );
        assert_eq!(sent.len(), 100);
    }
}
