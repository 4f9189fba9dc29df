//! Changes of a running relay.

use std::{collections::BTreeSet, net::SocketAddr, sync::Arc};

use futures_util::future::join_all;
use mjpeg_auth::{Auth, AuthConfig};
use mjpeg_manager::{
    Error, PortReservation, StreamName, StreamSpec,
    mjpeg_http::{Listener, ListenerConfig, StreamConfig},
};
use tracing::{error, warn};

use super::{Gateways, Relay, StartError};
use crate::{
    access::staged,
    auth_hook::set_hook,
    config::{
        plan::{ReplayLimits, sharing::Sharing},
        settings::HookSettings,
    },
    event_clips::EventClipPlan,
    gateway::{
        config::WallLimits,
        running::{GatewayChange, WantedGateway},
    },
    jwks::place::KeySource,
    webhooks::webhook::Webhook,
};

/// What a relay is to be, beside what stays as it is.
#[derive(Debug)]
pub(crate) struct RelayChange {
    pub(crate) max_viewers: usize,
    pub(crate) replays: ReplayLimits,
    pub(crate) walls: WallLimits,
    /// Of the streams' own ports.
    pub(crate) ports: ListenerConfig,
    pub(crate) added: Vec<(StreamSpec, StreamConfig)>,
    pub(crate) changed: Vec<StreamChange>,
    pub(crate) removed: Vec<StreamName>,
    pub(crate) gateways: Gateways,
    /// Who may do what; `None` if that does not change.
    pub(crate) auth: Option<AuthConfig>,
    /// Who else decides about rights, if anybody; `None` if that does not change.
    pub(crate) hook: Option<Option<HookSettings>>,
    /// Where events are sent to; `None` if that does not change.
    pub(crate) webhooks: Option<Vec<Webhook>>,
    /// What streams keep clips of by themselves.
    pub(crate) clips: Vec<(StreamName, EventClipPlan)>,
    /// The keys of tokens.
    pub(crate) keys: Option<KeySource>,
    /// All streams, in their order.
    pub(crate) order: Vec<StreamName>,
    /// What the nodes of a cluster agree on about them.
    pub(crate) sharings: Vec<(StreamName, Sharing)>,
}

/// What changes of a stream.
#[derive(Debug)]
pub(crate) struct StreamChange {
    pub(crate) name: StreamName,
    pub(crate) spec: Option<StreamSpec>,
    pub(crate) http: Option<StreamConfig>,
}

/// Everything that a change needs and that can fail.
struct Prepared {
    gateways: GatewayChange,
    /// Held until the streams have the ports.
    _ports: Vec<PortReservation>,
}

impl Relay {
    /// Makes a change. What does not change is not touched, and viewers keep their responses,
    /// except those of streams that are removed.
    ///
    /// First, certificates are read, every new port is bound, and the new streams are started: only
    /// that can fail. Then the changed streams have their ports and their specs are known to be
    /// valid, so that nothing is left half-done. A stream that does not answer is logged, and the
    /// others go on.
    ///
    /// A port may pass from one stream or gateway to another; no client is refused meanwhile.
    ///
    /// # Errors
    ///
    /// [`StartError`] for ports that cannot be bound and streams that do not start. Nothing has
    /// changed then.
    ///
    /// # Cancel safety
    ///
    /// A dropped future may leave a part of the change. Shut the relay down then.
    pub(crate) async fn change(&mut self, change: RelayChange) -> Result<(), StartError> {
        let wanted = change.gateways.open.clone();
        let wanted = self.gateways.with_certificates(wanted).await;
        let prepared = self.prepare(&change, wanted)?;
        let auth = self.relayed.auth.clone();
        let before = change.auth.as_ref().map(|next| {
            let before = auth.config();
            replace(&auth, staged(&before, next));
            before
        });
        let started = self.start_all(change.added, &change.sharings).await;
        if let (Err(_), Some(before)) = (&started, before) {
            replace(&auth, before);
        }
        started?;
        self.share(&change.sharings, |_| true);
        self.keys.set(change.keys);
        if let Some(next) = &change.auth {
            replace(&auth, next.clone());
        }
        self.set_outbound(change.hook.as_ref(), change.webhooks.as_deref());
        self.relayed.set_wall_limits(change.walls);
        #[cfg(unix)]
        self.relayed.set_clips(&change.clips);

        let manager = &self.relayed.manager;
        let http = self
            .relayed
            .http
            .clone()
            .with_max_viewers(change.max_viewers)
            .with_max_replays(change.replays.most);
        manager.set_max_replay_bytes(change.replays.max_bytes);
        if http.listener() != change.ports {
            http.configure_ports(change.ports);
        }
        self.apply_all(change.changed).await;
        self.relayed.set_routes(change.gateways.routes);
        self.gateways.commit(prepared.gateways);
        let stopping = change.removed.iter().map(async |name| {
            log_failure(name, manager.stop(name.as_str()).await);
            self.forget(name);
        });
        join_all(stopping).await;
        self.gateways.settled().await;
        if let Some(cluster) = self.cluster() {
            cluster.reload().await;
        }
        if change.auth.is_some() || change.hook.is_some() {
            self.relayed.recheck().await;
        }
        let running = change.order.iter().map(|name| manager.get(name.as_str()));
        self.streams = running.filter_map(Result::ok).collect();
        Ok(())
    }

    /// Changes streams that run.
    async fn apply_all(&self, changed: Vec<StreamChange>) {
        let relayed = &self.relayed;
        let mut specs = Vec::new();
        for StreamChange { name, spec, http } in changed {
            if let Some(config) = http {
                relayed.http.configure(&name, config);
            }
            specs.extend(spec);
        }
        let applying = specs.into_iter().map(async |spec| {
            let name = spec.name().clone();
            let applied = relayed.manager.apply(relayed.shared(spec)).await;
            log_failure(&name, applied.map(|_| ()));
        });
        join_all(applying).await;
    }

    /// Shares those of these streams with the other nodes of the cluster, if there is one.
    fn share(&self, sharings: &[(StreamName, Sharing)], those: impl Fn(&StreamName) -> bool) {
        if let Some(cluster) = &self.relayed.cluster {
            let shared = sharings.iter().filter(|(name, _)| those(name));
            cluster.share(shared.map(|(name, sharing)| (name, sharing)));
        }
    }

    /// Shares a stream no more.
    fn forget(&self, name: &StreamName) {
        if let Some(cluster) = &self.relayed.cluster {
            cluster.forget(name);
        }
    }

    /// Replaces what the relay itself sends requests to, if that changes.
    fn set_outbound(&self, hook: Option<&Option<HookSettings>>, webhooks: Option<&[Webhook]>) {
        if let Some(hook) = hook {
            set_hook(&self.relayed.auth, hook.clone());
        }
        if let Some(webhooks) = webhooks {
            self.relayed.webhooks.replace(webhooks);
        }
    }

    /// Starts one stream, for a change that will come. Nobody sees it who will not be allowed to.
    pub(crate) fn begin(
        &self,
        spec: StreamSpec,
        config: StreamConfig,
        auth: &AuthConfig,
        sharing: Option<&Sharing>,
    ) -> impl Future<Output = Result<(), Error>> + Send + 'static {
        let relayed = Arc::clone(&self.relayed);
        replace(&relayed.auth, staged(&relayed.auth.config(), auth));
        if let (Some(cluster), Some(sharing)) = (&relayed.cluster, sharing) {
            cluster.share([(spec.name(), sharing)]);
        }
        async move {
            relayed.http.configure(spec.name(), config);
            let spec = relayed.shared(spec);
            relayed.manager.start(spec).await.map(|_| ())
        }
    }

    /// Stops a stream that no change was made for.
    pub(crate) async fn stop(&self, name: &StreamName) {
        log_failure(name, self.relayed.manager.stop(name.as_str()).await);
        self.forget(name);
    }

    /// Binds every new port.
    fn prepare(
        &self,
        change: &RelayChange,
        wanted: Vec<WantedGateway>,
    ) -> Result<Prepared, StartError> {
        let manager = &self.relayed.manager;
        let http = &self.relayed.http;
        let port_of = |name: &StreamName| manager.spec(name.as_str()).ok()?.listen();
        let changed = change
            .changed
            .iter()
            .filter_map(|changed| changed.spec.as_ref());
        let moved = changed.filter(|spec| spec.listen() != port_of(spec.name()));
        let moved: Vec<&StreamSpec> = moved.collect();
        let left = moved.iter().map(|spec| spec.name()).chain(&change.removed);
        let left: BTreeSet<SocketAddr> = left.filter_map(port_of).collect();

        let from_streams = |addr: SocketAddr, config: ListenerConfig| -> Option<Listener> {
            left.contains(&addr).then(|| http.hand_over(addr, config))?
        };
        let gateways = self.gateways.prepare(wanted, &from_streams);
        let mut ports = Vec::new();
        let mut errors = Vec::new();
        let added = change.added.iter().map(|(spec, _)| spec);
        for spec in added.chain(moved) {
            let Some(addr) = spec.listen() else {
                continue;
            };
            let config = || change.ports.clone();
            let passed_on = from_streams(addr, config()).or_else(|| {
                self.gateways
                    .hand_over(addr, &change.gateways.open, config())
            });
            match http.reserve(addr, passed_on) {
                Ok(port) => ports.push(port),
                Err(error) => errors.push((spec.name().clone(), error)),
            }
        }
        match gateways {
            Ok(gateways) if errors.is_empty() => Ok(Prepared {
                gateways,
                _ports: ports,
            }),
            gateways => Err(StartError {
                errors,
                gateways: gateways.err().unwrap_or_default(),
            }),
        }
    }

    /// Starts all streams, or none.
    async fn start_all(
        &self,
        specs: Vec<(StreamSpec, StreamConfig)>,
        sharings: &[(StreamName, Sharing)],
    ) -> Result<(), StartError> {
        let manager = &self.relayed.manager;
        let names: Vec<_> = specs.iter().map(|(spec, _)| spec.name().clone()).collect();
        self.share(sharings, |name| names.contains(name));
        let starting = specs.into_iter().map(async |(spec, config)| {
            let name = spec.name().clone();
            self.relayed.http.configure(&name, config);
            (name, manager.start(self.relayed.shared(spec)).await)
        });
        let mut started = Vec::new();
        let mut errors = Vec::new();
        for (name, outcome) in join_all(starting).await {
            match outcome {
                Ok(_) => started.push(name),
                Err(error) => errors.push((name, error)),
            }
        }
        if errors.is_empty() {
            return Ok(());
        }
        let stopping = started.iter().map(async |name| {
            log_failure(name, manager.stop(name.as_str()).await);
        });
        join_all(stopping).await;
        names.iter().for_each(|name| self.forget(name));
        Err(StartError::streams(errors))
    }
}

/// Replaces who may do what by settings that were checked.
fn replace(auth: &Auth, config: AuthConfig) {
    if let Err(error) = auth.replace(config) {
        error!(%error, "rights were not changed");
    }
}

/// Says of which stream a step failed that can only fail if the stream does not answer.
fn log_failure(stream: &StreamName, outcome: Result<(), Error>) {
    if let Err(error) = outcome {
        let code = error.code();
        warn!(%stream, error = %error.chain(), code, "the stream was not changed");
    }
}
