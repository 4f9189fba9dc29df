//! Settings as the libraries take them.

mod clips;
mod picture;
mod rights;
pub(crate) mod sharing;
pub(crate) mod unusable;
mod webhooks;

use std::path::PathBuf;

use mjpeg_auth::AuthConfig;
use mjpeg_control::PageConfig;
use mjpeg_manager::{
    DetectConfig, ManagerConfig, Placeholder, StartMode, StreamName, StreamSpec,
    mjpeg_codec::repair::{Orientation, Repairs},
    mjpeg_fanout::RingConfig,
    mjpeg_http::{CorsPolicy, InvalidConfig, ListenerConfig, StreamConfig},
};

use self::{
    sharing::Sharing,
    unusable::{Failed, Unusable, Whose},
};
use super::{
    keys::{
        listen::{ListenKeys, TlsKeys},
        process::ProcessKeys,
        stream::StreamKeys,
    },
    read::document::MOST_STREAMS,
    resolve::listens::cors,
    settings::{HookSettings, ListenAt, ListenSettings, Settings, StreamSettings},
    value::{
        choice::{Repair, Serve, StartChoice},
        placeholder::PlaceholderChoice,
    },
};
use crate::{
    cluster::plan::ClusterPlan,
    event_clips::EventClipPlan,
    gateway::config::{GatewayAddress, GatewayConfig, ServeSet, WallLimits},
    jwks::place::KeySource,
    tls::files::TlsFiles,
    webhooks::webhook::Webhook,
};

/// The limits on the past pictures of all streams together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ReplayLimits {
    /// Replays and clips on their way at once.
    pub(crate) most: usize,
    /// Memory of the pictures.
    pub(crate) max_bytes: usize,
}

/// What is kept on the disk at most, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StorageLimits {
    pub(crate) clips: u64,
    pub(crate) timelapses: u64,
}

/// What a relay is started with.
#[derive(Debug)]
pub(crate) struct RelayPlan {
    pub(crate) worker_threads: u16,
    pub(crate) manager: ManagerConfig,
    pub(crate) max_viewers_total: usize,
    pub(crate) replays: ReplayLimits,
    /// What clips and time-lapses may take on the disk, in bytes.
    pub(crate) storage: StorageLimits,
    pub(crate) walls: WallLimits,
    /// Of the streams' own ports.
    pub(crate) ports: ListenerConfig,
    /// How a stream is served that says nothing itself.
    pub(crate) defaults: StreamConfig,
    pub(crate) streams: Vec<PlannedStream>,
    pub(crate) gateways: Vec<GatewayConfig>,
    pub(crate) auth: AuthConfig,
    /// Asked about rights that nobody has by `auth`.
    pub(crate) hook: Option<HookSettings>,
    pub(crate) webhooks: Vec<Webhook>,
    /// The keys of tokens that are accepted.
    pub(crate) keys: Option<KeySource>,
    pub(crate) state_dir: Option<PathBuf>,
    pub(crate) cluster: Option<ClusterPlan>,
}

/// A stream, and how it is served.
#[derive(Debug, PartialEq)]
pub(crate) struct PlannedStream {
    pub(crate) spec: StreamSpec,
    pub(crate) http: StreamConfig,
    pub(crate) aliases: Vec<StreamName>,
    /// Of what it keeps clips by itself, if of anything.
    pub(crate) clips: Option<EventClipPlan>,
    /// What the nodes of a cluster agree on; `None` without one.
    pub(crate) sharing: Option<Sharing>,
}

impl RelayPlan {
    /// Makes the libraries' settings.
    ///
    /// # Errors
    ///
    /// All settings that cannot be used.
    pub(crate) fn new(settings: &Settings) -> Result<Self, Vec<Unusable>> {
        let mut unusable = Vec::new();
        let mut keep = |whose: Whose, (key, message): (&'static str, String)| {
            unusable.push(Unusable {
                whose,
                key,
                message,
            });
        };
        let process = &settings.process;
        let mut gateways = Vec::new();
        for (at, listen) in settings.listens.iter().enumerate() {
            match gateway(listen, process) {
                Ok(gateway) => gateways.push(gateway),
                Err(error) => keep(Whose::Listen(at), error),
            }
        }
        let origins = settings.listens.first().map(|listen| &listen.keys.origins);
        let cors = origins.map_or(Ok(CorsPolicy::ANY), |origins| cors(origins));
        let cors = cors.unwrap_or(CorsPolicy::NOBODY);
        let mut streams = Vec::new();
        let mut pictures = picture::PlaceholderPictures::default();
        for (at, stream) in settings.streams.iter().enumerate() {
            match planned(stream, settings, &cors, &mut pictures) {
                Ok(planned) => streams.push(planned),
                Err(error) => keep(Whose::Stream(at), error),
            }
        }
        let cluster = settings.cluster.as_ref().map(ClusterPlan::new);
        let cluster = cluster.transpose().unwrap_or_else(|error| {
            keep(Whose::Cluster, error);
            None
        });
        let auth = rights::auth(settings).unwrap_or_else(|more| {
            unusable.extend(more);
            AuthConfig::default()
        });
        let ports = listener(&settings.ports, process);
        let defaults = stream_config(&settings.defaults, &cors);
        if unusable.is_empty() {
            Ok(Self {
                worker_threads: process.worker_threads,
                manager: manager(process),
                max_viewers_total: process.max_viewers_total as usize,
                replays: replays(process),
                storage: storage(process),
                walls: walls(process),
                ports: ports.unwrap_or_default(),
                defaults: defaults.unwrap_or_default(),
                streams,
                gateways,
                auth,
                hook: settings.hook.clone(),
                webhooks: settings.webhooks.iter().map(webhooks::webhook).collect(),
                keys: settings.tokens.as_ref().map(|tokens| tokens.keys.clone()),
                state_dir: process.state_dir.clone(),
                cluster,
            })
        } else {
            Err(unusable)
        }
    }
}

fn manager(process: &ProcessKeys) -> ManagerConfig {
    ManagerConfig::default()
        // A reload may replace all of them, and starts the new ones first.
        .with_max_streams(2 * MOST_STREAMS)
        .with_max_replay_bytes(replays(process).max_bytes)
}

fn storage(process: &ProcessKeys) -> StorageLimits {
    StorageLimits {
        clips: process.max_clip_storage.0,
        timelapses: process.max_timelapse_storage.0,
    }
}

fn replays(process: &ProcessKeys) -> ReplayLimits {
    ReplayLimits {
        most: process.max_replays_total as usize,
        max_bytes: usize::try_from(process.max_replay_memory_total.0).unwrap_or(usize::MAX),
    }
}

fn walls(process: &ProcessKeys) -> WallLimits {
    WallLimits {
        most: process.max_walls as usize,
        most_per_address: process.max_walls_per_address as usize,
    }
}

fn gateway(listen: &ListenSettings, process: &ProcessKeys) -> Result<GatewayConfig, Failed> {
    let keys = &listen.keys;
    let limits = listener(keys, process).map_err(|error| ("base_path", error.to_string()))?;
    let address = match listen.at.clone() {
        ListenAt::Address(addr) => GatewayAddress::Tcp(addr),
        ListenAt::Unix { path, mode } => GatewayAddress::Unix { path, mode },
        ListenAt::Fd(name) => GatewayAddress::Inherited(name),
    };
    let mut serve = ServeSet::default();
    serve.streams = keys.serve.contains(&Serve::Streams);
    serve.page = keys.serve.contains(&Serve::Page);
    serve.control = keys.serve.contains(&Serve::Control);
    serve.metrics = keys.serve.contains(&Serve::Metrics);
    let tls = keys.tls.clone();
    let page = PageConfig::default()
        .with_folder(keys.page_dir.clone())
        .with_frame_ancestors(keys.frame_ancestors.iter().cloned())
        .map_err(|error| ("frame_ancestors", error.to_string()))?;
    Ok(GatewayConfig::new(listen.name.as_str(), address)
        .with_listener(limits)
        .with_serve(serve)
        .with_default(keys.default.as_ref().map(|name| name.0.clone()))
        .with_hosts(keys.hosts.iter().cloned())
        .with_page(page)
        .with_tls(tls.map(tls_files)))
}

fn tls_files(keys: TlsKeys) -> TlsFiles {
    TlsFiles::new(keys.certificate, keys.key).with_client_certificates(keys.client_certificates)
}

fn listener(keys: &ListenKeys, process: &ProcessKeys) -> Result<ListenerConfig, InvalidConfig> {
    let lowat = u32::try_from(process.notsent_lowat.0).unwrap_or(u32::MAX);
    ListenerConfig::default()
        .with_trusted_proxies(keys.trusted_proxies.iter().map(|network| network.0.0))
        .with_notsent_lowat_bytes((lowat > 0).then_some(lowat))
        .with_base_path(&keys.base_path)
}

fn planned(
    stream: &StreamSettings,
    settings: &Settings,
    cors: &CorsPolicy,
    pictures: &mut picture::PlaceholderPictures,
) -> Result<PlannedStream, Failed> {
    let keys = &stream.keys;
    let mode = match keys.start {
        StartChoice::Retry => StartMode::Retry,
        StartChoice::Require => StartMode::Require,
    };
    let placeholder = match &keys.placeholder.0 {
        PlaceholderChoice::None => Placeholder::None,
        PlaceholderChoice::Drawn => Placeholder::Drawn,
        PlaceholderChoice::File(path) => {
            let picture = pictures.read(path);
            Placeholder::Picture(picture.map_err(|error| ("placeholder", error))?)
        }
    };
    let spec = StreamSpec::fed(stream.name.clone())
        .with_sources(stream.sources.iter().cloned())
        .with_mode(mode)
        .with_repair(repairs(&keys.repair).with_orientation(orientation(keys)))
        .with_check(keys.check_frames)
        .with_pass_unsupported(keys.pass_unsupported)
        .with_frozen_after(keys.frozen_after.0)
        .with_detect(detect(keys))
        .with_placeholder(placeholder)
        .with_placeholder_after(keys.placeholder_after.0)
        .with_replay(ring(keys));
    let spec = match keys.on_demand {
        true => spec.with_on_demand(keys.linger.0),
        false => spec,
    };
    let spec = match stream.listen {
        Some(listen) => spec.with_listen(listen),
        None => spec,
    };
    // What can be refused, of a stream that has a source.
    let key = match keys.start {
        StartChoice::Require => "start",
        StartChoice::Retry => "placeholder",
    };
    spec.validate().map_err(|error| (key, error.to_string()))?;
    let cluster = settings.cluster.as_ref();
    let node = cluster.and_then(|cluster| cluster.keys.node.as_deref());
    Ok(PlannedStream {
        spec,
        http: stream_config(keys, cors)?,
        aliases: stream.aliases.clone(),
        clips: clips::clips(keys)?,
        sharing: node.map(|node| Sharing::new(stream, node)),
    })
}

fn ring(keys: &StreamKeys) -> Option<RingConfig> {
    let most = usize::try_from(keys.max_replay_memory.0).unwrap_or(usize::MAX);
    Some(keys.replay.ring()?.with_max_bytes(most))
}

fn detect(keys: &StreamKeys) -> DetectConfig {
    DetectConfig::default()
        .with_dark(keys.detect_dark.0)
        .with_covered(keys.detect_covered.0)
        .with_still(keys.detect_still.0.map(|time| time.0))
        .with_motion(keys.detect_motion.0)
        .with_mask(keys.detect_mask.iter().map(|rect| rect.0))
        .with_hold(keys.detect_hold.0)
}

fn stream_config(keys: &StreamKeys, cors: &CorsPolicy) -> Result<StreamConfig, Failed> {
    let failed = |key| move |error: InvalidConfig| (key, error.to_string());
    let per_address = keys.max_viewers_per_address.0.map(|most| most as usize);
    let inflight = usize::try_from(keys.max_inflight.0).unwrap_or(usize::MAX);
    StreamConfig::default()
        .with_max_viewers(keys.max_viewers as usize)
        .with_max_viewers_per_address(per_address)
        .with_max_duration(keys.max_duration.0.map(|time| time.0))
        .with_snapshot_fresh(keys.snapshot_fresh)
        .with_snapshot_max_age(keys.snapshot_max_age.0.map(|time| time.0))
        .with_snapshot_wait(keys.snapshot_wait.0)
        .with_snapshot_connect_wait(keys.snapshot_connect_wait.0)
        .with_max_snapshots(keys.max_snapshots as usize)
        .with_max_replays(keys.max_replays as usize)
        .with_webkit_fetch_mixed(keys.webkit_fetch_mixed)
        .with_write_stall(keys.write_stall.0)
        .with_max_inflight_bytes(inflight)
        .with_cors(cors.clone())
        .with_keepalive(keys.keepalive.0)
        .map_err(failed("keepalive"))?
        .with_max_fps(keys.max_fps.0)
        .map_err(failed("max_fps"))?
        .with_max_kbps(keys.max_kbps.0)
        .map_err(failed("max_kbps"))
}

fn repairs(chosen: &[Repair]) -> Repairs {
    let is_chosen = |repair| chosen.contains(&repair);
    if is_chosen(Repair::None) {
        return Repairs::NONE;
    }
    Repairs::NONE
        .with_huffman_tables(is_chosen(Repair::HuffmanTables))
        .with_embedded_markers(is_chosen(Repair::EmbeddedMarkers))
        .with_eoi(is_chosen(Repair::Eoi))
}

fn orientation(keys: &StreamKeys) -> Orientation {
    Orientation::new(keys.rotate.degrees(), keys.mirror).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repairs_are_what_was_listed() {
        assert_eq!(repairs(&StreamKeys::default().repair), Repairs::RECOMMENDED);
        assert_eq!(repairs(&[]), Repairs::NONE);
        assert_eq!(repairs(&[Repair::None]), Repairs::NONE);
        let two = Repairs::NONE.with_huffman_tables(true).with_eoi(true);
        assert_eq!(repairs(&[Repair::HuffmanTables, Repair::Eoi]), two);
        let one = Repairs::NONE.with_embedded_markers(true);
        assert_eq!(repairs(&[Repair::EmbeddedMarkers]), one);
    }
}
