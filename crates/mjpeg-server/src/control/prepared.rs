//! Changes of streams that are prepared: what would be in effect, and what is to be stored.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use mjpeg_control::{Error, ErrorCode, Violation};
use mjpeg_manager::StreamName;

use super::{
    change,
    masked::has_plain_secret,
    store::{PreparedFile, StreamFile},
    written,
};
use crate::{
    background::in_background,
    config::{
        edits::{Author, Edits, OwnStream, RunStream},
        registry::RegistryStreams,
    },
    reload::{Reloader, difference::Configuration},
};

/// What is to become of one stream.
pub(super) struct PreparedEdit {
    pub(super) edits: Edits,
    /// What is to be written once the change holds.
    pub(super) store: Store,
    /// The stream, if it runs already.
    pub(super) started: Option<StreamName>,
}

pub(super) enum Store {
    Nothing,
    Write(PreparedFile),
    Remove(StreamFile),
    /// What all nodes of the cluster are to find of this stream; `None` if it is gone.
    Cluster(StreamName, Option<String>),
}

/// How far a change goes that is to be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Storing {
    /// It could be.
    Checked,
    /// All is written but for the last step.
    Prepared,
}

impl Store {
    pub(super) fn commit(self) -> std::io::Result<()> {
        match self {
            Self::Nothing => Ok(()),
            Self::Write(file) => file.commit(),
            Self::Remove(file) => file.remove(),
            Self::Cluster(..) => Err(std::io::Error::other("this is no file")),
        }
    }
}

/// What is in effect.
pub(super) fn unchanged(running: &Configuration) -> Edits {
    Edits {
        files: running.written.files.clone(),
        run: running.written.run.clone(),
        registry: running.written.registry.clone(),
    }
}

/// A stream that is kept for all nodes of the cluster, or is to be gone.
pub(super) fn of_cluster(
    running: &Configuration,
    name: &StreamName,
    keys: Option<toml::Table>,
) -> Result<PreparedEdit, Error> {
    if running.settings.cluster.is_none() {
        let detail = "this relay is no node of a cluster: its file has no [cluster]";
        return Err(Error::new(ErrorCode::NotPossible, detail));
    }
    let mut edits = unchanged(running);
    edits.run.retain(|run| run.name != *name);
    let mut streams = (*edits.registry.0).clone();
    let document = match keys {
        Some(keys) => {
            check_secrets(&keys)?;
            let mut document = keys.clone();
            document.remove("name");
            streams.insert(name.clone(), keys);
            let json = serde_json::to_string(&document);
            Some(json.map_err(|error| Error::new(ErrorCode::InvalidSpec, error.to_string()))?)
        }
        None => {
            streams.remove(name);
            None
        }
    };
    edits.registry = RegistryStreams(Arc::new(streams));
    Ok(PreparedEdit {
        edits,
        store: Store::Cluster(name.clone(), document),
        started: None,
    })
}

/// Refuses secrets that are written out: whoever reads the engine could read them.
fn check_secrets(keys: &toml::Table) -> Result<(), Error> {
    for key in ["source", "fallback"] {
        let urls = match keys.get(key) {
            Some(toml::Value::String(url)) => vec![url.as_str()],
            Some(toml::Value::Array(urls)) => urls.iter().filter_map(toml::Value::as_str).collect(),
            _ => Vec::new(),
        };
        if urls.into_iter().any(has_plain_secret) {
            let detail =
                format!("{key}: a secret of a stream of the cluster must not be written out");
            let hint = "write ${env:NAME} or ${file:PATH} in its place, and list that in \
                        `references` of [cluster] on each node";
            let violation = Violation::new(&detail).with_key(key);
            let error = Error::new(ErrorCode::InvalidSpec, &detail).with_hint(hint);
            return Err(error.with_violation(violation));
        }
    }
    Ok(())
}

/// A stream that is kept in a file.
pub(super) async fn stored(
    reloader: &Reloader,
    name: &StreamName,
    there: Option<&OwnStream>,
    keys: toml::Table,
    storing: Storing,
) -> Result<PreparedEdit, Error> {
    let running = reloader.running();
    let mut edits = unchanged(running);
    let of_run = edits.run.iter().find(|run| run.name == *name);
    let is_stored = match of_run {
        Some(run) => run.replaces.is_some(),
        None => there.is_some(),
    };
    let path = match is_stored {
        true => Some(file_of_api(running, name, there)?),
        false => None,
    };
    edits.run.retain(|run| run.name != *name);
    let includes = running.written.includes.clone();
    let main = reloader.main_file().map(Path::to_owned);
    let (of_stream, text) = (name.clone(), change::file_text(&keys));
    let prepared = in_background(move || {
        let file = match path {
            Some(path) => StreamFile::existing(path, of_stream.clone()).usable()?,
            None => StreamFile::new(&includes, &of_stream)?,
        };
        if let Some(main) = main {
            written::check_name(&main, file.path(), &of_stream)?;
        }
        let path = file.path().to_owned();
        let store = match storing {
            Storing::Checked => {
                file.probe()?;
                Store::Nothing
            }
            Storing::Prepared => Store::Write(file.prepare(&text)?),
        };
        Ok::<_, Error>((path, text, store))
    });
    let (path, text, store) = prepared.await?;
    edits.files.insert(path, text);
    Ok(PreparedEdit {
        edits,
        store,
        started: None,
    })
}

/// The file in which the API keeps a stream, also one that it has changed or removed for this run.
pub(super) fn file_of_api(
    running: &Configuration,
    name: &StreamName,
    there: Option<&OwnStream>,
) -> Result<PathBuf, Error> {
    let author = there.map(|there| &there.author);
    match author {
        Some(Author::Api(path)) => Ok(path.clone()),
        Some(Author::Run) | None => {
            let path = running.written.files.of_api(name.as_str());
            path.ok_or_else(|| change::defined_elsewhere(name, author))
        }
        _ => Err(change::defined_elsewhere(name, author)),
    }
}

/// A stream that is set, or gone, until a file or the command line says something else of it.
pub(super) fn for_this_run(
    running: &Configuration,
    name: &StreamName,
    there: Option<&OwnStream>,
    keys: Option<toml::Table>,
) -> PreparedEdit {
    let mut edits = unchanged(running);
    let known = edits.run.iter().position(|run| run.name == *name);
    let replaces = match known {
        Some(at) => edits.run.remove(at).replaces,
        None => there.map(|there| there.keys.clone()),
    };
    if keys.is_some() || replaces.is_some() {
        edits.run.push(RunStream {
            name: name.clone(),
            keys,
            replaces,
        });
    }
    PreparedEdit {
        edits,
        store: Store::Nothing,
        started: None,
    }
}
