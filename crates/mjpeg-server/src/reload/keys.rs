//! The values of keys, as a difference shows them.

use mjpeg_manager::mjpeg_ingest::{Limits, Source};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::config::settings::{ListenSettings, StreamSettings, WebhookSettings};

/// Values by key.
pub(super) type Values = Map<String, Value>;

/// The values of a struct of keys. Sources in it are not shown.
pub(super) fn values(keys: &impl Serialize) -> Values {
    match serde_json::to_value(keys) {
        Ok(Value::Object(values)) => values,
        _ => Values::new(),
    }
}

/// The values of a listener, without where it listens.
pub(super) fn of_listen(listen: &ListenSettings) -> Values {
    let mut values = values(&listen.keys);
    for key in ["address", "unix", "fd"] {
        values.remove(key);
    }
    values.insert("name".into(), listen.name.as_str().into());
    values
}

/// The values of a webhook, without its name, which says which one it is.
pub(super) fn of_webhook(webhook: &WebhookSettings) -> Values {
    let mut values = values(&webhook.keys);
    values.remove("name");
    values
}

/// The values of a stream. Of sources, what may be shown.
pub(super) fn of_stream(stream: &StreamSettings) -> Values {
    let mut values = values(&stream.keys);
    let labels = stream
        .sources
        .iter()
        .map(|source| plain(source).to_string());
    let mut labels = labels.map(Value::from);
    values.insert("source".into(), labels.next().unwrap_or_default());
    values.insert("fallback".into(), labels.collect());
    let listen = stream.listen.map(|listen| listen.to_string());
    values.insert("listen".into(), json!(listen));
    let aliases: Vec<&str> = stream.aliases.iter().map(|alias| alias.as_str()).collect();
    values.insert("aliases".into(), json!(aliases));
    values
}

/// Whether the streams have the same sources, secrets included, by key.
pub(super) fn same_sources(a: &StreamSettings, b: &StreamSettings) -> [(&'static str, bool); 2] {
    let plain =
        |stream: &StreamSettings| -> Vec<Source> { stream.sources.iter().map(plain).collect() };
    let (a, b) = (plain(a), plain(b));
    [
        ("source", a.first() == b.first()),
        ("fallback", a.get(1..) == b.get(1..)),
    ]
}

/// A source without its limits, which are keys of their own.
fn plain(source: &Source) -> Source {
    source.clone().with_limits(Limits::new())
}
