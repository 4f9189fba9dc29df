//! What a request asks of a stream, by its method, path, query and headers.

use std::borrow::Cow;

use http::{HeaderMap, Method};
#[cfg(feature = "replay")]
use mjpeg_mux::ClipFormat;

#[cfg(feature = "replay")]
use crate::request::replay::PastRequest;
use crate::{
    config::stream::StreamConfig,
    gate::Action,
    request::{query::Query, snapshot::SnapshotRequest, stream::StreamRequest},
};

/// What a request asks of a stream.
#[derive(Debug)]
pub(crate) enum Route {
    Stream(StreamRequest),
    /// The head of a stream response.
    StreamHead(StreamRequest),
    Snapshot(SnapshotRequest),
    #[cfg(feature = "replay")]
    Past(PastRequest),
    #[cfg(feature = "compat")]
    State,
    /// A CORS preflight, or `OPTIONS`.
    Preflight,
    /// A method that is not allowed.
    NotAllowed,
    /// An action that only a server with its own camera can perform.
    NoControl,
    /// An action that nobody knows.
    UnknownAction,
    NotFound,
}

enum Resource {
    Stream,
    Snapshot,
    #[cfg(feature = "replay")]
    Clip(ClipFormat),
    #[cfg(feature = "compat")]
    State,
    Control,
    Unknown,
}

impl Route {
    pub(crate) fn read(
        method: &Method,
        path: &str,
        query: Option<&str>,
        headers: &HeaderMap,
        config: &StreamConfig,
    ) -> Self {
        let query = Query::parse(query);
        let path = &*canonical(path);
        // `OPTIONS *` asks about the server as a whole (RFC 9110, 9.3.7).
        let resource = match resource(path, &query) {
            None if path == "*" && method == Method::OPTIONS => return Self::Preflight,
            None => return Self::NotFound,
            Some(resource) => resource,
        };
        if method == Method::OPTIONS {
            return Self::Preflight;
        }
        let get = method == Method::GET || method == Method::HEAD;
        match resource {
            // Players of mjpg-streamer's stream ask `POST /stream`.
            Resource::Stream if get || (method == Method::POST && path != "/") => {
                let request = StreamRequest::read(&query, headers, config);
                #[cfg(feature = "replay")]
                if let Some(past) = PastRequest::stream(&query, &request) {
                    return Self::Past(past);
                }
                if method == Method::HEAD {
                    Self::StreamHead(request)
                } else {
                    Self::Stream(request)
                }
            }
            Resource::Snapshot if get => {
                #[cfg(feature = "replay")]
                if let Some(past) = PastRequest::snapshot(&query, headers, config) {
                    return Self::Past(past);
                }
                Self::Snapshot(SnapshotRequest::read(&query, headers, config))
            }
            #[cfg(feature = "replay")]
            Resource::Clip(format) if get => Self::Past(PastRequest::clip(format, &query)),
            #[cfg(feature = "compat")]
            Resource::State if get => Self::State,
            Resource::Control => Self::NoControl,
            Resource::Unknown => Self::UnknownAction,
            _ => Self::NotAllowed,
        }
    }

    /// What the viewer of a stream wants; `None` if the request is for something else.
    pub(crate) fn stream(&self) -> Option<&StreamRequest> {
        match self {
            Self::Stream(wanted) | Self::StreamHead(wanted) => Some(wanted),
            #[cfg(feature = "replay")]
            Self::Past(PastRequest::Stream(wanted, _)) => Some(wanted),
            _ => None,
        }
    }

    /// Whether the answer is a stream.
    pub(crate) fn is_stream(&self) -> bool {
        self.stream().is_some() && !matches!(self, Self::StreamHead(_))
    }

    /// Whether the answer lists viewers.
    pub(crate) fn names_viewers(&self) -> bool {
        match self {
            #[cfg(feature = "compat")]
            Self::State => true,
            _ => false,
        }
    }

    /// What a gate decides about.
    pub(crate) fn action(&self) -> Action {
        match self {
            Self::Stream(_) | Self::StreamHead(_) => Action::Stream,
            Self::Snapshot(_) => Action::Snapshot,
            #[cfg(feature = "replay")]
            Self::Past(_) => Action::Replay,
            #[cfg(feature = "compat")]
            Self::State => Action::State,
            Self::Preflight
            | Self::NotAllowed
            | Self::NoControl
            | Self::UnknownAction
            | Self::NotFound => Action::Find,
        }
    }
}

/// What a URL asks for whose path names no stream.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unnamed {
    /// One of a stream's own URLs: of the default stream.
    Default,
    /// `/?action=stream_2`: of the stream with this number.
    Nth(usize),
    /// A URL of go2rtc, which names the stream in its query. The path is that within the stream.
    Source { name: String, path: &'static str },
    /// No URL of a stream. On a listener with other pages, `/` without an action is one of those.
    None,
}

impl Unnamed {
    pub(crate) fn read(path: &str, query: Option<&str>) -> Self {
        let query = Query::parse(query);
        let source = |path| match query.text("src") {
            Some(name) => Self::Source {
                name: name.into(),
                path,
            },
            None => Self::None,
        };
        match &*canonical(path) {
            "/" => match query.text("action") {
                Some(action) => number(action).map_or(Self::Default, Self::Nth),
                None => Self::None,
            },
            "/api/stream.mjpeg" => source("/stream"),
            "/api/frame.jpeg" => source("/snapshot"),
            path if resource(path, &query).is_some() => Self::Default,
            _ => Self::None,
        }
    }
}

/// A path as the URLs below are written: in lower case, with single slashes and none at the end,
/// and without what follows a `;` or `&`, which people write for `?`.
fn canonical(path: &str) -> Cow<'_, str> {
    let is_canonical = |b: u8| !b.is_ascii_uppercase() && b != b';' && b != b'&';
    let has_slashes = path.contains("//") || (path.len() > 1 && path.ends_with('/'));
    // No URL below is nearly as long, so that this one is none of them.
    if path.len() > LONGEST_PATH || !has_slashes && path.bytes().all(is_canonical) {
        return path.into();
    }
    let path = path.split([';', '&']).next().unwrap_or_default();
    let names = path.split('/').filter(|name| !name.is_empty());
    let mut canonical = String::with_capacity(path.len());
    for name in names {
        canonical.push('/');
        canonical.push_str(&name.to_ascii_lowercase());
    }
    if canonical.is_empty() {
        canonical.push('/');
    }
    canonical.into()
}

fn resource(path: &str, query: &Query<'_>) -> Option<Resource> {
    match path {
        "/" => Some(action(query.text("action").unwrap_or_default())),
        "/stream"
        | "/stream.mjpg"
        | "/stream.mjpeg"
        | "/video.mjpg"
        | "/mjpg/video.mjpg"
        | "/axis-cgi/mjpg/video.cgi" => Some(Resource::Stream),
        "/snapshot"
        | "/snapshot.jpg"
        | "/snapshot.jpeg"
        | "/jpg/image.jpg"
        | "/axis-cgi/jpg/image.cgi" => Some(Resource::Snapshot),
        #[cfg(feature = "replay")]
        "/clip.mov" => Some(Resource::Clip(ClipFormat::Mov)),
        #[cfg(feature = "replay")]
        "/clip.avi" => Some(Resource::Clip(ClipFormat::Avi)),
        #[cfg(feature = "replay")]
        "/clip.zip" => Some(Resource::Clip(ClipFormat::Zip)),
        #[cfg(feature = "replay")]
        "/clip.mjpeg" | "/clip.mjpg" => Some(Resource::Clip(ClipFormat::Mjpeg)),
        #[cfg(feature = "compat")]
        "/state" => Some(Resource::State),
        _ => numbered_camera(path),
    }
}

/// An action by its leading word: `snapshot`, `Snapshot_0` for one of several cameras, and
/// `snapshot?1`, `snapshot/` and `snapshot;t=1` where somebody appends to the URL what should
/// follow a `&`. Within a stream any number will do: it is one camera.
fn action(action: &str) -> Resource {
    let action = action.trim_start();
    let end = action.find(|c: char| !c.is_ascii_alphabetic());
    let word = &action[..end.unwrap_or(action.len())];
    let is = |known: &str| word.eq_ignore_ascii_case(known);
    match word {
        "" if action.is_empty() => Resource::Stream,
        _ if is("stream") => Resource::Stream,
        _ if is("snapshot") => Resource::Snapshot,
        _ if is("command") || is("take") => Resource::Control,
        _ => Resource::Unknown,
    }
}

/// The camera's number in an action: 2 in `stream_2` and `snapshot_2&1608856928650`.
fn number(action: &str) -> Option<usize> {
    let (_, number) = action.split_once('_')?;
    let end = number.find(|c: char| !c.is_ascii_digit());
    let digits = &number[..end.unwrap_or(number.len())];
    if !is_number(digits) {
        return None;
    }
    digits.parse().ok()
}

/// `/cam_1.mjpg`, `/cam1.jpg`, `/cam.jpg`: mjpg-streamer as a webcam of Windows XP knew it, and the
/// ways in which people write that.
fn numbered_camera(path: &str) -> Option<Resource> {
    let (number, kind) = path.strip_prefix("/cam")?.split_once('.')?;
    let is_camera = match number.strip_prefix('_') {
        Some(number) => is_number(number),
        None => number.is_empty() || is_number(number),
    };
    match kind {
        "mjpg" | "mjpeg" if is_camera => Some(Resource::Stream),
        "jpg" | "jpeg" if is_camera => Some(Resource::Snapshot),
        _ => None,
    }
}

fn is_number(text: &str) -> bool {
    (1..=4).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

/// In bytes; the longest URL of a stream has 23.
const LONGEST_PATH: usize = 128;
