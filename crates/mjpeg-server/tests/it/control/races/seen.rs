//! What there is: on the disk, and in the relay.

use std::{collections::BTreeMap, fs};

use serde_json::Value;

use super::model::{Keys, Model, StoredFile};
use crate::control::Controlled;

/// What the relay shows, and what its files hold.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) streams: BTreeMap<String, SeenStream>,
    /// The names of the streams of `/config`.
    config: Vec<String>,
    files: BTreeMap<String, StoredFile>,
}

#[derive(Debug)]
pub(super) struct SeenStream {
    pub(super) origin: String,
    pub(super) keys: Keys,
    pub(super) tag: String,
    is_paused: bool,
}

impl Seen {
    pub(super) async fn of(relay: &Controlled) -> Self {
        let list = relay.ask("GET", "/streams", "").await;
        let list = list.json["streams"].as_array().expect("a list").iter();
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let streams = list.map(|stream| {
            let seen = SeenStream {
                origin: text(&stream["origin"]),
                keys: stream["config"].as_object().expect("keys").clone(),
                tag: text(&stream["version"]),
                is_paused: stream["state"] == "paused",
            };
            (text(&stream["name"]), seen)
        });
        let mut streams: BTreeMap<_, _> = streams.collect();
        streams.remove("watched").expect("the bystander's");
        let config = relay.ask("GET", "/config", "").await;
        let config = config.json["streams"].as_array().expect("a list").iter();
        let mut config: Vec<String> = config.map(|stream| text(&stream["name"])).collect();
        config.retain(|name| name != "watched");
        config.sort();
        Self {
            streams,
            config,
            files: files(relay),
        }
    }

    pub(super) fn agrees(&self, model: &Model) -> bool {
        let names: Vec<&str> = model.names().into_iter().collect();
        let is_same = |name: &&str| {
            let seen = self.streams.get(*name);
            seen.is_some_and(|seen| {
                model.running(name) == Some((&*seen.origin, &seen.keys))
                    && model.paused.contains(*name) == seen.is_paused
            })
        };
        names.iter().all(is_same)
            && names == self.config
            && names.len() == self.streams.len()
            && model.files == self.files
    }
}

/// What is in the folder of the API. Nothing else may be there.
fn files(relay: &Controlled) -> BTreeMap<String, StoredFile> {
    let entries = fs::read_dir(relay.folder.path().join("streams.d")).expect("a folder");
    let file = |entry: std::io::Result<fs::DirEntry>| {
        let entry = entry.expect("an entry");
        let text = fs::read_to_string(entry.path()).expect("a file");
        let table: toml::Table = text.parse().expect("TOML");
        let streams = table["streams"].as_array().expect("streams");
        let [stream] = &**streams else {
            panic!("not one stream: {text}");
        };
        let mut keys = serde_json::to_value(stream).expect("JSON");
        let keys = keys.as_object_mut().expect("a table");
        let name = keys.remove("name").expect("a name");
        let name = name.as_str().expect("a name").to_owned();
        assert_eq!(entry.file_name().to_str(), Some(&*format!("{name}.toml")));
        let file = StoredFile {
            is_of_api: text.starts_with(MARK),
            keys: keys.clone(),
        };
        (name, file)
    };
    entries.map(file).collect()
}

/// What files of the API begin with.
pub(super) const MARK: &str = "# Written by the API of mjpeg-server";
