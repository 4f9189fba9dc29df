//! What the API sets, beside what the files say.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
};

use mjpeg_manager::StreamName;

use super::{
    files::{API_MARK, Files},
    layer::{Layer, ValueOrigin},
    read::document::streams_of,
    registry::{REGISTRY, RegistryStreams},
    report::Report,
};

/// Where the files are read, and what holds for this run besides.
#[derive(Clone, Default)]
pub(crate) struct Edits {
    pub(crate) files: Files,
    pub(crate) run: Vec<RunStream>,
    pub(crate) registry: RegistryStreams,
}

/// A stream that the API has set, changed or removed for this run.
#[derive(Clone, PartialEq)]
pub(crate) struct RunStream {
    pub(crate) name: StreamName,
    /// Its keys; `None` if it is gone.
    pub(crate) keys: Option<toml::Table>,
    /// What a file or the command line said of it. When that changes, it holds again.
    pub(crate) replaces: Option<toml::Table>,
}

impl RunStream {
    /// Whether the sources are other ones than those that were there.
    fn has_sources_of_api(&self) -> bool {
        let source = |keys: &Option<toml::Table>, key| keys.as_ref()?.get(key).cloned();
        let differs = |key| source(&self.keys, key) != source(&self.replaces, key);
        differs("source") || differs("fallback")
    }
}

/// A stream's own keys as they were written, and by whom. No `Debug`: they may hold secrets.
#[derive(Clone, PartialEq)]
pub(crate) struct OwnStream {
    pub(crate) keys: toml::Table,
    pub(crate) author: Author,
}

/// Who has set a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Author {
    /// People, in a file.
    File,
    /// The API, in this file.
    Api(PathBuf),
    /// The API, for this run.
    Run,
    CommandLine,
    /// Somebody, for all nodes of the cluster.
    Cluster,
}

/// How a configuration came about, for the next change by the API.
#[derive(Clone, Default)]
pub(crate) struct Written {
    pub(crate) own: BTreeMap<StreamName, OwnStream>,
    /// What still holds of what the API set for this run.
    pub(crate) run: Vec<RunStream>,
    /// The files, as they were read.
    pub(crate) files: Files,
    /// The patterns of files that are included, with the folder that they begin at.
    pub(crate) includes: Vec<PathBuf>,
    /// The streams of the cluster's registry, used or not.
    pub(crate) registry: RegistryStreams,
}

impl fmt::Debug for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The texts hold secrets.
        f.debug_struct("Written").finish_non_exhaustive()
    }
}

/// Puts what holds for this run into the place of what files and command line say, and returns
/// which of it still holds.
pub(crate) fn apply(
    run: &[RunStream],
    streams: &mut Vec<Layer>,
    report: &mut Report,
) -> Vec<RunStream> {
    let mut holding = Vec::new();
    for change in run {
        let mut named = (0..streams.len()).filter(|at| is_named(&streams[*at], &change.name));
        let at = named.next();
        // A name that stands in two files is an error, which must not be covered up: the next start
        // would fail by it.
        if named.next().is_some() {
            continue;
        }
        let there = at.map(|at| keys_of(&streams[at]));
        if there != change.replaces {
            continue;
        }
        let set = change.keys.as_ref().and_then(|keys| {
            let text = stream_text(keys);
            // Sources that people have set stay theirs when the API sets other keys.
            let text = match change.has_sources_of_api() {
                true => format!("{API_MARK}\n{text}"),
                false => text,
            };
            streams_of("API", &text, report).pop()
        });
        match (at, set) {
            (Some(at), Some(layer)) => streams[at] = layer,
            (Some(at), None) => drop(streams.remove(at)),
            (None, Some(layer)) => streams.push(layer),
            (None, None) => {}
        }
        holding.push(change.clone());
    }
    holding
}

/// Who has written each stream.
pub(crate) fn authors(
    streams: &[Layer],
    run: &[RunStream],
    report: &Report,
) -> BTreeMap<StreamName, OwnStream> {
    let mut own = BTreeMap::new();
    for layer in streams {
        let name = layer
            .entries
            .get("name")
            .and_then(|entry| entry.value.as_str());
        let Some(name) = name.and_then(|name| name.parse::<StreamName>().ok()) else {
            continue;
        };
        let file = layer.place.as_ref();
        let file = file.and_then(|place| report.files.get(place.file));
        let author = match file {
            _ if run.iter().any(|change| change.name == name) => Author::Run,
            Some(file) if file.path == Path::new(REGISTRY) => Author::Cluster,
            Some(file) if file.is_of_api() => Author::Api(file.path.clone()),
            Some(_) => Author::File,
            None => Author::CommandLine,
        };
        let keys = keys_of(layer);
        own.insert(name, OwnStream { keys, author });
    }
    own
}

/// A stream as a file holds it.
pub(crate) fn stream_text(keys: &toml::Table) -> String {
    let mut text = String::from("[[streams]]\n");
    for (key, value) in keys {
        text += &format!("{key} = {value}\n");
    }
    text
}

fn is_named(layer: &Layer, name: &StreamName) -> bool {
    let own = layer.entries.get("name");
    own.and_then(|entry| entry.value.as_str()) == Some(name.as_str())
}

/// The keys of a stream as they were written.
fn keys_of(layer: &Layer) -> toml::Table {
    let entries = layer.entries.iter();
    let written = entries
        .filter(|(_, entry)| !matches!(entry.origin, ValueOrigin::BuiltIn | ValueOrigin::Url));
    written
        .map(|(key, entry)| (key.clone(), entry.value.clone()))
        .collect()
}
