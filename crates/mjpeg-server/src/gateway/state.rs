//! What gateways know of the streams.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future::join_all;
use http::Response;
use mjpeg_auth::Auth;
use mjpeg_control::{
    Archive, CameraOwner, ClusterChange, Configurator, ConfiguredStream, ControlAccess, ControlApi,
    ControlConfig, ControlService, EditedStream, Error, ErrorCode, GatewayPolicy, Hosts, Page,
    Reloaded, StreamEdit, StreamRemoval,
};
use mjpeg_manager::{
    HttpOutlet, Manager, StreamName, StreamSpec,
    mjpeg_http::{Gate, ListenAddress, ListenerHandle, StreamService, Streams},
};
use serde_json::Value;
use tokio::sync::watch;

use super::{
    config::{GatewayConfig, WallLimits},
    routes::Routes,
};
use crate::{
    access::{LocalGate, RelayAccess, control_access},
    auth_hook::recheck_viewers,
    background::OwnedTask,
    cluster::RelayNode,
    machine,
    metrics::Metrics,
    webhooks::Webhooks,
};
#[cfg(unix)]
use crate::{
    event_clips::EventClipPlan,
    recordings::{Recordings, by_event::EventClips},
};

/// The streams, as all gateways see them.
#[derive(Debug)]
pub(crate) struct Relayed {
    pub(crate) manager: Manager,
    pub(crate) http: HttpOutlet,
    routes: watch::Sender<Arc<Routes>>,
    pub(crate) metrics: Metrics,
    pub(crate) auth: Auth,
    pub(crate) control: ControlApi,
    pub(crate) webhooks: Webhooks,
    /// `None` if the relay is alone.
    pub(crate) cluster: Option<RelayNode>,
    /// Passes events on to the webhooks.
    _passing_on: OwnedTask,
    /// Asks the hook again about viewers.
    _rechecking: OwnedTask,
    /// The gateways that are open, by their names.
    listeners: watch::Sender<Vec<(String, ListenerHandle)>>,
    /// Clips and time-lapses, if they are kept.
    #[cfg(unix)]
    recordings: Option<Recordings>,
    /// Clips that streams keep by themselves, and the task that tells of events.
    #[cfg(unix)]
    clips: Option<(EventClips, OwnedTask)>,
}

impl Relayed {
    pub(crate) fn new(manager: Manager, http: HttpOutlet, access: RelayAccess) -> Self {
        let routes = watch::Sender::default();
        let configurator = RoutedConfigurator {
            routes: routes.subscribe(),
            configurator: access.configurator,
            cluster: access.cluster.clone(),
        };
        #[cfg(unix)]
        let recordings = access.recordings.as_ref();
        #[cfg(unix)]
        let recordings = recordings.map(|plan| Recordings::new(manager.clone(), plan));
        #[cfg(unix)]
        let archive = recordings
            .clone()
            .map(|it| Arc::new(it) as Arc<dyn Archive>);
        #[cfg(not(unix))]
        let archive: Option<Arc<dyn Archive>> = None;
        let control = ControlApi::with_archive(
            manager.clone(),
            http.clone(),
            Arc::new(configurator),
            access.links,
            archive,
            control_config(access.walls),
        );
        #[cfg(unix)]
        let clips = recordings.as_ref().map(|recordings| {
            let clips = EventClips::new(manager.clone(), control.clone(), recordings);
            clips.begin(&access.clips, manager.events())
        });
        let webhooks = access.webhooks;
        if let Some(cluster) = &access.cluster {
            cluster.serve(manager.clone(), http.clone());
        }
        let metrics = Metrics::new(manager.clone(), http.clone())
            .with_control(control.clone())
            .with_outbound(webhooks.clone(), access.auth.clone())
            .with_node(access.cluster.clone());
        #[cfg(unix)]
        let metrics = metrics
            .with_recordings(recordings.clone())
            .with_clips(clips.as_ref().map(|(clips, _)| clips.clone()));
        Self {
            cluster: access.cluster,
            metrics,
            _rechecking: OwnedTask::start(recheck_viewers(access.auth.clone(), http.clone())),
            _passing_on: webhooks.follow(control.events()),
            webhooks,
            manager,
            http,
            auth: access.auth,
            control,
            routes,
            listeners: watch::Sender::default(),
            #[cfg(unix)]
            recordings,
            #[cfg(unix)]
            clips,
        }
    }

    /// Goes on with what was being recorded.
    #[cfg(unix)]
    pub(crate) async fn resume_recordings(&self) {
        if let Some(recordings) = &self.recordings {
            recordings.resume().await;
        }
    }

    /// Replaces what streams keep clips of by themselves.
    #[cfg(unix)]
    pub(crate) fn set_clips(&self, plans: &[(StreamName, EventClipPlan)]) {
        if let Some((clips, _)) = &self.clips {
            clips.configure(plans);
        }
    }

    /// Ends the clips that are being made.
    #[cfg(unix)]
    pub(crate) async fn end_clips(&self) {
        if let Some((clips, _)) = &self.clips {
            clips.end().await;
        }
    }

    /// Replaces the gateways whose counters are read.
    pub(super) fn set_listeners(&self, listeners: Vec<(String, ListenerHandle)>) {
        self.listeners.send_replace(listeners);
    }

    /// Answers a request for the metrics that has this `Accept` header.
    pub(super) fn metrics(&self, accept: Option<&str>) -> Response<Bytes> {
        let listeners = self.listeners.borrow().clone();
        let read = |(name, handle): (String, ListenerHandle)| (name, handle.stats());
        self.metrics
            .respond(accept, listeners.into_iter().map(read))
    }

    /// Replaces the limits on wall sockets.
    pub(crate) fn set_wall_limits(&self, limits: WallLimits) {
        let WallLimits {
            most,
            most_per_address,
        } = limits;
        self.control.set_max_walls(most, most_per_address);
    }

    /// Replaces the routes, for all gateways at once.
    pub(crate) fn set_routes(&self, routes: Routes) {
        self.routes.send_replace(Arc::new(routes));
    }

    /// A stream as the manager is to run it.
    pub(crate) fn shared(&self, spec: StreamSpec) -> StreamSpec {
        match &self.cluster {
            Some(cluster) => cluster.through(spec),
            None => spec,
        }
    }

    fn routes(&self) -> Arc<Routes> {
        Arc::clone(&self.routes.borrow())
    }

    /// Finds a stream by its name or a further one.
    fn find(&self, name: &str) -> Option<StreamService> {
        let by_alias = || self.http.service(self.routes().alias(name)?.as_str());
        self.http.service(name).or_else(by_alias)
    }

    /// The name of the stream that has this name or further name.
    pub(super) fn resolved(&self, name: &str) -> Option<StreamName> {
        let is_its_own = |own: &StreamName| own.as_str() == name;
        let own = self.http.names().into_iter().find(is_its_own);
        own.or_else(|| self.routes().alias(name).cloned())
    }

    /// All streams, in order.
    pub(super) fn names(&self) -> Vec<StreamName> {
        self.routes().ordered(self.http.names())
    }

    /// Asks again about all who watch, after a change of rights.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: those that were not asked about stay.
    pub(crate) async fn recheck(&self) {
        self.control.recheck();
        let names = self.http.names().into_iter();
        let services = names.filter_map(|name| self.http.service(name.as_str()));
        join_all(services.map(async |service| service.recheck().await)).await;
    }
}

/// One gateway's view of the streams. Its configuration may change while it serves.
#[derive(Debug)]
pub(crate) struct GatewayState {
    pub(super) relayed: Arc<Relayed>,
    /// Whether only this machine can connect.
    pub(super) is_local: bool,
    pub(super) control: ControlService,
    config: watch::Sender<Arc<ConfiguredGateway>>,
}

/// A configuration, and what is made of it.
#[derive(Debug)]
pub(super) struct ConfiguredGateway {
    pub(super) config: GatewayConfig,
    pub(super) hosts: Hosts,
    pub(super) page: Page,
}

impl ConfiguredGateway {
    fn new(config: GatewayConfig) -> Arc<Self> {
        let hosts = hosts(config.hosts());
        let page = Page::new(config.page().clone());
        Arc::new(Self {
            config,
            hosts,
            page,
        })
    }
}

/// The names of a gateway: those configured, and the machine's own.
fn hosts(configured: &[String]) -> Hosts {
    Hosts::new(configured.iter().cloned().chain(machine::names()))
}

impl GatewayState {
    pub(super) fn new(
        relayed: Arc<Relayed>,
        address: &ListenAddress,
        config: GatewayConfig,
    ) -> Self {
        let is_local = match address {
            ListenAddress::Tcp(addr) => addr.ip().to_canonical().is_loopback(),
            ListenAddress::Unix(_) => true,
            _ => false,
        };
        let config = ConfiguredGateway::new(config);
        Self {
            control: relayed.control.service(policy(&relayed, &config)),
            relayed,
            is_local,
            config: watch::Sender::new(config),
        }
    }

    /// Replaces the configuration, from the next request on.
    pub(super) fn configure(&self, config: GatewayConfig) {
        let config = ConfiguredGateway::new(config);
        self.control.configure(policy(&self.relayed, &config));
        self.config.send_replace(config);
    }

    /// The configuration that applies now.
    pub(super) fn configured(&self) -> Arc<ConfiguredGateway> {
        Arc::clone(&self.config.borrow())
    }
}

/// Who may reach the API at a gateway.
fn policy(relayed: &Relayed, gateway: &ConfiguredGateway) -> GatewayPolicy {
    let (auth, serve) = (&relayed.auth, gateway.config.serve());
    let access = match gateway.config.is_without_users() {
        true => ControlAccess::LocalOnly,
        false => control_access(auth, serve.control),
    };
    let gate: Arc<dyn Gate> = match access {
        ControlAccess::LocalOnly => Arc::new(LocalGate(auth.clone())),
        _ => Arc::new(auth.clone()),
    };
    GatewayPolicy::new(gate)
        .with_hosts(gateway.hosts.clone())
        .with_access(access)
        .with_page(serve.page)
        .with_streams(serve.streams)
        .with_listener(gateway.config.listener())
}

/// A configuration whose streams have the gateways' order and further names.
struct RoutedConfigurator {
    routes: watch::Receiver<Arc<Routes>>,
    configurator: Arc<dyn Configurator>,
    cluster: Option<RelayNode>,
}

#[async_trait]
impl Configurator for RoutedConfigurator {
    fn stream(&self, name: &str) -> Option<ConfiguredStream> {
        self.configurator.stream(name)
    }

    fn order(&self) -> Vec<StreamName> {
        self.routes.borrow().order().to_vec()
    }

    fn alias(&self, name: &str) -> Option<StreamName> {
        self.routes.borrow().alias(name).cloned()
    }

    async fn set(&self, change: StreamEdit) -> Result<EditedStream, Error> {
        self.configurator.set(change).await
    }

    async fn check_edit(&self, change: StreamEdit) -> Result<EditedStream, Error> {
        self.configurator.check_edit(change).await
    }

    fn stream_schema(&self) -> Option<Value> {
        self.configurator.stream_schema()
    }

    async fn devices(&self) -> Option<Value> {
        self.configurator.devices().await
    }

    fn owner(&self, name: &str) -> Option<CameraOwner> {
        self.cluster.as_ref()?.owner(name)
    }

    fn cluster(&self) -> Option<Value> {
        Some(self.cluster.as_ref()?.shown())
    }

    async fn change_cluster(&self, change: ClusterChange) -> Result<(), Error> {
        match &self.cluster {
            Some(cluster) => cluster.change(change).await,
            None => Err(Error::new(
                ErrorCode::NotFound,
                "this relay is no node of a cluster",
            )),
        }
    }

    async fn remove(&self, removal: StreamRemoval) -> Result<(), Error> {
        self.configurator.remove(removal).await
    }

    async fn reload(&self, dry_run: bool) -> Result<Reloaded, Error> {
        self.configurator.reload(dry_run).await
    }

    async fn shown(&self) -> Result<Value, Error> {
        self.configurator.shown().await
    }
}

/// The streams of a gateway: none if it serves none.
pub(super) struct GatewayStreams(pub(super) Arc<GatewayState>);

impl GatewayStreams {
    fn relayed(&self) -> Option<&Relayed> {
        let serve = self.0.configured().config.serve();
        serve.streams.then_some(&*self.0.relayed)
    }
}

impl Streams for GatewayStreams {
    fn find(&self, name: &str) -> Option<StreamService> {
        self.relayed()?.find(name)
    }

    fn default_stream(&self) -> Option<StreamService> {
        let relayed = self.relayed()?;
        if let Some(name) = self.0.configured().config.default() {
            return relayed.http.service(name.as_str());
        }
        match &*relayed.http.names() {
            [only] => relayed.http.service(only.as_str()),
            _ => None,
        }
    }

    fn nth(&self, index: usize) -> Option<StreamService> {
        let relayed = self.relayed()?;
        let name = relayed.names().into_iter().nth(index)?;
        relayed.http.service(name.as_str())
    }
}

fn control_config(walls: WallLimits) -> ControlConfig {
    ControlConfig::default()
        .with_program(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"))
        .with_max_walls(walls.most)
        .with_max_walls_per_address(walls.most_per_address)
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, Uri, header::HOST};

    use super::*;

    #[test]
    fn gateways_are_reached_by_the_names_of_the_machine_and_configured_ones() {
        let hosts = hosts(&["cams.example.org".into()]);
        // None if it calls itself localhost.
        let names = machine::names().into_iter();
        for name in names.chain(["cams.example.org".into()]) {
            let host = format!("{name}:8080").parse().unwrap();
            let headers = HeaderMap::from_iter([(HOST, host)]);
            assert!(hosts.include(&Uri::from_static("/"), &headers), "{name}");
        }
    }
}
