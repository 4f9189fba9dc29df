//! Limits that may be absent.

use std::{borrow::Cow, fmt, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// A limit, or `"none"`. A word is needed for that, because TOML has no null, and a stream must be
/// able to lift a limit of `[defaults]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limit<T>(pub(crate) Option<T>);

impl<T> Default for Limit<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T: FromStr<Err: fmt::Display>> FromStr for Limit<T> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == NONE {
            return Ok(Self(None));
        }
        let limit = text
            .parse()
            .map_err(|error| format!("{error}, or {NONE}"))?;
        Ok(Self(Some(limit)))
    }
}

impl<T: Serialize> Serialize for Limit<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Some(limit) => limit.serialize(serializer),
            None => serializer.serialize_str(NONE),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Limit<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = toml::Value::deserialize(deserializer)?;
        if value.as_str() == Some(NONE) {
            return Ok(Self(None));
        }
        let limit = T::deserialize(value);
        let limit =
            limit.map_err(|error| D::Error::custom(format!("{}, or \"none\"", error.message())))?;
        Ok(Self(Some(limit)))
    }
}

impl<T: JsonSchema> JsonSchema for Limit<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("LimitOf{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let limit = T::json_schema(generator);
        let kind = limit.get("x-type").or(limit.get("type"));
        let kind = match kind.and_then(|kind| kind.as_str()) {
            Some("integer") => "whole number",
            kind => kind.unwrap_or("value"),
        };
        json_schema!({
            "anyOf": [limit, { "const": NONE }],
            "x-type": format!("{kind} or `\"none\"`"),
        })
    }
}

const NONE: &str = "none";
