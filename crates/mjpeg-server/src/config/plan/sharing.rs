//! What the nodes of a cluster agree on about a stream.

use std::{collections::BTreeMap, fmt};

use mjpeg_manager::mjpeg_ingest::Source;
use serde_json::Value;

use crate::config::settings::StreamSettings;

/// What a stream means, and where its camera may be read. No `Debug` of the meaning: it holds
/// secrets.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Sharing {
    /// All keys but `listen`, with their values in effect, secrets included.
    pub(crate) meaning: BTreeMap<String, String>,
    /// The labels that a node must have to read the camera.
    pub(crate) requires: BTreeMap<String, String>,
    pub(crate) on_demand: bool,
}

impl Sharing {
    /// What a stream of this node means.
    pub(crate) fn new(stream: &StreamSettings, node: &str) -> Self {
        let keys = serde_json::to_value(&stream.keys).unwrap_or_default();
        let mut meaning: BTreeMap<_, _> = match keys {
            Value::Object(keys) => {
                let texts = keys.into_iter();
                texts.map(|(key, value)| (key, value.to_string())).collect()
            }
            _ => BTreeMap::new(),
        };
        // Secrets are hidden in it; the sources say the same, and what they stand for.
        meaning.remove("fallback");
        for (at, source) in stream.sources.iter().enumerate() {
            meaning.insert(format!("source {at}"), source.reveal().to_owned());
        }
        let aliases: Vec<&str> = stream.aliases.iter().map(|alias| alias.as_str()).collect();
        meaning.insert("aliases".into(), aliases.join(" "));
        let mut requires = stream.keys.requires.clone();
        if Self::is_of_one_machine(stream) {
            requires
                .entry(NODE_LABEL.into())
                .or_insert_with(|| node.into());
        }
        let required = requires
            .iter()
            .map(|(label, value)| format!("{label}={value}"));
        let required: Vec<_> = required.collect();
        meaning.insert("requires".into(), required.join(" "));
        Self {
            meaning,
            requires,
            on_demand: stream.keys.on_demand,
        }
    }

    /// Whether the camera of a stream is one that no other machine can read.
    pub(crate) fn is_of_one_machine(stream: &StreamSettings) -> bool {
        stream.sources.iter().any(is_of_one_machine)
    }

    /// Whether a stream names the node that reads its camera.
    pub(crate) fn names_a_node(stream: &StreamSettings) -> bool {
        stream.keys.requires.contains_key(NODE_LABEL)
    }
}

impl fmt::Debug for Sharing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sharing")
            .field("requires", &self.requires)
            .field("on_demand", &self.on_demand)
            .finish_non_exhaustive()
    }
}

/// Whether a camera is one that no other machine can read.
fn is_of_one_machine(source: &Source) -> bool {
    let kind = source.reveal().split(':').next().unwrap_or_default();
    KINDS_OF_ONE_MACHINE.contains(&kind)
}

const KINDS_OF_ONE_MACHINE: [&str; 7] = [
    "tcp-listen",
    "http-listen",
    "push",
    "unix",
    "file",
    "exec",
    "v4l2",
];

/// The label that each node has, with its name.
pub(crate) const NODE_LABEL: &str = "node";
