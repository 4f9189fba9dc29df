//! The JSON schema of what the API may set of a stream.

use serde_json::{Map, Value, json};

use super::{root::property, section::Section};
use crate::config::keys::{control::ControlKeys, stream::StreamKeys};

/// Describes the keys of a stream that the API may set, with what holds where they have no value.
/// `x-order` is the place of a key in the reference, `x-common` marks those that most people need.
pub(crate) fn stream_schema(may: &ControlKeys, defaults: &StreamKeys) -> Value {
    let defaults = serde_json::to_value(defaults).unwrap_or_default();
    let settable = Section::Stream.keys().zip(0..).filter(|(key, _)| {
        let is_allowed = key.name != "listen" || may.listen;
        key.name == "placeholder" || (key.api() && is_allowed)
    });
    let properties: Map<_, _> = settable
        .map(|(key, place)| {
            let (name, mut schema) = property(key);
            if let Some(default) = defaults.get(&name).filter(|default| !default.is_null()) {
                schema["default"] = default.clone();
            }
            match &*name {
                "source" => schema["x-kinds"] = json!(may.sources),
                // It is about the request, and not kept.
                "start" => {
                    schema["default"] = json!("require");
                    schema["description"] = json!(START);
                }
                // A path would have a file read.
                "placeholder" => schema["enum"] = json!(["drawn", "none"]),
                _ => {}
            }
            schema["x-order"] = json!(place);
            (name, schema)
        })
        .collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "stream",
        "type": "object",
        "properties": properties,
        "required": ["name", "source"],
        "additionalProperties": false,
    })
}

const START: &str = "What adding a stream does about a camera that cannot be reached: `\"require\"` \
                     fails, `\"retry\"` tries again until it can.";
