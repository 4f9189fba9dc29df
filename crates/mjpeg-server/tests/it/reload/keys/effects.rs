//! What can be seen of each key.

use std::{
    fs, net::SocketAddr, os::unix::fs::PermissionsExt, path::Path, sync::OnceLock, time::Duration,
};

use mjpeg_testkit::{Camera, Script, Viewer, WallClient, WallMessage, jpeg};
use serde_json::Value;
use tokio::{
    net::{TcpListener, TcpStream, UnixStream},
    time::sleep,
};

use super::{File, Place};
use crate::{
    process::run,
    reload::{Reloadable, Watcher, ask, camera, get, soon},
    tls::connect_to,
};

/// Cameras, and a relay of them.
pub(super) struct Scene {
    first: Camera,
    second: Camera,
    still: Camera,
    silent: Camera,
    /// Where the gateway is, and a port that nobody has.
    addr: SocketAddr,
    free: SocketAddr,
    folder: OnceLock<String>,
}

impl Scene {
    pub(super) async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let other = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self {
            first: camera(0, Duration::from_millis(20)).await,
            second: camera(200, Duration::from_millis(20)).await,
            still: Camera::start(Script::frames([jpeg::numbered(300)])).await,
            silent: Camera::start(Script::stall()).await,
            addr: listener.local_addr().unwrap(),
            free: other.local_addr().unwrap(),
            folder: OnceLock::new(),
        }
    }

    /// What is changed, key by key.
    pub(super) fn base(&self) -> File {
        let quoted = |text: &str| format!("\"{text}\"");
        let socket = std::env::temp_dir().join(format!("mjpeg-keys-{}.sock", std::process::id()));
        let socket = quoted(socket.to_str().unwrap());
        let (first, addr) = (quoted(&self.first.url()), quoted(&self.addr.to_string()));
        let (still, silent) = (quoted(&self.still.url()), quoted(&self.silent.url()));
        let parts = [
            (Place::Top, vec![]),
            (Place::Listen("1 main"), vec![("address", &*addr)]),
            (
                Place::Listen("2 unix"),
                vec![("unix", &*socket), ("mode", "\"0600\"")],
            ),
            (Place::Stream("watched"), vec![("source", &*first)]),
            (Place::Stream("other"), vec![("source", &*first)]),
            (
                Place::Stream("off"),
                vec![
                    ("source", "\"tcp://127.0.0.1:1\""),
                    ("placeholder", "\"none\""),
                    ("snapshot_wait", "\"1h\""),
                ],
            ),
            (
                Place::Stream("still"),
                vec![
                    ("source", &*still),
                    ("stall_limit", "\"7d\""),
                    ("keepalive", "\"1h\""),
                    ("placeholder", "\"none\""),
                ],
            ),
            (
                Place::Stream("lazy"),
                vec![
                    ("source", &*silent),
                    ("stall_limit", "\"7d\""),
                    ("placeholder", "\"none\""),
                    ("on_demand", "true"),
                    ("snapshot_wait", "\"1ms\""),
                    ("snapshot_connect_wait", "\"1h\""),
                ],
            ),
        ];
        let parts = parts.into_iter().map(|(place, keys)| {
            let keys = keys
                .into_iter()
                .map(|(key, value)| (key.into(), value.into()));
            let mut keys: std::collections::BTreeMap<String, String> = keys.collect();
            if let Place::Stream(name) = place {
                keys.insert("name".into(), quoted(name));
            }
            (place, keys)
        });
        parts.collect()
    }

    /// Writes the files that the values name.
    pub(super) fn prepare(&self, relay: &Reloadable) {
        let more = format!(
            "[[streams]]\nname = \"more\"\nsource = \"{}\"\n",
            self.second.url()
        );
        relay.folder.write("more/more.toml", more);
        relay.folder.write("page/mark.txt", "mine");
        relay.folder.write("picture.jpg", jpeg::numbered(500));
        let folder = relay.folder.path().to_str().unwrap().to_owned();
        let (code, _, errors) = run(&["cert", "--out", &format!("{folder}/tls")]);
        assert_eq!(code, Some(0), "{errors}");
        self.folder.set(folder).unwrap();
    }

    /// A value or a line with what only the scene knows.
    pub(super) fn value(&self, text: &str) -> String {
        text.replace("{free}", &self.free.to_string())
            .replace("{second}", &self.second.url())
            .replace("{folder}", self.folder.get().unwrap())
    }

    pub(super) async fn watch(&self) -> Watcher {
        let mut watcher = Watcher::open(self.addr, "/watched/").await;
        watcher.follow(3).await;
        watcher
    }

    /// A viewer that sees the effect of a key on its response.
    pub(super) async fn viewer(&self, key: &str) -> Option<Watcher> {
        let path = match key {
            "fallback" | "placeholder" => "/off/",
            "keepalive" => "/still/",
            "name" | "max_duration" | "view" => "/other/",
            _ => return None,
        };
        let mut watcher = Watcher::open(self.addr, path).await;
        match path {
            "/other/" => watcher.follow(3).await,
            "/still/" => assert_eq!(watcher.next().await, Some(300)),
            _ => {}
        }
        Some(watcher)
    }

    /// Checks what that viewer sees.
    pub(super) async fn watching(&self, key: &str, viewer: &mut Option<Watcher>) {
        let Some(viewer) = viewer else {
            return;
        };
        match key {
            "fallback" => viewer.follow_until(200).await,
            "placeholder" => viewer.follow_until(500).await,
            "keepalive" => viewer.follow_until(300).await,
            _ => while viewer.next().await.is_some() {},
        }
    }

    /// Checks what anybody else sees, before and after the change.
    pub(super) async fn check(&self, key: &str, is_changed: bool) {
        let status = |path: &'static str, before: u16, after: u16| async move {
            let expected = if is_changed { after } else { before };
            let status = get(self.addr, path).await.head.status;
            assert_eq!(status, expected, "{key}: {path}, changed: {is_changed}");
        };
        match key {
            "include" => status("/more/snapshot", 404, 200).await,
            "max_viewers_total" | "max_viewers" if is_changed => {
                let second = soon(Viewer::open(self.addr, "/watched/")).await.unwrap();
                assert_eq!(second.head().status, 503, "{key}");
            }
            "max_walls" | "max_walls_per_address" => {
                // Of a proxy that is trusted by then: loopback has no share.
                let from = [("X-Forwarded-For", "192.0.2.9")];
                let mut wall = soon(WallClient::open(self.addr, &from)).await.unwrap();
                let first = wall.next().await.unwrap();
                let is_refused = matches!(first, WallMessage::Closed(Some(1013)));
                assert_eq!(is_refused, is_changed, "{key}: {first:?}");
            }
            "address" => {
                let connected = TcpStream::connect(self.free).await;
                assert_eq!(connected.is_ok(), is_changed);
                assert_eq!(TcpStream::connect(self.addr).await.is_ok(), !is_changed);
            }
            "unix" => {
                let path = self.value("{folder}/other.sock");
                assert_eq!(UnixStream::connect(path).await.is_ok(), is_changed);
            }
            "mode" => {
                let base = self.base();
                let path = &base[&Place::Listen("2 unix")]["unix"];
                let mode = fs::metadata(path.trim_matches('"'))
                    .unwrap()
                    .permissions()
                    .mode();
                assert_eq!(mode & 0o777, if is_changed { 0o640 } else { 0o600 });
            }
            "tls" => {
                let certificate = self.value("{folder}/tls/cert.pem");
                let tls = connect_to(self.addr, Path::new(&certificate), b"http/1.1");
                assert_eq!(soon(tls).await.is_ok(), is_changed);
            }
            "serve" => status("/", 200, 404).await,
            "default" => status("/snapshot", 404, 200).await,
            "base_path" => status("/cams/watched/snapshot", 404, 200).await,
            "hosts" => {
                let response = ask(self.addr, "/", "Host: cams.example\r\n").await;
                assert_eq!(response.head.status, if is_changed { 200 } else { 421 });
            }
            "origins" => {
                let headers = "Host: 127.0.0.1\r\nOrigin: http://a.example\r\n";
                let response = ask(self.addr, "/watched/snapshot", headers).await;
                let allowed = if is_changed { "http://a.example" } else { "*" };
                let header = response.head.header("access-control-allow-origin");
                assert_eq!(header, Some(allowed));
            }
            "page_dir" => status("/assets/mark.txt", 404, 200).await,
            "frame_ancestors" => {
                let view = get(self.addr, "/watched/view").await;
                let policy = view.head.header("content-security-policy").unwrap();
                let allowed = if is_changed { "'self'" } else { "*" };
                assert!(
                    policy.ends_with(&format!("frame-ancestors {allowed}")),
                    "{policy}"
                );
            }
            "name" => status("/another/snapshot", 404, 200).await,
            "view" => status("/other/snapshot", 200, 404).await,
            "listen" => {
                let answered = soon(Viewer::open(self.free, "/")).await;
                assert_eq!(answered.is_ok(), is_changed);
            }
            "aliases" => status("/alias/snapshot", 404, 200).await,
            "on_demand" => {
                let wanted = if is_changed { "idle" } else { "online" };
                soon(async { while self.state("other").await != wanted {} }).await;
            }
            "snapshot_wait" if is_changed => status("/off/snapshot?fresh=1", 0, 503).await,
            "snapshot_connect_wait" if is_changed => status("/lazy/snapshot", 0, 503).await,
            "snapshot_fresh" | "snapshot_max_age" => status("/still/snapshot", 200, 503).await,
            "max_snapshots" => status("/watched/snapshot", 200, 503).await,
            "rotate" | "mirror" => {
                // The next picture has the tag.
                let has_tag = async || {
                    let snapshot = get(self.addr, "/watched/snapshot").await.body;
                    snapshot.windows(6).any(|bytes| bytes == b"Exif\0\0")
                };
                soon(async { while has_tag().await != is_changed {} }).await;
            }
            "repair" if is_changed => status("/watched/snapshot", 0, 200).await,
            _ => {}
        }
    }

    async fn state(&self, stream: &str) -> String {
        sleep(Duration::from_millis(20)).await;
        let response = get(self.addr, "/api/v1/streams").await;
        let listed: Value = serde_json::from_slice(&response.body).unwrap();
        let mut streams = listed["streams"].as_array().unwrap().iter();
        let stream = streams.find(|listed| listed["name"] == stream).unwrap();
        stream["state"].as_str().unwrap().into()
    }
}
