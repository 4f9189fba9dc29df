//! What a request asks of a stream, by its method, path, query and headers.

use http::{HeaderMap, Method};

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
    #[cfg(feature = "compat")]
    State,
    /// A CORS preflight, or `OPTIONS`.
    Preflight,
    /// A method that is not allowed.
    NotAllowed,
    /// An action that only a server with its own camera can perform.
    NoControl,
    NotFound,
}

enum Resource {
    Stream,
    Snapshot,
    #[cfg(feature = "compat")]
    State,
    Control,
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
                if method == Method::HEAD {
                    Self::StreamHead(request)
                } else {
                    Self::Stream(request)
                }
            }
            Resource::Snapshot if get => Self::Snapshot(SnapshotRequest::read(&query, headers)),
            #[cfg(feature = "compat")]
            Resource::State if get => Self::State,
            Resource::Control => Self::NoControl,
            _ => Self::NotAllowed,
        }
    }

    /// What a gate decides about; `None` for answers that reveal nothing about a stream.
    pub(crate) fn action(&self) -> Option<Action> {
        match self {
            Self::Stream(_) | Self::StreamHead(_) => Some(Action::Stream),
            Self::Snapshot(_) => Some(Action::Snapshot),
            #[cfg(feature = "compat")]
            Self::State => Some(Action::State),
            Self::Preflight | Self::NotAllowed | Self::NoControl | Self::NotFound => None,
        }
    }
}

/// Whether a path and query are one of a stream's own URLs, except `/` without an action.
///
/// On a listener with other pages, `/` is one of those.
pub(crate) fn is_stream_url(path: &str, query: Option<&str>) -> bool {
    let query = Query::parse(query);
    (path != "/" || query.text("action").is_some()) && resource(path, &query).is_some()
}

fn resource(path: &str, query: &Query<'_>) -> Option<Resource> {
    match path {
        "/" => Some(match query.text("action") {
            Some(action) if is_numbered(action, "snapshot") => Resource::Snapshot,
            Some("command" | "take") => Resource::Control,
            _ => Resource::Stream,
        }),
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
        #[cfg(feature = "compat")]
        "/state" => Some(Resource::State),
        _ => numbered_camera(path),
    }
}

/// `snapshot`, or `snapshot_0` for one of several cameras. A stream is one camera, so any number
/// will do.
fn is_numbered(action: &str, name: &str) -> bool {
    let Some(rest) = action.strip_prefix(name) else {
        return false;
    };
    rest.is_empty() || rest.strip_prefix('_').is_some_and(is_number)
}

/// `/cam_1.mjpg`, `/cam_1.jpg`: mjpg-streamer as a webcam of Windows XP knew it.
fn numbered_camera(path: &str) -> Option<Resource> {
    let (number, kind) = path.strip_prefix("/cam_")?.split_once('.')?;
    match kind {
        "mjpg" if is_number(number) => Some(Resource::Stream),
        "jpg" if is_number(number) => Some(Resource::Snapshot),
        _ => None,
    }
}

fn is_number(text: &str) -> bool {
    (1..=4).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}
