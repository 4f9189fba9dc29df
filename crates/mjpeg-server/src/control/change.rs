//! The keys of a stream after a change by the API, and which of them it may set.

use mjpeg_control::{EditMode, Error, ErrorCode, StreamEdit, Violation};
use mjpeg_manager::{StreamName, mjpeg_ingest::Source};
use serde_json::{Map, Value};

use super::masked::unmasked;
use crate::config::{
    allowed,
    edits::{Author, OwnStream, stream_text},
    files::API_MARK,
    keys::control::ControlKeys,
    read::nearest::nearest,
    schema::section::Section,
};

/// The keys of the stream after the change, if the API may set those that are new. `references` are
/// the `${…}` that a stream of the cluster may hold; `None` for another stream, which may hold none.
pub(super) fn keys(
    change: &StreamEdit,
    there: Option<&OwnStream>,
    may: &ControlKeys,
    references: Option<&[String]>,
) -> Result<toml::Table, Error> {
    let stored = there.map(|there| &there.keys);
    let mut keys = match change.mode {
        EditMode::Merge => stored.cloned().unwrap_or_default(),
        _ => toml::Table::new(),
    };
    let mut violations = Vec::new();
    for (key, value) in &change.keys {
        if value.is_null() {
            keys.remove(key);
            continue;
        }
        // It is about this call: whether the camera is waited for.
        if key == "start" {
            violations.extend(wrong_start(value));
            continue;
        }
        let set = may_set(key, value, may, references).and_then(|()| {
            let stored = stored.and_then(|stored| stored.get(key));
            let value = with_secrets(key, value, stored)?;
            check_hosts(key, &value, may)?;
            Ok(value)
        });
        match set.map(toml_of) {
            Ok(Some(value)) => drop(keys.insert(key.clone(), value)),
            Ok(None) => {
                violations.push(Violation::new("this value has no form in TOML").with_key(key))
            }
            Err(message) => violations.push(Violation::new(message).with_key(key)),
        }
    }
    keys.insert("name".into(), change.name.as_str().into());
    if violations.is_empty() {
        return Ok(keys);
    }
    let detail = match &*violations {
        [only] => format!(
            "{}: {}",
            only.key.as_deref().unwrap_or_default(),
            only.message
        ),
        _ => "some keys cannot be set like this".into(),
    };
    let error = Error::new(ErrorCode::InvalidSpec, detail);
    let hint = "what the API may set is marked in docs/configuration.md; the rest is set in the \
                configuration file";
    let violations = violations.into_iter();
    Err(violations.fold(error.with_hint(hint), Error::with_violation))
}

/// Whether the camera of a new stream must be there. One that connects to us cannot be waited for.
pub(super) fn is_required(keys: &Map<String, Value>) -> bool {
    let is_passive = |url: &str| url.parse().is_ok_and(|source: Source| source.is_passive());
    match keys.get("start").and_then(Value::as_str) {
        Some(start) => start != "retry",
        None => !["source", "fallback"]
            .iter()
            .filter_map(|key| keys.get(*key))
            .any(|value| texts(value).any(is_passive)),
    }
}

fn wrong_start(value: &Value) -> Option<Violation> {
    let is_known = matches!(value.as_str(), Some("retry" | "require"));
    let wrong = Violation::new("write \"retry\" or \"require\"").with_key("start");
    (!is_known).then_some(wrong)
}

fn may_set(
    key: &str,
    value: &Value,
    may: &ControlKeys,
    references: Option<&[String]>,
) -> Result<(), String> {
    let Some(declared) = Section::Stream.key(key) else {
        let names = Section::Stream.keys().map(|key| key.name.as_str());
        return Err(match nearest(key, names) {
            Some(meant) => format!("unknown key; did you mean `{meant}`?"),
            None => "unknown key".into(),
        });
    };
    if key == "listen" && !may.listen {
        return Err("the API may set no ports: [control] has no listen = true".into());
    }
    // A word stands for no file.
    let is_word = matches!(value.as_str(), Some("drawn" | "none"));
    let is_allowed = declared.api() || (key == "placeholder" && is_word);
    if !is_allowed {
        return Err("the API may not set this key: set it in the configuration file".into());
    }
    match references {
        Some(listed) => texts(value).try_for_each(|text| allowed::references(text, listed))?,
        None if texts(value).any(|text| text.contains("${")) => {
            return Err(
                "the API may not use ${…}, which reads this machine's files and environment".into(),
            );
        }
        None => {}
    }
    match key {
        "source" | "fallback" => allowed::sources(texts(value), may),
        _ => Ok(()),
    }
}

/// Refuses addresses that sources of the API may not lead to, where they are written out. Names are
/// judged when they are dialled, and these again.
fn check_hosts(key: &str, value: &Value, may: &ControlKeys) -> Result<(), String> {
    if !matches!(key, "source" | "fallback") {
        return Ok(());
    }
    for url in texts(value) {
        // What is no source is told by whoever reads the configuration.
        if let Ok(source) = url.parse::<Source>() {
            let source = source.with_dial_policy(may.dial_policy());
            source.check_literal().map_err(|error| error.to_string())?;
        }
    }
    Ok(())
}

fn with_secrets(key: &str, value: &Value, stored: Option<&toml::Value>) -> Result<Value, String> {
    match (key, value) {
        ("source", Value::String(new)) => {
            let stored = stored.and_then(toml::Value::as_str);
            Ok(unmasked(new, stored)?.into())
        }
        ("fallback", Value::Array(new)) => {
            let stored = stored.and_then(toml::Value::as_array);
            let stored: Vec<&str> = stored
                .into_iter()
                .flatten()
                .filter_map(toml::Value::as_str)
                .collect();
            let unmask = |new: &Value| match new {
                Value::String(new) => {
                    // Their order may have changed.
                    let mut kept = stored.iter().map(|stored| unmasked(new, Some(stored)));
                    let kept = kept.find(Result::is_ok);
                    Ok(kept.unwrap_or_else(|| unmasked(new, None))?.into())
                }
                other => Ok(other.clone()),
            };
            new.iter().map(unmask).collect()
        }
        _ => Ok(value.clone()),
    }
}

/// All texts within a value.
fn texts(value: &Value) -> impl Iterator<Item = &str> {
    let mut all = Vec::new();
    let mut rest = vec![value];
    while let Some(value) = rest.pop() {
        match value {
            Value::String(text) => all.push(&**text),
            Value::Array(items) => rest.extend(items),
            Value::Object(members) => rest.extend(members.values()),
            _ => {}
        }
    }
    all.into_iter()
}

fn toml_of(value: Value) -> Option<toml::Value> {
    toml::Value::try_from(value).ok()
}

/// The file of a stream of the API.
pub(super) fn file_text(keys: &toml::Table) -> String {
    format!(
        "{API_MARK}, which replaces this file when the stream is changed.\n\
         # Without this line, it is yours, and the API leaves it alone.\n\n{}",
        stream_text(keys)
    )
}

/// A stream that the API may change for this run only.
pub(super) fn defined_elsewhere(name: &StreamName, author: Option<&Author>) -> Error {
    let place = match author {
        Some(Author::CommandLine) => "on the command line",
        Some(Author::File) => "in a file that is not the API's",
        _ => "in a file that is not the API's, or on the command line",
    };
    let detail = format!("the stream {name} is defined {place}");
    let hint = "change it there and reload, or add ?persist=false to change it for this run";
    Error::new(ErrorCode::DefinedInFile, detail).with_hint(hint)
}
