//! Measures frames per second from the times of the latest frames.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// Measures a rate over the latest events. The caller passes in the clock.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    times: VecDeque<Instant>,
}

impl Meter {
    pub(crate) fn record(&mut self, now: Instant) {
        if self.times.len() == MOST {
            self.times.pop_front();
        }
        self.times.push_back(now);
    }

    /// Returns events per second over the window that ends now; 0 if it has fewer than two events.
    pub(crate) fn rate(&self, now: Instant) -> f64 {
        let recent = |&&at: &&Instant| now.saturating_duration_since(at) <= WINDOW;
        let mut recent = self.times.iter().filter(recent);
        let (Some(&first), rest) = (recent.next(), recent) else {
            return 0.0;
        };
        let Some((intervals, &last)) = (1u32..).zip(rest).last() else {
            return 0.0;
        };
        // Silence longer than an interval counts, so that the rate of a stream that stops falls.
        let interval = (last - first) / intervals;
        let silence = now.saturating_duration_since(last).saturating_sub(interval);
        let span = (last - first + silence).max(SHORTEST);
        f64::from(intervals) / span.as_secs_f64()
    }
}

/// Long enough for a steady figure at 1 fps, short enough to follow a change.
const WINDOW: Duration = Duration::from_secs(5);

/// Events kept: 5 s at 50 fps. The window of a faster stream is shorter, which is as good.
const MOST: usize = 250;

/// The least span to divide by: events of one burst have the same time.
const SHORTEST: Duration = Duration::from_millis(1);

#[cfg(test)]
mod tests {
    use super::*;

    fn every(interval: Duration, count: u32) -> (Meter, Instant) {
        let start = tokio::time::Instant::now().into_std();
        let mut meter = Meter::default();
        for n in 0..count {
            meter.record(start + interval * n);
        }
        (meter, start + interval * (count - 1))
    }

    #[test]
    fn steady_rates_are_exact() {
        for (fps, count) in [(1, 100), (5, 100), (30, 300), (100, 1000)] {
            let (meter, now) = every(Duration::from_secs(1) / fps, count);
            let rate = meter.rate(now);
            assert!(
                (rate - f64::from(fps)).abs() < 0.01 * f64::from(fps),
                "{rate} instead of {fps}"
            );
        }
    }

    #[test]
    fn rate_falls_to_zero_in_silence() {
        let (meter, last) = every(Duration::from_millis(100), 50);
        assert!(meter.rate(last + Duration::from_secs(2)) < 9.0);
        assert_eq!(meter.rate(last + Duration::from_secs(6)), 0.0);
    }

    #[test]
    fn one_frame_is_no_rate() {
        assert_eq!(
            Meter::default().rate(tokio::time::Instant::now().into_std()),
            0.0
        );
        let (meter, now) = every(Duration::from_secs(1), 1);
        assert_eq!(meter.rate(now), 0.0);
    }
}
