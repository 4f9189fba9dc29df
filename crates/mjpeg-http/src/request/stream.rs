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
    /// By what another service watches in the viewer's place; `None` for a multipart stream.
    pub(crate) protocol: Option<&'static str>,
    /// It is to show the past.
    pub(crate) is_past: bool,
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

    /// The same with no more frames per second than this.
    pub(crate) fn with_max_fps(&self, most: Option<f64>) -> Self {
        let most = most.filter(|fps| fps.is_finite() && *fps > 0.0);
        Self {
            fps: self.fps.into_iter().chain(most).reduce(f64::min),
            ..self.clone()
        }
    }

    /// The same for the past.
    #[cfg(feature = "replay")]
    pub(crate) fn of_the_past(self) -> Self {
        Self {
            protocol: Some("replay"),
            is_past: true,
            ..self
        }
    }

    pub(crate) fn read(query: &Query<'_>, headers: &HeaderMap, config: &StreamConfig) -> Self {
        let is_picture = shows_a_picture(headers);
        let is_relay = relay::via(headers).is_some();
        // Axis's name: the length of each picture is wanted.
        let wants_length = query.switch("showlength") == Some(true);
        let advance = !is_relay
            && query
                .switch("advance_headers")
                .unwrap_or(is_picture && !wants_length);
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
            protocol: None,
            is_past: false,
            is_relay,
            allow_origin: config.cors().allowed(headers),
        }
    }
}

/// Whether the browser itself shows the stream, in an `<img>` or the address bar, rather than a
/// script or another program reading it.
///
/// Browsers say so in `Sec-Fetch-Dest`, but over plain HTTP only to loopback. Elsewhere `Accept`
/// tells (measured in Chromium, Firefox and WebKitGTK), together with `User-Agent`: programs write
/// `Accept: image/*`, and Java sends `text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2`.
fn shows_a_picture(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(destination) = text("sec-fetch-dest") {
        let shown = ["image", "document", "iframe", "frame", "object", "embed"];
        return shown.contains(&destination);
    }
    let accept = text(header::ACCEPT.as_str()).unwrap_or_default();
    let accept = accept.trim_start();
    // Proxies may remove it.
    let is_browser = text(header::USER_AGENT.as_str()).is_none_or(is_browser);
    // Only pages send `Origin`: this is an `<img crossorigin>`, whatever it names.
    let is_of_page = headers.contains_key(header::ORIGIN) && accept.starts_with("image/");
    is_browser && (is_of_page || is_for_img(accept) || is_for_page(accept))
}

/// Whether this is what a browser accepts for an `<img>`: picture types by name and any other at
/// the end. Each browser names one that programs do not.
fn is_for_img(accept: &str) -> bool {
    let named = ["image/webp", "image/avif", "image/apng", "image/svg+xml"];
    accept.starts_with("image/")
        && accept.contains("*/*")
        && named.iter().any(|name| accept.contains(name))
}

/// Whether this is what a browser accepts for a page: all of them still name XHTML.
fn is_for_page(accept: &str) -> bool {
    accept.starts_with("text/html") && accept.contains("application/xhtml+xml")
}

/// Whether a `User-Agent` names one of the engines that show streams. Programs name no engine,
/// even where they begin with `Mozilla/5.0`.
fn is_browser(agent: &str) -> bool {
    agent.contains("AppleWebKit/") || agent.contains("Gecko/")
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
