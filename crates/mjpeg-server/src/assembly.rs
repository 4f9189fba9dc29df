//! A plan becomes a relay, or what changes of one.

use std::{collections::BTreeMap, sync::Arc};

use anyhow::Context;
use mjpeg_auth::Auth;
use mjpeg_control::Configurator;
use mjpeg_manager::{HttpOutlet, StreamName};

#[cfg(unix)]
use crate::recordings::RecordingPlan;
use crate::{
    access::RelayAccess,
    advice::with_advice,
    auth_hook::set_hook,
    background::in_background,
    cluster::RelayNode,
    config::plan::{PlannedStream, RelayPlan, sharing::Sharing},
    event_clips::EventClipPlan,
    gateway::routes::Routes,
    links::{self, LinkService},
    relay::{
        Gateways, Relay,
        change::{RelayChange, StreamChange},
    },
    webhooks::Webhooks,
};

/// Starts what was planned. The API passes changes on to this configurator.
pub(crate) async fn start(
    plan: &RelayPlan,
    configurator: Arc<dyn Configurator>,
) -> anyhow::Result<Relay> {
    let state_dir = plan.state_dir.clone();
    let has_users = !plan.auth.users().is_empty() || plan.auth.jwt().is_some();
    let signer = in_background(move || links::open(state_dir.as_deref(), has_users)).await;
    let auth = Auth::with_links(plan.auth.clone(), signer.clone());
    let auth = auth.context("the users cannot be used")?;
    set_hook(&auth, plan.hook.clone());
    let http = HttpOutlet::new(plan.defaults.clone())
        .with_listener(plan.ports.clone())
        .with_max_viewers(plan.max_viewers_total)
        .with_max_replays(plan.replays.most)
        .with_gate(Arc::new(auth.clone()));
    for stream in &plan.streams {
        http.configure(stream.spec.name(), stream.http.clone());
    }
    let specs = plan.streams.iter().map(|stream| stream.spec.clone());
    let links = LinkService {
        signer,
        http: http.clone(),
    };
    let webhooks = Webhooks::default();
    webhooks.replace(&plan.webhooks);
    let cluster = match &plan.cluster {
        Some(cluster) => Some(RelayNode::start(cluster).await?),
        None => None,
    };
    if let Some(cluster) = &cluster {
        cluster.share(sharings(plan));
    }
    let access = RelayAccess {
        auth,
        keys: plan.keys.clone(),
        walls: plan.walls,
        configurator,
        links: Some(Arc::new(links)),
        #[cfg(unix)]
        recordings: Some(RecordingPlan {
            state_dir: plan.state_dir.clone().or_else(links::default_folder),
            max_clip_bytes: plan.storage.clips,
            max_timelapse_bytes: plan.storage.timelapses,
        }),
        clips: clips(plan),
        webhooks,
        cluster,
    };
    let relay = Relay::with_access(specs, plan.manager.clone(), http, gateways(plan), access);
    relay.await.map_err(|error| with_advice(&error))
}

/// What changes when a relay that runs one plan is to run another.
pub(crate) fn change(from: &RelayPlan, to: &RelayPlan) -> RelayChange {
    let mut old: BTreeMap<&StreamName, &PlannedStream> = by_name(from).collect();
    let (mut added, mut changed) = (Vec::new(), Vec::new());
    for (name, new) in by_name(to) {
        let Some(old) = old.remove(name) else {
            added.push((new.spec.clone(), new.http.clone()));
            continue;
        };
        let spec = (old.spec != new.spec).then(|| new.spec.clone());
        let http = (old.http != new.http).then(|| new.http.clone());
        if spec.is_some() || http.is_some() {
            let name = name.clone();
            changed.push(StreamChange { name, spec, http });
        }
    }
    RelayChange {
        max_viewers: to.max_viewers_total,
        replays: to.replays,
        walls: to.walls,
        ports: to.ports.clone(),
        added,
        changed,
        removed: old.into_keys().cloned().collect(),
        gateways: gateways(to),
        auth: (from.auth != to.auth).then(|| to.auth.clone()),
        hook: (from.hook != to.hook).then(|| to.hook.clone()),
        webhooks: (from.webhooks != to.webhooks).then(|| to.webhooks.clone()),
        clips: clips(to),
        keys: to.keys.clone(),
        order: by_name(to).map(|(name, _)| name.clone()).collect(),
        sharings: sharings(to)
            .map(|(name, sharing)| (name.clone(), sharing.clone()))
            .collect(),
    }
}

fn by_name(plan: &RelayPlan) -> impl Iterator<Item = (&StreamName, &PlannedStream)> {
    let streams = plan.streams.iter();
    streams.map(|stream| (stream.spec.name(), stream))
}

/// What streams keep clips of by themselves.
fn clips(plan: &RelayPlan) -> Vec<(StreamName, EventClipPlan)> {
    let clips = by_name(plan).filter_map(|(name, stream)| {
        let clips = stream.clips.clone()?;
        Some((name.clone(), clips))
    });
    clips.collect()
}

/// What the nodes of a cluster agree on about each stream.
fn sharings(plan: &RelayPlan) -> impl Iterator<Item = (&StreamName, &Sharing)> {
    by_name(plan).filter_map(|(name, stream)| Some((name, stream.sharing.as_ref()?)))
}

fn gateways(plan: &RelayPlan) -> Gateways {
    let mut routes = Routes::new(by_name(plan).map(|(name, _)| name.clone()));
    for (name, stream) in by_name(plan) {
        for alias in &stream.aliases {
            routes = routes.with_alias(alias.as_str(), name.clone());
        }
    }
    let open = plan.gateways.iter().cloned();
    Gateways::new(open, routes)
}
