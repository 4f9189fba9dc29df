//! Times as the files have them: microseconds since 1970, in UTC. No clock is read.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Returns the microseconds since 1970 of a time, which is clamped to the years 1970 to 9999.
pub(crate) fn micros(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).map_or(MAX_MICROS, |micros| micros.min(MAX_MICROS))
}

/// Returns the time of microseconds since 1970, clamped as those of [`micros`].
pub(crate) fn time(micros: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_micros(micros.min(MAX_MICROS))
}

/// The last microsecond of the year 9999.
const MAX_MICROS: u64 = 253_402_300_799_999_999;
