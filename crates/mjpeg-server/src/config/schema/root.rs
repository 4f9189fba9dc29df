//! The JSON schema of a file, for editors.

use serde_json::{Map, Value, json};

use super::{key::Key, section::Section};
use crate::config::keys::KEEP;

/// Writes the schema.
pub(crate) fn schema() -> Value {
    let streams = object(Section::Stream);
    let mut properties = Map::new();
    properties.insert(
        "include".into(),
        json!({
            "type": "array",
            "items": { "type": "string" },
            "description": INCLUDE,
            "x-reload": KEEP,
        }),
    );
    properties.extend(Section::Process.keys().map(property));
    let listen = object(Section::Listen);
    properties.insert("listen".into(), json!({ "type": "array", "items": listen }));
    properties.insert("defaults".into(), object(Section::Defaults));
    properties.insert(
        "streams".into(),
        json!({ "type": "array", "items": streams }),
    );
    properties.insert("auth".into(), object(Section::Auth));
    let users = object(Section::User);
    properties.insert("users".into(), json!({ "type": "array", "items": users }));
    properties.insert("control".into(), object(Section::Control));
    let webhooks = object(Section::Webhook);
    properties.insert(
        "webhooks".into(),
        json!({ "type": "array", "items": webhooks }),
    );
    properties.insert("cluster".into(), object(Section::Cluster));
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "mjpeg-server",
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    })
}

fn object(section: Section) -> Value {
    let properties: Map<_, _> = section.keys().map(property).collect();
    let required: Vec<_> = section.keys().filter(|key| key.is_required()).collect();
    let required: Vec<_> = required.iter().map(|key| &key.name).collect();
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

/// A key with its bounds as JSON Schema states them.
pub(super) fn property(key: &'static Key) -> (String, Value) {
    let mut schema = key.schema.clone();
    for (ours, theirs) in [
        ("x-above", "exclusiveMinimum"),
        ("x-least", "minimum"),
        ("x-most", "maximum"),
    ] {
        if let Some(bound) = schema.get(ours).filter(|bound| bound.is_number()).cloned() {
            schema.insert(theirs.into(), bound);
        }
    }
    schema.insert("description".into(), key.doc().into());
    schema.retain(|name, value| name != "default" || !value.is_null());
    (key.name.clone(), Value::Object(schema))
}

/// What `include` means.
pub(crate) const INCLUDE: &str = "Files that may hold only `[[streams]]`, such as \
     `streams.d/*.toml`. Relative to the folder of this file; `*` stands for any part of a file's \
     name. They are read in the order of their names.";
