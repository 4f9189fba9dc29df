//! Streams that are defined in the engine of a cluster, for all its nodes at once.
//!
//! Other nodes have put them there, so they may do no more than what the API may set, and what is
//! wrong with one of them costs that stream alone.

use std::{collections::BTreeMap, sync::Arc};

use mjpeg_manager::StreamName;

use super::{
    allowed,
    edits::stream_text,
    files::API_MARK,
    keys::{cluster::ClusterKeys, control::ControlKeys},
    layer::Layer,
    plan::{RelayPlan, sharing::Sharing},
    read::document::{Document, streams_of},
    report::{Finding, Level, Report},
    resolve::{overrides::Overrides, resolve},
    settings::StreamSettings,
};

/// The keys of each stream, as somebody has written them. No `Debug`: nothing is known of them.
#[derive(Clone, Default, PartialEq)]
pub(crate) struct RegistryStreams(pub(crate) Arc<BTreeMap<StreamName, toml::Table>>);

/// Adds the streams of the registry that can be used on this node. Of the others, a warning says
/// why.
pub(crate) fn add(
    registry: &RegistryStreams,
    document: &Document,
    overrides: &Overrides,
    own: &mut Vec<Layer>,
    report: &mut Report,
) {
    for (name, keys) in &*registry.0 {
        let usable = match own.iter().any(|layer| has_name(layer, name.as_str())) {
            true => Err("another stream of this node has its name".into()),
            false => usable(keys, document, overrides),
        };
        match usable {
            Ok(text) => own.extend(streams_of(REGISTRY, &text, report)),
            Err(why) => {
                let message = format!("the cluster's stream {name} is not used here: {why}");
                report.add(Finding::warning(message));
            }
        }
    }
}

/// The text of a stream, if it can be used on this node.
///
/// # Errors
///
/// Says what is wrong. Repeats no value.
pub(crate) fn usable(
    keys: &toml::Table,
    document: &Document,
    overrides: &Overrides,
) -> Result<String, String> {
    let may = read::<ControlKeys>(Some(&document.control));
    let cluster = read::<ClusterKeys>(document.cluster.as_ref());
    let urls = ["source", "fallback"]
        .into_iter()
        .filter_map(|key| keys.get(key));
    allowed::sources(urls.flat_map(texts), &may)?;
    for text in keys.values().flat_map(texts) {
        allowed::references(text, &cluster.references)?;
    }
    let text = format!("{API_MARK}\n{}", stream_text(keys));
    let mut report = Report::default();
    let layers = streams_of(REGISTRY, &text, &mut report);
    let alone = Document {
        process: document.process.clone(),
        defaults: document.defaults.clone(),
        control: document.control.clone(),
        cluster: document.cluster.clone(),
        ..Document::default()
    };
    let resolved = resolve(&alone, overrides, &layers, &mut report);
    let plan = RelayPlan::new(&resolved.settings);
    if let Some(error) = report.lines(Level::Error).into_iter().next() {
        return Err(error);
    }
    if let Err(unusable) = plan {
        let unusable = unusable.into_iter().next();
        return Err(unusable
            .map(|unusable| unusable.message)
            .unwrap_or_default());
    }
    if resolved.settings.streams.iter().any(is_of_nobody) {
        let message =
            "its camera is one that only one node can read: add requires = { node = \"…\" }";
        return Err(message.into());
    }
    Ok(text)
}

/// Whether a camera is that of one machine, and it is not said of which.
fn is_of_nobody(stream: &StreamSettings) -> bool {
    Sharing::is_of_one_machine(stream) && !Sharing::names_a_node(stream)
}

fn read<T: Default + serde::Serialize + serde::de::DeserializeOwned>(layer: Option<&Layer>) -> T {
    match layer {
        Some(layer) => Layer::built_in::<T>().under(layer).read(),
        None => T::default(),
    }
}

fn has_name(layer: &Layer, name: &str) -> bool {
    let own = layer.entries.get("name").map(|entry| &entry.value);
    let aliases = layer.entries.get("aliases").map(|entry| &entry.value);
    own.into_iter()
        .chain(aliases)
        .flat_map(texts)
        .any(|known| known == name)
}

/// All texts within a value.
fn texts(value: &toml::Value) -> Vec<&str> {
    match value {
        toml::Value::String(text) => vec![text],
        toml::Value::Array(items) => items.iter().flat_map(texts).collect(),
        toml::Value::Table(table) => table.values().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

/// What stands for a file where one is named.
pub(crate) const REGISTRY: &str = "the cluster";
