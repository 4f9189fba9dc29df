//! The streams that all nodes of the cluster find in the engine.

use std::{collections::BTreeMap, io, sync::Arc, time::Duration};

use mjpeg_cluster::{Cluster, SharedName, StreamDocument};
use mjpeg_manager::StreamName;
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};
use tracing::warn;

use crate::{
    background::OwnedTask,
    config::{read::document::MOST_STREAMS, registry::RegistryStreams},
};

/// What stands in the engine, as it was last looked at.
pub(super) struct Registry {
    streams: watch::Receiver<RegistryStreams>,
    _looking: OwnedTask,
}

impl Registry {
    /// Looks at it from now on.
    pub(super) fn follow(cluster: &Cluster) -> Self {
        let (told, streams) = watch::channel(RegistryStreams::default());
        let cluster = cluster.clone();
        let looking = OwnedTask::start(async move {
            let mut known = BTreeMap::new();
            loop {
                let documents = cluster.documents();
                if documents != known {
                    told.send_replace(read(&documents));
                    known = documents;
                }
                sleep(PAUSE).await;
            }
        });
        Self {
            streams,
            _looking: looking,
        }
    }

    pub(super) fn streams(&self) -> watch::Receiver<RegistryStreams> {
        self.streams.clone()
    }
}

fn read(documents: &BTreeMap<SharedName, StreamDocument>) -> RegistryStreams {
    let mut streams = BTreeMap::new();
    for (shared, document) in documents.iter().take(MOST_STREAMS) {
        let keys: Option<toml::Table> = serde_json::from_str(document.as_str()).ok();
        match (shared.as_str().parse::<StreamName>(), keys) {
            (Ok(name), Some(mut keys)) => {
                keys.insert("name".into(), name.as_str().into());
                streams.insert(name, keys);
            }
            // Names have no characters that steer a terminal.
            _ => warn!(stream = %shared, "a stream in the engine cannot be read"),
        }
    }
    RegistryStreams(Arc::new(streams))
}

/// Stores a stream for all nodes, or removes it, and waits until the engine has taken that.
///
/// # Errors
///
/// If it is too large, or the engine has not taken it in time.
pub(super) async fn store(
    cluster: &Cluster,
    name: &StreamName,
    json: Option<String>,
) -> io::Result<()> {
    let shared = SharedName::new(name.as_str()).map_err(io::Error::other)?;
    let wanted = match json {
        Some(json) => Some(StreamDocument::new(&json, &[]).map_err(io::Error::other)?),
        None => None,
    };
    match &wanted {
        Some(document) => cluster.put_document(&shared, document.clone()),
        None => cluster.remove_document(&shared),
    }
    let taken = async {
        while cluster.documents().get(&shared) != wanted.as_ref() {
            sleep(LOOK_AGAIN).await;
        }
    };
    let taken = timeout(PATIENCE, taken).await;
    taken.map_err(|_| io::Error::other("the engine of the cluster has not taken it within 3 s"))
}

/// From one look to the next.
const PAUSE: Duration = Duration::from_millis(500);
const LOOK_AGAIN: Duration = Duration::from_millis(20);
const PATIENCE: Duration = Duration::from_secs(3);
