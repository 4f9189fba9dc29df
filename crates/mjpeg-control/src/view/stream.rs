//! Streams.

use std::collections::BTreeMap;

use mjpeg_manager::{SourceInfo, StreamInfo};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::{
    configurator::{CameraOwner, ConfiguredStream, EditedStream},
    time::rfc3339,
};

/// A page of the list of streams.
#[derive(Serialize, ToSchema)]
pub(crate) struct StreamPage {
    /// Those that the caller may control are of the type `FullStream`.
    #[schema(value_type = Vec<StreamSummary>)]
    pub(crate) streams: Vec<StreamView>,
    /// The cursor of the next page, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<String>,
    /// Whether the caller may add and remove streams.
    pub(crate) may_add: bool,
}

/// One stream: in full for those who may control it.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum StreamView {
    Full(Box<FullStream>),
    Summary(StreamSummary),
}

/// What everybody may read who may see the stream.
#[derive(Serialize, ToSchema)]
pub(crate) struct StreamSummary {
    name: String,
    /// A word: `online`, `offline` and so on.
    state: &'static str,
    /// Frames per second over the last seconds, to a tenth.
    fps: f64,
    /// Frames since the start.
    frames: u64,
    /// Bytes of those frames.
    bytes: u64,
    /// How many are watching.
    viewers: u64,
    /// How old the oldest picture is that it keeps for replay, in seconds; `null` if it keeps none,
    /// or the caller may not see them.
    replay_s: Option<f64>,
}

/// What those may read who may control the stream.
#[derive(Serialize, ToSchema)]
pub(crate) struct FullStream {
    #[serde(flatten)]
    summary: StreamSummary,
    /// The state with its reason, for people.
    text: String,
    /// Since when it is in that state (RFC 3339).
    since: String,
    /// The source in use, without secrets.
    source: String,
    /// All its sources, the preferred one first.
    sources: Vec<SourceView>,
    /// Where it listens on a port of its own.
    listen: Option<String>,
    /// Whether its camera is connected only while somebody watches.
    on_demand: bool,
    /// Since when the camera has sent the same frame again and again (RFC 3339).
    frozen_since: Option<String>,
    /// What its pictures show now: `dark`, `covered`, `still`, `motion`.
    detected: Vec<&'static str>,
    /// Width and height of the latest frame, in pixels.
    size: Option<(u16, u16)>,
    /// Bytes received from its sources.
    received_bytes: u64,
    /// Connections to the camera since the start, but the first.
    reconnects: u64,
    /// How often frames were discarded, by reason.
    discarded: BTreeMap<&'static str, u64>,
    /// How often frames were repaired, by repair.
    repaired: BTreeMap<&'static str, u64>,
    /// How often the camera was lost or could not be had, by reason.
    failures: BTreeMap<&'static str, u64>,
    last_error: Option<LastErrorView>,
    /// Its keys and values as it is configured, secrets as `***`; `null` if it is not.
    config: Option<Map<String, Value>>,
    /// Who has configured it: `file`, `api`, `run` (the API, for this run only),
    /// `command_line` or `cluster`.
    origin: Option<&'static str>,
    /// Its version: what stands in `ETag`.
    pub(crate) version: Option<String>,
    /// What is odd about its configuration.
    warnings: Vec<String>,
    /// Which node of the cluster reads its camera; `null` if the relay is alone.
    owner: Option<OwnerView>,
}

/// Who reads a camera.
#[derive(Serialize, ToSchema)]
struct OwnerView {
    /// The node; `null` if none does at present.
    node: Option<String>,
    /// Whether it is this relay.
    is_here: bool,
    /// Grows each time that another node takes the camera; 0 if none has it.
    epoch: u64,
    /// Another node that means something else by a stream of this name.
    conflict: Option<String>,
}

/// What a stream would be like.
#[derive(Serialize, ToSchema)]
pub(crate) struct CheckedView {
    /// `true`: nothing has changed.
    dry_run: bool,
    /// Whether there is none of this name yet.
    is_new: bool,
    /// Its keys and values, secrets as `***`.
    config: Map<String, Value>,
    /// Who would have configured it, as of a `FullStream`.
    origin: &'static str,
    /// What would be odd about the configuration, and is not now.
    warnings: Vec<String>,
}

/// A stream that was set, or would be: with `dry_run`.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[allow(dead_code, reason = "it is only described")]
pub(crate) enum SetView {
    Set(Box<FullStream>),
    Checked(CheckedView),
}

/// One source of a stream.
#[derive(Serialize, ToSchema)]
struct SourceView {
    /// Without secrets.
    source: String,
    is_active: bool,
    /// A word.
    state: &'static str,
    /// The state with its reason, for people.
    text: String,
    /// Since when it is in that state (RFC 3339).
    since: String,
    /// The other end of its connection, now or last.
    peer: Option<String>,
}

/// The last thing that went wrong.
#[derive(Serialize, ToSchema)]
struct LastErrorView {
    /// When (RFC 3339).
    at: String,
    message: String,
}

/// Whether a stream has pictures.
#[derive(Serialize, ToSchema)]
pub(crate) struct HealthView {
    pub(crate) state: &'static str,
}

impl StreamSummary {
    pub(crate) fn new(info: &StreamInfo, viewers: u64, may_replay: bool) -> Self {
        Self {
            name: info.name.to_string(),
            state: info.state.as_str(),
            fps: (info.fps * 10.0).round() / 10.0,
            frames: info.frames,
            bytes: info.bytes,
            viewers,
            replay_s: replay_seconds(info).filter(|_| may_replay),
        }
    }
}

/// How old the oldest picture is that the stream keeps.
#[cfg(feature = "replay")]
pub(crate) fn replay_seconds(info: &StreamInfo) -> Option<f64> {
    let span = info.replay.as_ref()?.span?;
    // Of no use in more detail, and what has not changed is not sent again.
    Some((span.as_secs_f64() * 10.0).round() / 10.0)
}

#[cfg(not(feature = "replay"))]
pub(crate) fn replay_seconds(_: &StreamInfo) -> Option<f64> {
    None
}

impl FullStream {
    pub(crate) fn new(
        info: &StreamInfo,
        viewers: u64,
        configured: Option<ConfiguredStream>,
        owner: Option<CameraOwner>,
    ) -> Self {
        let discarded = info.discarded.iter();
        let last_error = info.last_error.as_ref();
        let (config, origin, version, warnings) = match configured {
            Some(stream) => (
                Some(stream.keys),
                Some(stream.origin.as_str()),
                Some(stream.version),
                stream.warnings,
            ),
            None => (None, None, None, Vec::new()),
        };
        Self {
            summary: StreamSummary::new(info, viewers, true),
            text: info.state.to_string(),
            since: rfc3339(info.since),
            source: info.source.clone(),
            sources: info.sources.iter().map(SourceView::new).collect(),
            listen: info.listen.map(|addr| addr.to_string()),
            on_demand: info.on_demand,
            frozen_since: info.frozen_since.map(rfc3339),
            detected: info.detected.iter().map(|kind| kind.as_str()).collect(),
            size: info.size,
            received_bytes: info.received_bytes,
            reconnects: info.reconnects,
            discarded: discarded.map(|(why, total)| (*why, total.count)).collect(),
            repaired: info.repaired.clone(),
            failures: info.failures.clone(),
            last_error: last_error.map(|error| LastErrorView {
                at: rfc3339(error.at),
                message: error.message.clone(),
            }),
            config,
            origin,
            version,
            warnings,
            owner: owner.map(OwnerView::new),
        }
    }
}

impl From<EditedStream> for CheckedView {
    fn from(checked: EditedStream) -> Self {
        Self {
            dry_run: true,
            is_new: checked.is_new,
            config: checked.stream.keys,
            origin: checked.stream.origin.as_str(),
            warnings: checked.stream.warnings,
        }
    }
}

impl OwnerView {
    fn new(owner: CameraOwner) -> Self {
        Self {
            node: owner.node,
            is_here: owner.is_here,
            epoch: owner.epoch,
            conflict: owner.conflict,
        }
    }
}

impl SourceView {
    fn new(info: &SourceInfo) -> Self {
        Self {
            source: info.source.clone(),
            is_active: info.is_active,
            state: info.state.as_str(),
            text: info.state.to_string(),
            since: rfc3339(info.since),
            peer: info.peer.clone(),
        }
    }
}
