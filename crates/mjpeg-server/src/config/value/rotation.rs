//! Quarter turns, in degrees: `0`, `90`, `180`, `270`.

use std::{borrow::Cow, fmt, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, Unexpected, Visitor},
};

/// By how many degrees something is turned clockwise: a multiple of 90 below 360.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rotation(u16);

impl Rotation {
    pub(crate) fn degrees(self) -> u16 {
        self.0
    }
}

impl FromStr for Rotation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = DEGREES.iter().find(|degrees| degrees.to_string() == text);
        known
            .map(|degrees| Self(*degrees))
            .ok_or_else(|| format!("expected {EXPECTED}"))
    }
}

impl Serialize for Rotation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u16(self.0)
    }
}

impl<'de> Deserialize<'de> for Rotation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_i64(RotationVisitor)
    }
}

struct RotationVisitor;

impl Visitor<'_> for RotationVisitor {
    type Value = Rotation;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(EXPECTED)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Rotation, E> {
        let known = DEGREES
            .iter()
            .find(|degrees| i64::from(**degrees) == number);
        known
            .map(|degrees| Rotation(*degrees))
            .ok_or_else(|| E::invalid_value(Unexpected::Signed(number), &self))
    }
}

impl JsonSchema for Rotation {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Rotation".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "integer",
            "enum": DEGREES,
            "x-type": "`0`, `90`, `180` or `270`",
        })
    }
}

const DEGREES: [u16; 4] = [0, 90, 180, 270];
const EXPECTED: &str = "0, 90, 180 or 270";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quarter_turns_are_read_and_written_as_numbers() {
        #[derive(Debug, PartialEq, Serialize, Deserialize)]
        struct Keys {
            rotate: Rotation,
        }

        for degrees in DEGREES {
            let text = format!("rotate = {degrees}\n");
            let keys: Keys = toml::from_str(&text).unwrap();
            assert_eq!(keys.rotate.degrees(), degrees);
            assert_eq!(toml::to_string(&keys).unwrap(), text);
            assert_eq!(degrees.to_string().parse(), Ok(keys.rotate));
        }
        for bad in ["1", "-90", "360", "450", "65626", "90.0", "\"90\"", "true"] {
            let error = toml::from_str::<Keys>(&format!("rotate = {bad}\n"));
            assert!(error.unwrap_err().message().contains(EXPECTED), "{bad}");
            assert!(bad.parse::<Rotation>().is_err(), "{bad}");
        }
    }
}
