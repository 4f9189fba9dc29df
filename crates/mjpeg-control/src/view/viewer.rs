//! Viewers.

use std::time::SystemTime;

use mjpeg_manager::mjpeg_http::ViewerInfo;
use serde::Serialize;
use utoipa::ToSchema;

use crate::time::rfc3339;

/// A page of the viewers of a stream.
#[derive(Serialize, ToSchema)]
pub(crate) struct ViewerPage {
    pub(crate) viewers: Vec<ViewerView>,
    /// The cursor of the next page, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<String>,
}

/// Somebody who watches a stream.
#[derive(Serialize, ToSchema)]
pub(crate) struct ViewerView {
    /// What to disconnect it by: `STREAM:NUMBER`.
    id: String,
    /// Its address and port, if known.
    address: Option<String>,
    /// Who it is; `null` for a stranger.
    user: Option<String>,
    /// The name that it gave itself with `?key=`; else empty.
    key: String,
    /// How it is sent the stream: `multipart`, or `wall` for a tile of a wall socket.
    protocol: &'static str,
    /// Since when it has been watching (RFC 3339).
    since: String,
    /// Parts sent to it, repeats included.
    sent: u64,
    /// Bytes of those parts.
    sent_bytes: u64,
    /// Frames that it skipped because they came faster than it took them.
    skipped: u64,
    /// Parts per second lately, to a tenth.
    fps: f64,
    /// How old the last frame was when sending it began, in seconds.
    age_at_send_s: Option<f64>,
}

impl ViewerView {
    pub(crate) fn new(stream: &str, info: ViewerInfo, now: SystemTime) -> Self {
        let since = now.checked_sub(info.watching).unwrap_or(now);
        Self {
            id: format!("{stream}:{}", info.id),
            address: info.peer.map(|peer| peer.to_string()),
            user: info.identity.map(|name| name.to_string()),
            key: info.key,
            protocol: info.protocol,
            since: rfc3339(since),
            sent: info.sent,
            sent_bytes: info.sent_bytes,
            skipped: info.skipped,
            fps: (info.fps * 10.0).round() / 10.0,
            age_at_send_s: info.age_at_send.map(|age| age.as_secs_f64()),
        }
    }
}
