//! What all gateways share.

use std::{collections::HashMap, sync::Arc, time::SystemTime};

use bytes::Bytes;
use mjpeg_manager::{HttpOutlet, Manager, StreamName};
use tokio::sync::{Semaphore, watch};

#[cfg(feature = "replay")]
use crate::events::log::{Logged, LoggedClip};
#[cfg(feature = "push")]
use crate::push::stats::PushAnswers;
use crate::{
    config::ControlConfig, configurator::Configurator, events::log::EventLog, links::LinkIssuer,
    wall::walls::Walls,
};

/// What all gateways share.
pub(crate) struct ApiState {
    pub(crate) manager: Manager,
    pub(crate) http: HttpOutlet,
    pub(crate) configurator: Arc<dyn Configurator>,
    pub(crate) links: Option<Arc<dyn LinkIssuer>>,
    #[cfg(feature = "replay")]
    pub(crate) archive: Option<Arc<dyn crate::archive::Archive>>,
    pub(crate) config: ControlConfig,
    pub(crate) log: Arc<EventLog>,
    /// Changes when rights have changed; `None` when all is to end.
    pub(crate) rechecks: watch::Sender<Option<u64>>,
    pub(crate) subscribers: Arc<Semaphore>,
    pub(crate) writes: Arc<Semaphore>,
    pub(crate) walls: Walls,
    #[cfg(feature = "push")]
    pub(crate) pushes: PushAnswers,
    pub(crate) since: SystemTime,
    /// Describes what is served.
    pub(crate) document: Bytes,
}

impl ApiState {
    /// The name of a running stream, by that or a further name.
    pub(crate) fn resolved(&self, name: &str) -> String {
        if self.manager.spec(name).is_ok() {
            return name.to_owned();
        }
        let alias = self.configurator.alias(name);
        alias.map_or_else(|| name.to_owned(), |stream| stream.to_string())
    }

    /// The stream of a recording; empty if there is none of this id.
    pub(crate) fn recorded_stream(&self, id: &str) -> String {
        #[cfg(feature = "replay")]
        if let Some(found) = self.archive.as_ref().and_then(|archive| archive.find(id)) {
            return found.stream;
        }
        let _ = id;
        String::new()
    }

    /// Tells of a clip that was kept.
    #[cfg(feature = "replay")]
    pub(crate) fn clip_ready(&self, clip: &crate::archive::RecordingInfo) {
        // It was a stream's when the clip was made.
        let Ok(stream) = clip.stream.parse() else {
            return;
        };
        self.log.add(Logged::Clip(LoggedClip {
            stream,
            at: SystemTime::now(),
            id: clip.id.clone(),
            title: clip.title.clone(),
            event: clip.event.clone(),
            first: clip.first,
            last: clip.last,
            frames: clip.frames,
            bytes: clip.bytes,
        }));
    }

    /// Whether recordings are served.
    pub(crate) fn has_archive(&self) -> bool {
        #[cfg(feature = "replay")]
        return self.archive.is_some();
        #[cfg(not(feature = "replay"))]
        false
    }

    /// How many watch a stream.
    pub(crate) fn viewers(&self, name: &str) -> u64 {
        let stats = self.http.stats(name).unwrap_or_default();
        stats.viewers
    }

    /// The names of the running streams, in order.
    pub(crate) fn names(&self) -> Vec<StreamName> {
        let running = self.manager.list().into_iter().map(|info| info.name);
        let mut running: Vec<StreamName> = running.collect();
        running.sort();
        let order = self.configurator.order();
        let places: HashMap<&StreamName, usize> = order.iter().zip(0..).collect();
        running.sort_by_key(|name| places.get(name).copied().unwrap_or(usize::MAX));
        running
    }
}
