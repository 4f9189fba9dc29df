//! The API of one manager's streams.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use mjpeg_manager::{HttpOutlet, Manager};
use tokio::sync::{Semaphore, watch};
use utoipa::openapi::OpenApi;

#[cfg(feature = "push")]
use crate::push::stats::GatewayPushStats;
use crate::{
    audit::refusals::Refusals,
    config::ControlConfig,
    configurator::Configurator,
    events::{all::ApiEvents, log::EventLog},
    links::LinkIssuer,
    policy::GatewayPolicy,
    routes::{document, router},
    service::{ControlInner, ControlService},
    state::ApiState,
    wall::{stats::WallStats, walls::Walls},
};

/// The API of one manager's streams. Cheap to clone; all clones are one.
///
/// Each gateway gets a service of its own: [`service`](Self::service).
#[derive(Clone)]
pub struct ControlApi {
    inner: Arc<ControlInner>,
}

impl ControlApi {
    /// Makes the API of the streams of a manager, which are served by this outlet and configured
    /// by this configurator. `links` are served if there are any.
    ///
    /// Events are kept from now on.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn new(
        manager: Manager,
        http: HttpOutlet,
        configurator: Arc<dyn Configurator>,
        links: Option<Arc<dyn LinkIssuer>>,
        config: ControlConfig,
    ) -> Self {
        Self::of(manager, http, configurator, config, |state| {
            state.links = links;
        })
    }

    /// Makes the same API with clips and time-lapses, if there is an archive that keeps them.
    /// (Feature `replay`.)
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    #[cfg(feature = "replay")]
    pub fn with_archive(
        manager: Manager,
        http: HttpOutlet,
        configurator: Arc<dyn Configurator>,
        links: Option<Arc<dyn LinkIssuer>>,
        archive: Option<Arc<dyn crate::archive::Archive>>,
        config: ControlConfig,
    ) -> Self {
        Self::of(manager, http, configurator, config, |state| {
            state.links = links;
            state.archive = archive;
        })
    }

    fn of(
        manager: Manager,
        http: HttpOutlet,
        configurator: Arc<dyn Configurator>,
        config: ControlConfig,
        complete: impl FnOnce(&mut ApiState),
    ) -> Self {
        let log = EventLog::new(config.kept_events());
        let refusals = Arc::new(Refusals::default());
        let tasks = [
            tokio::spawn(Arc::clone(&log).run(manager.events())),
            tokio::spawn(Arc::clone(&refusals).run()),
        ];
        let places = |most: usize| Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS)));
        let mut state = ApiState {
            manager,
            http,
            configurator,
            log,
            rechecks: watch::Sender::new(Some(0)),
            subscribers: places(config.max_subscribers()),
            writes: places(config.max_writes()),
            walls: Walls::new(config.max_walls(), config.max_walls_per_address()),
            #[cfg(feature = "push")]
            pushes: Default::default(),
            since: SystemTime::now(),
            document: Default::default(),
            links: None,
            #[cfg(feature = "replay")]
            archive: None,
            config,
        };
        complete(&mut state);
        let document = document(state.links.is_some(), state.has_archive());
        state.document = json(&document).into();
        let state = Arc::new(state);
        let inner = ControlInner {
            full: router(&state, true),
            public: router(&state, false),
            refusals,
            tasks: tasks.map(|task| task.abort_handle()),
            state,
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// Makes the service of a gateway, for
    /// [`Listener::with_fallback`](mjpeg_manager::mjpeg_http::Listener::with_fallback), or for a
    /// service of your own that passes on what is below `/api/v1`.
    pub fn service(&self, policy: GatewayPolicy) -> ControlService {
        ControlService::new(Arc::clone(&self.inner), policy)
    }

    /// Returns the events of all streams, from the oldest one that is kept on.
    pub fn events(&self) -> ApiEvents {
        ApiEvents::new(Arc::clone(&self.inner.state.log))
    }

    /// Tells of a clip that was kept, as an event `clip_ready` of its stream. The API itself tells
    /// of those that it was asked for. (Feature `replay`.)
    #[cfg(feature = "replay")]
    pub fn clip_ready(&self, clip: &crate::archive::RecordingInfo) {
        self.inner.state.clip_ready(clip);
    }

    /// Asks the gate again about all who receive events or have a wall socket, when rights have
    /// changed. Those who lost the right are disconnected. The viewers of a wall's tiles are those
    /// of their streams, and [rechecked](mjpeg_manager::mjpeg_http::StreamService::recheck) there.
    pub fn recheck(&self) {
        let rechecks = &self.inner.state.rechecks;
        rechecks.send_modify(|count| *count = count.map(|count| count.wrapping_add(1)));
    }

    /// Ends the responses of all who receive events, and all wall sockets, for good, so that
    /// listeners need not wait for them.
    pub fn close(&self) {
        self.inner.state.rechecks.send_replace(None);
    }

    /// [Closes](Self::close) the API and waits until the wall sockets have ended, at most this
    /// long; then cuts them. They outlive the listeners that they came through.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future cuts the sockets that have not ended yet.
    pub async fn drain(&self, grace: Duration) {
        self.close();
        self.inner.state.walls.drain(grace).await;
    }

    /// Returns the limits and times.
    pub fn config(&self) -> &ControlConfig {
        &self.inner.state.config
    }

    /// Replaces the limits on [wall sockets](ControlConfig::with_max_walls) and on those
    /// [of one address](ControlConfig::with_max_walls_per_address). Sockets that are open stay.
    pub fn set_max_walls(&self, most: usize, most_per_address: usize) {
        self.inner.state.walls.set_most(most, most_per_address);
    }

    /// Returns how many wall sockets may be open at once, as set last.
    pub fn max_walls(&self) -> usize {
        self.inner.state.walls.most()
    }

    /// Reads the counters of the wall sockets.
    pub fn wall_stats(&self) -> WallStats {
        self.inner.state.walls.counters().read()
    }

    /// Reads how the requests that send pictures were answered, at all gateways. (Feature `push`.)
    #[cfg(feature = "push")]
    pub fn push_stats(&self) -> GatewayPushStats {
        self.inner.state.pushes.read()
    }

    #[cfg(test)]
    pub(crate) fn state(&self) -> Arc<ApiState> {
        Arc::clone(&self.inner.state)
    }

    /// Returns the description of the API with all that it can serve (OpenAPI 3.1), as JSON.
    pub fn openapi() -> String {
        json(&document(true, true))
    }
}

impl fmt::Debug for ControlApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ControlApi")
            .field("config", &self.inner.state.config)
            .finish_non_exhaustive()
    }
}

fn json(document: &OpenApi) -> String {
    // It holds only text, and no keys that are none.
    document.to_pretty_json().unwrap_or_default()
}
