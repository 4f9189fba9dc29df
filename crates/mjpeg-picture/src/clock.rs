//! The time of day as text.

use std::time::{SystemTime, UNIX_EPOCH};

/// Formats the time of day as `HH:MM:SS.mmm UTC`, 16 characters for every input.
pub(crate) fn time_of_day(wall: SystemTime) -> String {
    let millis = match wall.duration_since(UNIX_EPOCH) {
        Ok(since) => since.as_millis() % MILLIS_PER_DAY,
        Err(before) => {
            // Rounds away from the epoch: the clock shows the current millisecond, as it does after
            // 1970.
            let back = before.duration().as_nanos().div_ceil(1_000_000) % MILLIS_PER_DAY;
            (MILLIS_PER_DAY - back) % MILLIS_PER_DAY
        }
    };
    let (seconds, millis) = (millis / 1000, millis % 1000);
    let (minutes, seconds) = (seconds / 60, seconds % 60);
    let (hours, minutes) = (minutes / 60, minutes % 60);
    format!("{hours:02}:{minutes:02}:{seconds:02}.{millis:03} UTC")
}

const MILLIS_PER_DAY: u128 = 24 * 60 * 60 * 1000;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn after(millis: u64) -> String {
        time_of_day(UNIX_EPOCH + Duration::from_millis(millis))
    }

    #[test]
    fn counts_hours_minutes_seconds_and_milliseconds() {
        assert_eq!(after(0), "00:00:00.000 UTC");
        assert_eq!(after(1), "00:00:00.001 UTC");
        assert_eq!(
            after(12 * 3_600_000 + 34 * 60_000 + 56_789),
            "12:34:56.789 UTC"
        );
    }

    #[test]
    fn wraps_at_midnight() {
        assert_eq!(after(86_399_999), "23:59:59.999 UTC");
        assert_eq!(after(86_400_000), "00:00:00.000 UTC");
        // 2024-02-29T23:59:60Z does not exist in Unix time; the next day starts at zero.
        assert_eq!(after(1_709_251_200_000), "00:00:00.000 UTC");
    }

    #[test]
    fn runs_on_before_1970() {
        let before = |back| time_of_day(UNIX_EPOCH - back);
        assert_eq!(before(Duration::from_millis(1)), "23:59:59.999 UTC");
        assert_eq!(before(Duration::from_nanos(1)), "23:59:59.999 UTC");
        assert_eq!(before(Duration::from_secs(86_400)), "00:00:00.000 UTC");
        assert_eq!(before(Duration::from_secs(86_401)), "23:59:59.000 UTC");
    }
}
