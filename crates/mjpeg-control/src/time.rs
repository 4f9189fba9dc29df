//! Times as text.

use std::time::SystemTime;

use jiff::Timestamp;

/// A time as in RFC 3339, to the millisecond.
pub(crate) fn rfc3339(time: SystemTime) -> String {
    let timestamp = Timestamp::try_from(time).unwrap_or_default();
    format!("{timestamp:.3}")
}

/// Reads such a time; `None` if the text is none.
#[cfg(feature = "replay")]
pub(crate) fn parse_rfc3339(text: &str) -> Option<SystemTime> {
    let timestamp: Timestamp = text.parse().ok()?;
    Some(timestamp.into())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn times_are_utc_to_the_millisecond() {
        let time = UNIX_EPOCH + Duration::from_millis(1_790_000_000_250);
        assert_eq!(rfc3339(time), "2026-09-21T14:13:20.250Z");
        assert_eq!(rfc3339(UNIX_EPOCH), "1970-01-01T00:00:00.000Z");
    }
}
