//! The streams as they are configured, for the API.

use std::{
    collections::BTreeMap,
    hash::{BuildHasher, RandomState},
};

use mjpeg_control::{ConfiguredStream, StreamOrigin};
use serde_json::{Map, Value};

use super::masked::shown;
use crate::{
    config::edits::{Author, OwnStream},
    reload::difference::Configuration,
};

/// What the API shows of the configuration. Holds no secrets.
pub(super) struct ConfiguredView {
    pub(super) streams: BTreeMap<String, ConfiguredStream>,
}

impl ConfiguredView {
    pub(super) fn new(running: &Configuration, hashing: &RandomState) -> Self {
        let own = running.written.own.iter();
        let streams = own.map(|(name, own)| (name.to_string(), configured(own, hashing)));
        Self {
            streams: streams.collect(),
        }
    }
}

fn configured(own: &OwnStream, hashing: &RandomState) -> ConfiguredStream {
    let origin = match own.author {
        Author::File => StreamOrigin::File,
        Author::Api(_) => StreamOrigin::Api,
        Author::Run => StreamOrigin::Run,
        Author::CommandLine => StreamOrigin::CommandLine,
        Author::Cluster => StreamOrigin::Cluster,
    };
    // Keyed by the process, so that nobody can find out a secret by it.
    let version = hashing.hash_one((own.keys.to_string(), origin as u8));
    ConfiguredStream::new(keys(&own.keys), origin, format!("{version:016x}"))
}

/// The keys, with secrets masked.
fn keys(own: &toml::Table) -> Map<String, Value> {
    let without_name = own.iter().filter(|(key, _)| *key != "name");
    let shown = without_name.map(|(key, value)| {
        let value = match (&**key, value) {
            ("source" | "fallback", toml::Value::String(url)) => shown(url).into(),
            ("source" | "fallback", toml::Value::Array(urls)) => {
                let urls = urls.iter().filter_map(toml::Value::as_str);
                urls.map(shown).collect()
            }
            _ => serde_json::to_value(value).unwrap_or_default(),
        };
        (key.clone(), value)
    });
    shown.collect()
}
