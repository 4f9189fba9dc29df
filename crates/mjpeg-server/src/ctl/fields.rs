//! Fields of the API's answers as text.

use serde_json::Value;

/// A field as text: empty where it is not there.
pub(super) fn field(object: &Value, name: &str) -> String {
    object.get(name).map(text).unwrap_or_default()
}

/// A value as text.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The items of a field that is a list.
pub(super) fn items<'a>(object: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    object
        .get(name)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

/// The fields of a field that is a table, each with its value as text.
pub(super) fn entries<'a>(
    object: &'a Value,
    name: &str,
) -> impl Iterator<Item = (&'a String, String)> {
    let fields = object
        .get(name)
        .and_then(Value::as_object)
        .into_iter()
        .flatten();
    fields.map(|(key, value)| (key, text(value)))
}

/// A time without what is the same in all of them: `2026-11-29 08:00:00`, in UTC.
pub(super) fn time(object: &Value, name: &str) -> String {
    let text = field(object, name);
    match text
        .get(..19)
        .filter(|_| text.as_bytes().get(10) == Some(&b'T'))
    {
        Some(seconds) => seconds.replacen('T', " ", 1),
        None => text,
    }
}

/// A number of bytes for people.
pub(super) fn size(bytes: u64) -> String {
    let bytes = bytes as f64;
    match bytes {
        ..MIB => format!("{:.0} KiB", bytes / KIB),
        ..GIB => format!("{:.1} MiB", bytes / MIB),
        _ => format!("{:.1} GiB", bytes / GIB),
    }
}

const KIB: f64 = 1024.0;
const MIB: f64 = 1024.0 * KIB;
const GIB: f64 = 1024.0 * MIB;
