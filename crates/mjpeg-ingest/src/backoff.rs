//! How long to wait between attempts: pure arithmetic without a clock.

use std::time::Duration;

use crate::duration::LONGEST;

/// Capped exponential backoff with jitter.
///
/// The ceiling for attempt `n` (counted from 0) is `min × 2^(n+1)`, at most `max`. The delay is
/// drawn evenly from the upper half of the range below the ceiling, so that a hundred relays that
/// lost the same network do not reconnect in step, even at the cap. With the default of 250 ms to
/// 30 s: 250 to 500 ms, 0.5 to 1 s, 1 to 2 s, … 15 to 30 s.
///
/// ```
/// use std::time::Duration;
/// use mjpeg_ingest::Backoff;
///
/// let backoff = Backoff::default();
/// let first = backoff.delay(0, 42);
/// assert!(Duration::from_millis(250) <= first && first <= Duration::from_millis(500));
/// assert_eq!(first, backoff.delay(0, 42), "the same seed gives the same delay");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    min: Duration,
    max: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            min: Duration::from_millis(250),
            max: Duration::from_secs(30),
        }
    }
}

impl Backoff {
    /// Makes a backoff with delays from `min` to `max`.
    ///
    /// # Errors
    ///
    /// When `min` is zero (a camera that refuses would be retried in a busy loop) or above `max`.
    pub fn try_new(min: Duration, max: Duration) -> Result<Self, InvalidBackoff> {
        if min.is_zero() {
            return Err(InvalidBackoff::ZeroMin);
        }
        if min > max {
            return Err(InvalidBackoff::MinAboveMax);
        }
        Ok(Self {
            min: min.min(LONGEST),
            max: max.min(LONGEST),
        })
    }

    /// Returns the delay after failed attempt `attempt`, counted from 0.
    ///
    /// `seed` selects the jitter: the same seed and attempt give the same delay.
    pub fn delay(&self, attempt: u32, seed: u64) -> Duration {
        let doubled = 2u32.saturating_pow(attempt.saturating_add(1));
        let ceiling = self.min.saturating_mul(doubled).min(self.max);
        let floor = (ceiling / 2).max(self.min);
        // A fresh generator per attempt makes the delay a function of its arguments.
        let share = fastrand::Rng::with_seed(seed.wrapping_add(u64::from(attempt))).f64();
        floor + (ceiling - floor).mul_f64(share)
    }
}

/// Bounds that do not make a [`Backoff`]. The caller is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidBackoff {
    /// The shortest delay is zero.
    #[error("the shortest backoff must not be zero")]
    ZeroMin,
    /// The shortest delay is above the longest.
    #[error("the shortest backoff must not be above the longest")]
    MinAboveMax,
}
