//! How a viewer wants its stream.

use std::time::Duration;

use http::{HeaderMap, header};
use mjpeg_codec::multipart::{AllowOrigin, Layout};

use crate::{
    config::stream::StreamConfig,
    request::{query::Query, relay},
};

/// How a viewer wants its stream. The stream's own limits are not applied yet.
#[derive(Clone, Debug, Default)]
pub(crate) struct StreamRequest {
    pub(crate) layout: Layout,
    /// Repeat the last frame once, soon after it.
    pub(crate) repeat_soon: bool,
    /// Call it `multipart/mixed`.
    pub(crate) mixed: bool,
    pub(crate) fps: Option<f64>,
    pub(crate) kbps: Option<f64>,
    pub(crate) max_duration: Option<Duration>,
    pub(crate) max_lag: Option<Duration>,
    /// A name that the viewer gives itself; ustreamer reports it in `/state`.
    pub(crate) key: String,
    /// The viewer is a relay, which wants to know more about each part.
    pub(crate) is_relay: bool,
    /// Which origin may read it.
    pub(crate) allow_origin: AllowOrigin,
}

impl StreamRequest {
    /// A request for this layout and nothing else.
    pub(crate) fn plain(layout: Layout) -> Self {
        Self {
            layout,
            repeat_soon: layout == Layout::Trailing,
            ..Self::default()
        }
    }

    pub(crate) fn read(query: &Query<'_>, headers: &HeaderMap, config: &StreamConfig) -> Self {
        let is_picture = shows_a_picture(headers);
        let is_relay = relay::via(headers).is_some();
        let advance = query.switch("advance_headers").unwrap_or(is_picture) && !is_relay;
        let layout = if advance {
            Layout::Advance
        } else {
            Layout::Trailing
        };
        let second = Duration::from_secs(1);
        let time = |name| query.time(name, second).filter(|t| !t.is_zero());
        let key = query.text("key").unwrap_or_default();
        Self {
            layout,
            // A relay shows a frame when it has all its bytes.
            repeat_soon: query.switch("dual_final_frames").unwrap_or(!advance) && !is_relay,
            mixed: config.webkit_fetch_mixed() && !advance && is_webkit(headers),
            fps: query.positive("fps"),
            kbps: query.positive("kbps"),
            max_duration: time("max_duration"),
            max_lag: time("max_lag"),
            key: key.chars().take(LONGEST_KEY).collect(),
            is_relay,
            allow_origin: config.cors().allowed(headers),
        }
    }
}

/// Whether the browser itself shows the stream, in an `<img>` or the address bar, rather than a
/// script or another program reading it.
///
/// Browsers say so in `Sec-Fetch-Dest`, but over plain HTTP only to loopback. Elsewhere `Accept`
/// tells (measured in Chromium, Firefox and WebKitGTK).
fn shows_a_picture(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(destination) = text("sec-fetch-dest") {
        let shown = ["image", "document", "iframe", "frame", "object", "embed"];
        return shown.contains(&destination);
    }
    text(header::ACCEPT.as_str()).is_some_and(|accept| {
        let accept = accept.trim_start();
        accept.starts_with("image/") || accept.starts_with("text/html")
    })
}

/// Whether it is WebKit, whose `fetch` cannot read `multipart/x-mixed-replace` (measured in
/// WebKitGTK). Chromium calls itself `AppleWebKit` too.
fn is_webkit(headers: &HeaderMap) -> bool {
    let agent = headers.get(header::USER_AGENT);
    agent
        .and_then(|value| value.to_str().ok())
        .is_some_and(|agent| agent.contains("AppleWebKit") && !agent.contains("Chrom"))
}

/// Enough for a name; the rest is dropped.
const LONGEST_KEY: usize = 64;
