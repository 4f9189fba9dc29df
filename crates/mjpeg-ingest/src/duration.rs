//! The longest duration used in arithmetic, and durations as people write them: `500ms`, `10s`,
//! `5m`, `1h`.

use std::time::Duration;

/// As good as no limit, and far from where adding it to a time would overflow.
pub(crate) const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// Reads a duration as people write it, such as in the options of a URL: a number with a unit
/// (`ms`, `s`, `m` or `min`, `h`, `d`). Without a unit it counts seconds. The number has at most 12
/// characters, and may have a fraction.
///
/// Returns `None` if it is anything else.
///
/// ```
/// use std::time::Duration;
///
/// use mjpeg_ingest::parse_duration;
///
/// assert_eq!(parse_duration("1.5s"), Some(Duration::from_millis(1500)));
/// assert_eq!(parse_duration("5m"), Some(Duration::from_secs(300)));
/// assert_eq!(parse_duration("soon"), None);
/// ```
pub fn parse_duration(text: &str) -> Option<Duration> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.');
    let (number, unit) = text.split_at(end.unwrap_or(text.len()));
    let seconds = match unit {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        "d" => 86400.0,
        _ => return None,
    };
    // With so few digits, nothing that follows can overflow.
    let number: f64 = number.parse().ok().filter(|_| number.len() <= 12)?;
    Some(Duration::from_secs_f64(number * seconds))
}

/// Writes a duration as [`parse_duration`] reads it, in the largest unit that holds it in whole
/// numbers.
pub fn format_duration(time: Duration) -> String {
    let nanos = time.as_nanos();
    let units = [
        ("d", 86_400_000_000_000),
        ("h", 3_600_000_000_000),
        ("m", 60_000_000_000),
        ("s", 1_000_000_000),
        ("ms", 1_000_000),
    ];
    let whole = units
        .iter()
        .find(|(_, unit)| nanos > 0 && nanos.is_multiple_of(*unit));
    match whole {
        Some((name, unit)) => format!("{}{name}", nanos / unit),
        None => format!("{}s", time.as_secs_f64()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_and_written_with_their_unit() {
        for (text, millis, back) in [
            ("10", 10_000, "10s"),
            ("10s", 10_000, "10s"),
            ("90s", 90_000, "90s"),
            ("500ms", 500, "500ms"),
            ("1.5s", 1_500, "1500ms"),
            ("5m", 300_000, "5m"),
            ("60min", 3_600_000, "1h"),
            ("48h", 172_800_000, "2d"),
            ("0", 0, "0s"),
        ] {
            let time = Duration::from_millis(millis);
            assert_eq!(parse_duration(text), Some(time), "{text}");
            assert_eq!(format_duration(time), back);
        }
        for bad in [
            "",
            "s",
            "x",
            "-1s",
            "1w",
            "1 s",
            "1e9",
            "nan",
            "1.2.3",
            "9999999999999",
        ] {
            assert_eq!(parse_duration(bad), None, "{bad}");
        }
        assert_eq!(format_duration(Duration::from_micros(16_666)), "0.016666s");
        assert_eq!(
            parse_duration("0.016666s"),
            Some(Duration::from_micros(16_666))
        );
    }
}
