//! How often a sender sends pictures: decisions without a clock.

use std::time::Duration;

use tokio::time::Instant;

/// How often the pictures of a stream come. It is kept from connection to connection: a camera
/// that sends a picture per minute is lost in between only until that is known.
#[derive(Debug, Default)]
pub(super) struct PushPace {
    last: Option<Instant>,
    interval: Option<Duration>,
}

impl PushPace {
    /// Records a picture.
    pub(super) fn picture(&mut self, now: Instant) {
        let Some(last) = self.last.replace(now) else {
            return;
        };
        let gap = now.saturating_duration_since(last).min(LONGEST);
        self.interval = Some(match self.interval {
            None => gap,
            // Neither one outage nor a burst of pictures changes the usual interval much.
            Some(interval) => {
                let most = interval.saturating_mul(4).max(SHORTEST_PAUSE);
                gap.min(most).max(interval - interval / FORGETS)
            }
        });
    }

    /// The longest time between two pictures lately, once there were two.
    pub(super) fn interval(&self) -> Option<Duration> {
        self.interval
    }
}

/// The longest interval that is learned. A camera that sends more rarely has a `stall_limit`.
const LONGEST: Duration = Duration::from_secs(3600);

/// A pause of this length may be part of the rhythm of even a fast camera.
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);

/// How much of the longest interval each picture lets be forgotten: one part in so many.
const FORGETS: u32 = 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(gaps_millis: &[u64]) -> Option<Duration> {
        let mut now = Instant::now();
        let mut pace = PushPace::default();
        pace.picture(now);
        for &gap in gaps_millis {
            now += Duration::from_millis(gap);
            pace.picture(now);
        }
        pace.interval()
    }

    #[test]
    fn interval_is_the_longest_lately() {
        assert_eq!(pace(&[]), None);
        assert_eq!(pace(&[60_000]), Some(Duration::from_secs(60)));
        let bursts = pace(&[60_000, 1, 1, 60_000, 1, 1]).unwrap();
        assert!(bursts > Duration::from_secs(50), "{bursts:?}");
    }

    #[test]
    fn one_outage_is_no_rhythm() {
        let night = pace(&[200, 200, 200, 8 * 3_600_000]).unwrap();
        assert_eq!(night, Duration::from_secs(1));
        let mut later = vec![200, 8 * 3_600_000];
        later.extend([200; 100]);
        assert!(pace(&later).unwrap() <= Duration::from_millis(201));
        assert_eq!(pace(&[100 * 3_600_000]), Some(LONGEST));
    }
}
