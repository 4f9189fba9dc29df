//! What the API says to those without credentials: nothing about sources, addresses and viewers.

use bytes::Bytes;
use http::{Response, StatusCode};
use http_body_util::Full;
use mjpeg_manager::{StreamInfo, StreamName, StreamState};
use serde::Serialize;

use super::respond;
use crate::gateway::state::Relayed;

#[derive(Serialize)]
struct PublicStreams {
    streams: Vec<PublicStream>,
}

/// One stream, as everybody may see it.
#[derive(Serialize)]
struct PublicStream {
    name: String,
    /// A word: `online`, `offline` and so on.
    state: &'static str,
    /// Frames per second over the last seconds, to a tenth.
    fps: f64,
    /// Frames since the start, and their bytes.
    frames: u64,
    bytes: u64,
    viewers: u64,
}

impl PublicStream {
    fn new(info: &StreamInfo, viewers: u64) -> Self {
        Self {
            name: info.name.to_string(),
            state: info.state.as_str(),
            fps: (info.fps * 10.0).round() / 10.0,
            frames: info.frames,
            bytes: info.bytes,
            viewers,
        }
    }
}

#[derive(Serialize)]
struct PublicHealth {
    state: &'static str,
}

/// All streams, in order.
pub(super) fn streams(relayed: &Relayed) -> Response<Full<Bytes>> {
    let read = |name: StreamName| {
        let info = relayed.read(name.as_str())?;
        let stats = relayed.http.stats(name.as_str()).unwrap_or_default();
        Some(PublicStream::new(&info, stats.viewers))
    };
    let streams = relayed.visible().into_iter().filter_map(read).collect();
    respond::json(&PublicStreams { streams })
}

/// Whether a stream has pictures, for uptime monitors, which look at the status alone.
pub(super) fn health(relayed: &Relayed, name: &str) -> Response<Full<Bytes>> {
    let Some(info) = relayed.read(name) else {
        return not_found(&relayed.visible());
    };
    let state = info.state.as_str();
    match info.state {
        // A camera that is read on demand is not known to be lost.
        StreamState::Online | StreamState::Idle => respond::json(&PublicHealth { state }),
        other => {
            let status = StatusCode::SERVICE_UNAVAILABLE;
            respond::problem(status, state, &other.public(), None)
        }
    }
}

/// There is no such thing, and these streams.
pub(super) fn not_found(names: &[StreamName]) -> Response<Full<Bytes>> {
    let names: Vec<&str> = names.iter().map(StreamName::as_str).collect();
    let hint = (!names.is_empty()).then(|| format!("the streams are {}", names.join(", ")));
    respond::problem(
        StatusCode::NOT_FOUND,
        "not_found",
        "there is no such stream or resource here",
        hint.as_deref(),
    )
}
