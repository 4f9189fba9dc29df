//! Times: `500ms`, `10s`, `5m`, `1h`, `7d`.

use std::{borrow::Cow, fmt, str::FromStr, time::Duration};

use mjpeg_manager::mjpeg_ingest::{format_duration, parse_duration};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, Unexpected, Visitor},
};

/// A time. In a file its unit must be written, because a bare number is read as milliseconds by one
/// person and as seconds by the next. On the command line a bare number counts seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Time(pub(crate) Duration);

impl Time {
    pub(crate) const fn from_secs(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }
}

impl FromStr for Time {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        parse_duration(text).map(Self).ok_or_else(|| {
            "expected a number of seconds, or a time such as 500ms, 10s or 5m".into()
        })
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&format_duration(self.0))
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TimeVisitor)
    }
}

struct TimeVisitor;

impl Visitor<'_> for TimeVisitor {
    type Value = Time;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(EXPECTED)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Time, E> {
        let invalid = || E::invalid_value(Unexpected::Str(text), &self);
        if !text.ends_with(|c: char| c.is_ascii_alphabetic()) {
            return Err(invalid());
        }
        text.parse().map_err(|_| invalid())
    }
}

impl JsonSchema for Time {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Time".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": r"^[0-9.]{1,25}(ms|s|m|min|h|d)$",
            "x-type": "time",
        })
    }
}

const EXPECTED: &str = "a time with its unit, such as \"500ms\", \"10s\", \"5m\", \"1h\" or \"7d\"";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_and_written_with_their_unit() {
        for (text, millis, back) in [
            ("10", 10_000, "10s"),
            ("10s", 10_000, "10s"),
            ("500ms", 500, "500ms"),
            ("1.5s", 1_500, "1500ms"),
            (".5", 500, "500ms"),
            ("5m", 300_000, "5m"),
            ("60min", 3_600_000, "1h"),
            ("7d", 604_800_000, "7d"),
            ("0", 0, "0s"),
        ] {
            let time: Time = text.parse().unwrap();
            assert_eq!(time.0, Duration::from_millis(millis), "{text}");
            assert_eq!(time.to_string(), back);
        }
        for bad in [
            "",
            ".",
            "s",
            "soon",
            "-1s",
            "1w",
            "1 s",
            "1e9",
            "nan",
            "1.2.3",
            "9999999999999",
        ] {
            let error = bad.parse::<Time>().unwrap_err();
            assert!(error.contains("number of seconds"), "{bad}: {error}");
        }
        assert!("999999999999d".parse::<Time>().is_ok());
    }
}
