//! Frames per second, by count over time.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// Measures a rate over the latest frames. The caller passes in the clock.
///
/// It counts frames over the time that they span. Frames that come together are one moment, so a
/// source that sends them in bursts has the rate of one that sends as many evenly.
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

    /// Returns frames per second over the window that ends now; 0 if it has fewer than two moments.
    pub(crate) fn rate(&self, now: Instant) -> f64 {
        let is_recent = |at: &Instant| now.saturating_duration_since(*at) <= WINDOW;
        let mut recent = self.times.iter().copied().filter(is_recent);
        let Some(first) = recent.next() else {
            return 0.0;
        };
        let (mut moment, mut moments, mut frames) = (first, 0_u32, 0_u32);
        for at in recent {
            if at.saturating_duration_since(moment) > TOGETHER {
                moment = at;
                moments += 1;
            }
            // Those of the first moment came before the time that is counted over.
            frames += u32::from(moments > 0);
        }
        if moments == 0 {
            return 0.0;
        }
        let span = moment - first;
        // Silence longer than usual counts, so that the rate of a stream that stops falls.
        let silence = now.saturating_duration_since(moment);
        let silence = silence.saturating_sub(span / moments);
        f64::from(frames) / (span + silence).as_secs_f64()
    }
}

/// Frames that come within this time of one another came together.
const TOGETHER: Duration = Duration::from_millis(5);

/// Long enough for a steady figure at 1 fps, short enough to follow a change.
const WINDOW: Duration = Duration::from_secs(5);

/// Frames kept: 5 s at 50 fps. The window of a faster stream is shorter, which is as good.
const MOST: usize = 250;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(moments: impl IntoIterator<Item = u64>) -> (Meter, Instant) {
        let start = tokio::time::Instant::now().into_std();
        let (mut meter, mut now) = (Meter::default(), start);
        for ms in moments {
            now = start + Duration::from_millis(ms);
            meter.record(now);
        }
        (meter, now)
    }

    #[test]
    fn steady_rates_are_exact() {
        for (fps, count) in [(1, 100), (5, 100), (25, 300), (100, 1000)] {
            let (meter, now) = at((0..count).map(|n| n * 1000 / fps));
            let rate = meter.rate(now);
            assert!(
                (rate - fps as f64).abs() < 0.01 * fps as f64,
                "{rate} of {fps}"
            );
        }
    }

    /// As VLC sends them: three or four frames together, 15 a second.
    #[test]
    fn bursts_count_as_what_they_are() {
        let burst = |n: u64| vec![n * 250; if n % 4 == 3 { 3 } else { 4 }];
        for bursts in [4, 5, 6, 30] {
            let (meter, now) = at((0..bursts).flat_map(burst));
            for later_ms in [0, 100, 249] {
                let rate = meter.rate(now + Duration::from_millis(later_ms));
                assert!(
                    (14.0..=16.5).contains(&rate),
                    "{rate} after {bursts} bursts"
                );
            }
        }
    }

    #[test]
    fn rate_falls_to_zero_in_silence() {
        let (meter, last) = at((0..50).map(|n| n * 100));
        assert!(meter.rate(last + Duration::from_secs(2)) < 9.0);
        assert_eq!(meter.rate(last + Duration::from_secs(6)), 0.0);
    }

    #[test]
    fn one_moment_is_no_rate() {
        let now = tokio::time::Instant::now().into_std();
        assert_eq!(Meter::default().rate(now), 0.0);
        for times in [vec![0], vec![0, 0, 1, 2]] {
            let (meter, now) = at(times);
            assert_eq!(meter.rate(now), 0.0);
        }
    }
}
