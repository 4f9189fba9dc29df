//! Dates as people on the spot read them.

use std::time::SystemTime;

use jiff::{Timestamp, tz::TimeZone};

/// Writes a date in this zone, with the zone's name: `Sun, 29 Nov 2026 02:14:05 CET`.
pub(super) fn local_date(at: SystemTime, zone: TimeZone) -> String {
    // A clock that is off by ten thousand years shows as 1970.
    let at = Timestamp::try_from(at).unwrap_or(Timestamp::UNIX_EPOCH);
    at.to_zoned(zone)
        .strftime("%a, %d %b %Y %H:%M:%S %Z")
        .to_string()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn date_is_that_of_the_zone_and_says_which() {
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        let berlin = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        for (seconds, zone, date) in [
            (0, TimeZone::UTC, "Thu, 01 Jan 1970 00:00:00 UTC"),
            (
                1_795_914_845,
                berlin.clone(),
                "Sun, 29 Nov 2026 02:14:05 CET",
            ),
            (1_782_864_000, berlin, "Wed, 01 Jul 2026 02:00:00 CEST"),
        ] {
            assert_eq!(local_date(at(seconds), zone), date);
        }
    }
}
