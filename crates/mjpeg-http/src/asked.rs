//! What a request asks for, by its method, path, query and headers.

use std::time::Duration;

use http::{HeaderMap, Method, Uri, header};
use mjpeg_codec::multipart::Layout;

use crate::{HttpConfig, query::Query, snapshot::SnapshotWish};

#[derive(Debug)]
pub(crate) enum Asked {
    Stream(StreamWish),
    /// The header of a stream response.
    StreamHead(StreamWish),
    Snapshot(SnapshotWish),
    #[cfg(feature = "compat")]
    State,
    /// What may be asked here: CORS, or `OPTIONS`.
    Preflight,
    /// Another method than those allowed.
    NotAllowed,
    /// Something that only a server with a camera of its own can do.
    NoControl,
    Nothing,
}

/// How a viewer wants its stream.
#[derive(Clone, Debug, Default)]
pub(crate) struct StreamWish {
    pub(crate) layout: Layout,
    /// Repeat the last frame once, soon after it.
    pub(crate) repeat_soon: bool,
    /// Call it `multipart/mixed`.
    pub(crate) mixed: bool,
    pub(crate) fps: Option<f64>,
    pub(crate) kbps: Option<f64>,
    pub(crate) max_duration: Option<Duration>,
    pub(crate) max_lag: Option<Duration>,
    /// A name that the viewer gives itself; ustreamer tells it in `/state`.
    pub(crate) key: String,
}

enum Place {
    Stream,
    Snapshot,
    #[cfg(feature = "compat")]
    State,
    Control,
}

impl Asked {
    pub(crate) fn read(
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
        config: &HttpConfig,
    ) -> Self {
        let query = Query::parse(uri.query());
        // `OPTIONS *` asks about the server as a whole (RFC 9110, 9.3.7).
        let place = match place(uri.path(), &query) {
            None if uri.path() == "*" && method == Method::OPTIONS => return Self::Preflight,
            None => return Self::Nothing,
            Some(place) => place,
        };
        if method == Method::OPTIONS {
            return Self::Preflight;
        }
        let get = method == Method::GET || method == Method::HEAD;
        match place {
            // Players of mjpg-streamer's stream ask `POST /stream`.
            Place::Stream if get || (method == Method::POST && uri.path() != "/") => {
                let wish = StreamWish::read(&query, headers, config);
                if method == Method::HEAD {
                    Self::StreamHead(wish)
                } else {
                    Self::Stream(wish)
                }
            }
            Place::Snapshot if get => Self::Snapshot(SnapshotWish::read(&query, headers)),
            #[cfg(feature = "compat")]
            Place::State if get => Self::State,
            Place::Control => Self::NoControl,
            _ => Self::NotAllowed,
        }
    }
}

fn place(path: &str, query: &Query<'_>) -> Option<Place> {
    match path {
        "/" => Some(match query.text("action") {
            Some(action) if is_numbered(action, "snapshot") => Place::Snapshot,
            Some("command" | "take") => Place::Control,
            _ => Place::Stream,
        }),
        "/stream"
        | "/stream.mjpg"
        | "/stream.mjpeg"
        | "/video.mjpg"
        | "/mjpg/video.mjpg"
        | "/axis-cgi/mjpg/video.cgi" => Some(Place::Stream),
        "/snapshot"
        | "/snapshot.jpg"
        | "/snapshot.jpeg"
        | "/jpg/image.jpg"
        | "/axis-cgi/jpg/image.cgi" => Some(Place::Snapshot),
        #[cfg(feature = "compat")]
        "/state" => Some(Place::State),
        _ => numbered_camera(path),
    }
}

/// `snapshot`, or `snapshot_0` for one of several cameras; here there is one, whatever its number.
fn is_numbered(action: &str, name: &str) -> bool {
    let Some(rest) = action.strip_prefix(name) else {
        return false;
    };
    rest.is_empty() || rest.strip_prefix('_').is_some_and(is_number)
}

/// `/cam_1.mjpg`, `/cam_1.jpg`: mjpg-streamer as a webcam of Windows XP knew it.
fn numbered_camera(path: &str) -> Option<Place> {
    let (number, kind) = path.strip_prefix("/cam_")?.split_once('.')?;
    match kind {
        "mjpg" if is_number(number) => Some(Place::Stream),
        "jpg" if is_number(number) => Some(Place::Snapshot),
        _ => None,
    }
}

fn is_number(text: &str) -> bool {
    (1..=4).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

impl StreamWish {
    fn read(query: &Query<'_>, headers: &HeaderMap, config: &HttpConfig) -> Self {
        let is_picture = shows_a_picture(headers);
        let advance = query.switch("advance_headers").unwrap_or(is_picture);
        let layout = if advance {
            Layout::Advance
        } else {
            Layout::Trailing
        };
        let at_most = |asked: Option<f64>, most: Option<f64>| match (asked, most) {
            (Some(asked), Some(most)) => Some(asked.min(most)),
            (asked, most) => asked.or(most),
        };
        let second = Duration::from_secs(1);
        let max_duration = query.time("max_duration", second).filter(|t| !t.is_zero());
        Self {
            layout,
            repeat_soon: query.switch("dual_final_frames").unwrap_or(!advance),
            mixed: config.webkit_fetch_mixed && !advance && is_webkit(headers),
            fps: at_most(query.positive("fps"), config.max_fps),
            kbps: at_most(query.positive("kbps"), config.max_kbps),
            max_duration: match (max_duration, config.max_duration) {
                (Some(asked), Some(most)) => Some(asked.min(most)),
                (asked, most) => asked.or(most),
            },
            max_lag: query.time("max_lag", second).filter(|t| !t.is_zero()),
            key: query
                .text("key")
                .unwrap_or_default()
                .chars()
                .take(LONGEST_KEY)
                .collect(),
        }
    }
}

/// Whether the browser itself will show the stream, in an `<img>` or the address bar, and not a script or another program read it.
///
/// Browsers say so in `Sec-Fetch-Dest`, but over plain HTTP not to hosts other than loopback; then `Accept` tells (measured in Chromium,
/// Firefox and WebKitGTK).
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

/// Whether it is WebKit, whose `fetch` cannot read `multipart/x-mixed-replace` (measured in WebKitGTK). Chromium calls itself `AppleWebKit` too.
fn is_webkit(headers: &HeaderMap) -> bool {
    let agent = headers.get(header::USER_AGENT);
    agent
        .and_then(|value| value.to_str().ok())
        .is_some_and(|agent| agent.contains("AppleWebKit") && !agent.contains("Chrom"))
}

/// Enough for a name; the rest is left off.
const LONGEST_KEY: usize = 64;
