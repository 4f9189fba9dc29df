//! Wall-clock time as text.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::plan::ClipPlan;

/// A moment in UTC, to the millisecond, clamped to the years 1970 to 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct UtcTime {
    pub(crate) year: u16,
    pub(crate) month: u8,
    pub(crate) day: u8,
    pub(crate) hour: u8,
    pub(crate) minute: u8,
    pub(crate) second: u8,
    millis: u16,
}

impl UtcTime {
    /// Returns the moment `at_us` microseconds after the first frame.
    pub(crate) fn of_frame(plan: &ClipPlan, at_us: u64) -> Self {
        let time = since_epoch(plan.start()).saturating_add(Duration::from_micros(at_us));
        Self::of(time)
    }

    fn of(since_epoch: Duration) -> Self {
        let millis = since_epoch.as_millis().min(MAX_MILLIS);
        let millis = u64::try_from(millis).unwrap_or(0);
        let (days, of_day) = (millis / DAY_MILLIS, millis % DAY_MILLIS);
        let (year, month, day) = civil(days);
        Self {
            year,
            month,
            day,
            hour: (of_day / 3_600_000) as u8,
            minute: (of_day / 60_000 % 60) as u8,
            second: (of_day / 1_000 % 60) as u8,
            millis: (of_day % 1_000) as u16,
        }
    }

    /// Formats it as in `2026-11-28T12:00:00.123Z`.
    pub(crate) fn rfc3339(self) -> String {
        let Self {
            year, month, day, ..
        } = self;
        let Self {
            hour,
            minute,
            second,
            millis,
            ..
        } = self;
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
    }

    /// Formats it as in `20261128T120000.123Z`, which every file system accepts.
    pub(crate) fn compact(self) -> String {
        let mut text = self.rfc3339();
        text.retain(|c| c != '-' && c != ':');
        text
    }
}

/// Returns the time since 1970.
pub(crate) fn since_epoch(time: SystemTime) -> Duration {
    time.duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Returns the date of a day, counted from 1970-01-01. A year begins in March here, so the leap day
/// is the last day of its year. An era is 400 years, so all eras have the same number of days.
fn civil(days: u64) -> (u16, u8, u8) {
    let days = days + DAYS_TO_1970;
    let (era, of_era) = (days / ERA_DAYS, days % ERA_DAYS);
    let years = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * years + years / 4 - years / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    let year = era * 400 + years + u64::from(month <= 2);
    (year as u16, month as u8, day as u8)
}

const DAY_MILLIS: u64 = 86_400_000;
/// The last millisecond of the year 9999.
const MAX_MILLIS: u128 = 253_402_300_799_999;
/// The days from 0000-03-01 to 1970-01-01.
const DAYS_TO_1970: u64 = 719_468;
const ERA_DAYS: u64 = 146_097;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leap_days_and_ends_of_years_have_their_dates() {
        for (secs, text) in [
            (0, "1970-01-01T00:00:00.007Z"),
            (951_782_399, "2000-02-28T23:59:59.007Z"),
            (951_782_400, "2000-02-29T00:00:00.007Z"),
            (951_868_800, "2000-03-01T00:00:00.007Z"),
            (1_798_761_599, "2026-12-31T23:59:59.007Z"),
            (4_107_542_400, "2100-03-01T00:00:00.007Z"),
        ] {
            let time = UtcTime::of(Duration::from_millis(secs * 1_000 + 7));
            assert_eq!(time.rfc3339(), text);
        }
    }

    #[test]
    fn time_after_the_year_9999_is_its_last_millisecond() {
        let text = UtcTime::of(Duration::MAX).rfc3339();
        assert_eq!(text, "9999-12-31T23:59:59.999Z");
    }
}
