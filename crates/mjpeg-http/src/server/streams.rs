//! Routing: which stream a request is for.

use std::sync::Arc;

use crate::{request::route::Unnamed, service::StreamService};

/// The streams that a [`Listener`](crate::Listener) serves. They may change while it runs.
///
/// A [`StreamService`] is the trivial implementation: one stream, at every path. See [the table of
/// routes](crate#several-streams-on-one-port).
///
/// ```
/// use std::{collections::HashMap, sync::RwLock};
///
/// use mjpeg_http::{StreamService, Streams};
///
/// #[derive(Default)]
/// struct Registry(RwLock<HashMap<String, StreamService>>);
///
/// impl Streams for Registry {
///     fn find(&self, name: &str) -> Option<StreamService> {
///         self.0.read().ok()?.get(name).cloned()
///     }
/// }
/// ```
pub trait Streams: Send + Sync + 'static {
    /// Finds the stream that is served below `/NAME/`.
    ///
    /// Called for every request, on a thread that serves viewers, so it must not block.
    fn find(&self, name: &str) -> Option<StreamService>;

    /// Returns the stream for URLs without a name, such as `/stream` and `/?action=snapshot`.
    /// Default: none.
    fn default_stream(&self) -> Option<StreamService> {
        None
    }

    /// Returns the stream for `/?action=stream_N` and `/?action=snapshot_N`, counted from 0 in an
    /// order of your own. Default: the default stream, whatever the number.
    fn nth(&self, index: usize) -> Option<StreamService> {
        let _ = index;
        self.default_stream()
    }
}

/// Names that a stream should not have where several share a port: first segments of URLs that mean
/// something without a stream's name, or that pages and an API beside the streams need.
///
/// [`is_reserved_name`] compares without regard to case, as these URLs are read.
pub const RESERVED_NAMES: &[&str] = &[
    "api", "assets", "axis-cgi", "clip", "cluster", "healthz", "jpg", "login", "logout", "metrics",
    "mjpg", "readyz", "snapshot", "state", "stream", "view",
];

/// Returns whether a name or alias is one of the [`RESERVED_NAMES`], in any case.
///
/// ```
/// use mjpeg_http::is_reserved_name;
///
/// assert!(is_reserved_name("Stream"));
/// assert!(!is_reserved_name("streams"));
/// ```
pub fn is_reserved_name(name: &str) -> bool {
    let is = |reserved: &&str| reserved.eq_ignore_ascii_case(name);
    RESERVED_NAMES.iter().any(is)
}

impl Streams for StreamService {
    /// Finds none: the one stream is the [default](Streams::default_stream).
    fn find(&self, _: &str) -> Option<StreamService> {
        None
    }

    fn default_stream(&self) -> Option<StreamService> {
        Some(self.clone())
    }
}

impl<S: Streams + ?Sized> Streams for Arc<S> {
    fn find(&self, name: &str) -> Option<StreamService> {
        (**self).find(name)
    }

    fn default_stream(&self) -> Option<StreamService> {
        (**self).default_stream()
    }

    fn nth(&self, index: usize) -> Option<StreamService> {
        (**self).nth(index)
    }
}

/// Where a request goes.
#[derive(Debug)]
pub(crate) enum Routed<'a> {
    /// To a stream, at this path within it.
    Stream(StreamService, &'a str),
    /// Redirected to the stream's root, at this relative URL.
    Moved(StreamService, String),
    Fallback,
}

/// Decides where a request goes. Without a fallback, the default stream answers everything that no
/// other stream does.
pub(crate) fn route<'a>(
    streams: &dyn Streams,
    path: &'a str,
    query: Option<&str>,
    has_fallback: bool,
) -> Routed<'a> {
    if let Some((name, rest)) = named(path)
        && let Some(stream) = streams.find(name)
    {
        return match rest {
            // A page around the stream, and pictures for it, are for the service beside.
            Some(rest) if has_fallback && matches!(rest.trim_matches('/'), "view" | "push") => {
                Routed::Fallback
            }
            Some(rest) => Routed::Stream(stream, rest),
            // `./`, so that no name can look like a scheme.
            None => Routed::Moved(
                stream,
                match query {
                    Some(query) => format!("./{name}/?{query}"),
                    None => format!("./{name}/"),
                },
            ),
        };
    }
    let (stream, path) = match Unnamed::read(path, query) {
        Unnamed::Nth(index) => (streams.nth(index), path),
        Unnamed::Source { name, path } => (streams.find(&name), path),
        Unnamed::None if has_fallback => (None, path),
        Unnamed::Default | Unnamed::None => (streams.default_stream(), path),
    };
    stream.map_or(Routed::Fallback, |stream| Routed::Stream(stream, path))
}

/// The first segment of a path, and what follows it: `/door/stream` is `door` and `/stream`.
/// Proxies double slashes, such as those in front of it.
fn named(path: &str) -> Option<(&str, Option<&str>)> {
    let path = path.strip_prefix('/')?.trim_start_matches('/');
    let end = path.find('/');
    let name = &path[..end.unwrap_or(path.len())];
    (!name.is_empty()).then(|| (name, end.map(|end| &path[end..])))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::stream::StreamConfig;

    struct Two {
        has_default: bool,
    }

    impl Streams for Two {
        fn find(&self, name: &str) -> Option<StreamService> {
            let (_, consumer) = mjpeg_fanout::channel();
            let service = || {
                let builder = StreamService::builder(consumer);
                builder.config(StreamConfig::default()).name(name).build()
            };
            ["door", "yard"].contains(&name).then(service)
        }

        fn default_stream(&self) -> Option<StreamService> {
            self.find("door").filter(|_| self.has_default)
        }

        fn nth(&self, index: usize) -> Option<StreamService> {
            self.find(["door", "yard"].get(index)?)
        }
    }

    fn routed(url: &str, has_default: bool, has_fallback: bool) -> String {
        let (path, query) = match url.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (url, None),
        };
        match route(&Two { has_default }, path, query, has_fallback) {
            Routed::Stream(stream, path) => format!("{} {path}", stream.name().unwrap()),
            Routed::Moved(_, to) => format!("-> {to}"),
            Routed::Fallback => "fallback".into(),
        }
    }

    #[test]
    fn streams_are_found_by_name_and_the_rest_falls_back() {
        for (url, to) in [
            ("/door/", "door /"),
            ("/yard/stream?x", "yard /stream"),
            ("/yard//stream", "yard //stream"),
            ("//yard///stream/", "yard ///stream/"),
            ("//door/", "door /"),
            ("/yard/?action=stream_0", "yard /"),
            ("/door", "-> ./door/"),
            ("//door", "-> ./door/"),
            ("/door?action=stream", "-> ./door/?action=stream"),
            ("/attic/", "fallback"),
            ("/door/view", "fallback"),
            ("//door//view/", "fallback"),
            ("/door/push", "fallback"),
            ("/door/views", "door /views"),
            ("/", "fallback"),
            ("//", "fallback"),
            ("*", "fallback"),
        ] {
            assert_eq!(routed(url, true, true), to, "{url}");
            assert_eq!(routed(url, false, true), to, "{url}");
        }
    }

    #[test]
    fn urls_without_a_name_mean_the_default_stream() {
        for url in [
            "/stream",
            "/?action=snapshot",
            "/?action=snapshot&1608856928650",
            "/?action=stream_1608856928650",
            "/snapshot.jpg",
            "/cam_1.mjpg",
        ] {
            let path = url.split('?').next().unwrap();
            assert_eq!(routed(url, true, true), format!("door {path}"));
            assert_eq!(routed(url, false, true), "fallback");
        }
    }

    #[test]
    fn streams_are_found_by_number_and_as_go2rtc_names_them() {
        for (url, to) in [
            ("/?action=stream_0", "door /"),
            ("/?action=stream_1", "yard /"),
            ("//?action=Snapshot_1&1608856928650", "yard //"),
            ("/?action=snapshot_1?1608856928650", "yard /"),
            ("/?action=stream_2", "fallback"),
            ("/api/stream.mjpeg?src=yard", "yard /stream"),
            ("//api/frame.jpeg/?src=yard&w=640", "yard /snapshot"),
            ("/api/stream.mjpeg?src=attic", "fallback"),
            ("/api/stream.mjpeg", "fallback"),
        ] {
            assert_eq!(routed(url, true, true), to, "{url}");
            assert_eq!(routed(url, false, true), to, "{url}");
        }
    }

    #[test]
    fn without_a_fallback_the_default_stream_answers_everything_else() {
        for url in ["/", "/attic/", "*", "/stream"] {
            assert_eq!(routed(url, true, false), format!("door {url}"));
        }
        assert_eq!(routed("/yard/x", true, false), "yard /x");
        assert_eq!(routed("/yard/view", true, false), "yard /view");
        assert_eq!(routed("/yard/push", true, false), "yard /push");
    }

    #[test]
    fn what_routes_need_is_reserved() {
        for url in [
            "/stream",
            "/snapshot",
            "/mjpg/video.mjpg",
            "/axis-cgi/jpg/image.cgi",
            "/api/frame.jpeg",
        ] {
            let (name, _) = named(url).unwrap();
            assert!(is_reserved_name(name), "{url}");
        }
        assert!(is_reserved_name("HealthZ") && !is_reserved_name("door"));
    }
}
