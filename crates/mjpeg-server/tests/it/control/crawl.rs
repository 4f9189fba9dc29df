//! A stranger tries everything there is, at every kind of listener.

mod asked;
mod place;

use std::{collections::BTreeMap, fs, net::SocketAddr, path::Path};

use futures_util::{StreamExt, stream};
use mjpeg_testkit::{Camera, Viewer, refused_addr};
use serde_json::{Value, json};
use tokio::{net::TcpSocket, task::JoinHandle};

use self::{
    asked::{Asked, asked},
    place::{Place, Seen},
};
use super::{Controlled, INCLUDE, camera};
use crate::cert::{Directory, make};

/// A relay with everything that a stranger must not learn or change.
struct Scene {
    relay: Controlled,
    /// Where the machine's own user reads what has become of it.
    own: Place,
    camera: Camera,
    /// Somebody who watches all the time.
    watching: JoinHandle<()>,
    certificates: Directory,
}

impl Scene {
    /// Starts a relay with these listeners, of which so many print a URL.
    async fn start(name: &str, listeners: &str, urls: usize, users: &str) -> Self {
        let certificates = Directory::new(name);
        make(&certificates, &[]);
        let (camera, dead) = (camera().await, refused_addr().await);
        let listeners = listeners.replace("{certificates}", certificates.path().to_str().unwrap());
        let text = format!(
            "{INCLUDE}{listeners}\n[[streams]]\nname = \"door\"\nsource = \"{}\"\n\
             listen = \"127.0.0.1:0\"\n[[streams]]\nname = \"yard\"\n\
             source = \"http://me:hunter2@{dead}/hunter3?token=hunter4\"\n\
             [[streams]]\nname = \"phone\"\nsource = \"push:\"\n{users}",
            camera.url()
        );
        let relay = Controlled::of_several(&text, urls + 1);
        let own = Place::Unix(relay.folder.path().join("control.sock"));
        for (path, body) in [
            (
                "/streams?persist=true",
                r#"{"name":"kept","source":"test:"}"#,
            ),
            ("/links", r#"{"stream":"door","valid_s":600}"#),
        ] {
            let asked = Asked::json("POST", &format!("/api/v1{path}"), body);
            assert_eq!(own.ask(&asked, "").await.status, 201, "{path}");
        }
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(VIEWER.parse().unwrap()).unwrap();
        let stream = socket.connect(relay.addr()).await.unwrap();
        let agent = [("User-Agent", "agent-of-the-viewer")];
        let viewer = Viewer::ask(stream, "/door/stream?key=key-of-the-viewer", &agent);
        let mut viewer = viewer.await.unwrap();
        viewer.next_frame().await.unwrap().expect("a frame");
        let watching = tokio::spawn(async move {
            while viewer.next_frame().await.expect("it goes on").is_some() {}
        });
        Self {
            relay,
            own,
            camera,
            watching,
            certificates,
        }
    }

    fn addr(&self, url: usize) -> SocketAddr {
        self.relay.server.addr(url)
    }

    fn tls(&self, url: usize) -> Place {
        let certificate = self.certificates.join("cert.pem");
        Place::Tls(self.addr(url), certificate)
    }

    async fn read(&self, path: &str) -> Value {
        let read = self.own.ask(&Asked::json("GET", path, ""), "").await;
        assert_eq!(read.status, 200, "{path}: {}", read.text);
        serde_json::from_str(&read.text).unwrap()
    }

    /// What a stranger could have changed.
    async fn state(&self) -> (Vec<Value>, BTreeMap<String, Vec<u8>>) {
        let mut told = Vec::new();
        for path in ["config", "links", "streams/door/viewers"] {
            told.push(self.read(&format!("/api/v1/{path}")).await);
        }
        for viewer in told[2]["viewers"].as_array_mut().unwrap() {
            *viewer = viewer["id"].take();
        }
        let listed = self.read("/api/v1/streams").await;
        for listed in listed["streams"].as_array().unwrap() {
            let name = listed["name"].as_str().unwrap();
            let read = self.read(&format!("/api/v1/streams/{name}")).await;
            let keys = ["name", "state", "config", "origin", "version", "listen"];
            let told_of: Value = keys.map(|key| read[key].clone()).into_iter().collect();
            // Whether its camera is there yet is nobody's doing.
            let is_paused = told_of[1] == "paused";
            told.push(json!([told_of, is_paused]));
            told.last_mut().unwrap()[0][1] = Value::Null;
        }
        let mut files = BTreeMap::new();
        add_files(self.relay.folder.path(), &mut files);
        (told, files)
    }

    /// Tries everything at these places, and looks at what has become of it.
    async fn crawl(self, places: &[Place], headers: &[&str]) {
        let document = self.read("/api/v1/openapi.json").await;
        let viewers = self.read("/api/v1/streams/door/viewers").await;
        let links = self.read("/api/v1/links").await;
        let id = |of: &Value| of["id"].as_str().expect("an id").to_owned();
        let ids = [id(&viewers["viewers"][0]), id(&links["links"][0])];
        let before = self.state().await;
        let asked = asked(&document, &ids);
        assert!(asked.len() > 400, "{}", asked.len());
        let camera = format!(":{}", self.camera.addr().port());
        let words = [&*camera, "hunter", "127.0.0.77", "-of-the-viewer", "tcp:"];
        let mut viewed = 0;
        for (nth, place) in places.iter().enumerate() {
            // The headers are read by the same code everywhere; handshakes of TLS take long.
            let headers = if nth < 2 { headers } else { &headers[..1] };
            let every = if matches!(place, Place::Tls(..)) {
                9
            } else {
                1
            };
            for headers in headers {
                let asked: Vec<_> = asked.iter().step_by(every).collect();
                let asking = asked.iter().map(|asked| place.ask(asked, headers));
                let mut answers = stream::iter(asking).buffered(16).zip(stream::iter(&asked));
                while let Some((seen, asked)) = answers.next().await {
                    let said = format!("{asked:?} at {place:?} with {headers:?}: {seen:?}");
                    assert!(is_viewing(asked, &seen), "{said}");
                    viewed += usize::from(seen.status == 200 && seen.is_picture());
                    for word in words {
                        assert!(!seen.text.contains(word), "{word} in {said}");
                    }
                }
            }
        }
        assert!(viewed > 10, "streams are for everybody: {viewed}");
        if let Some(Place::Tls(addr, certificate)) = places.last() {
            for (seen, asked) in place::over_http2(*addr, certificate, &asked).await {
                assert!(is_viewing(&asked, &seen), "{asked:?} by HTTP/2: {seen:?}");
            }
        }
        let after = self.state().await;
        for (after, before) in after.0.iter().zip(&before.0) {
            assert_eq!(after, before);
        }
        assert!(after.1 == before.1, "{:?}", after.1.keys());
        assert!(!self.watching.is_finished(), "the viewer was cut");
    }
}

/// Whether an answer lets a stranger view, or refuses.
fn is_viewing(asked: &Asked, seen: &Seen) -> bool {
    if !(200..300).contains(&seen.status) {
        // A server that fails may have done anything; one that is asked for too much says so.
        return seen.status < 500 || matches!(seen.status, 501 | 503 | 505);
    }
    match asked.method.as_str() {
        "GET" => seen.is_public(),
        "HEAD" => seen.is_picture() || seen.text.is_empty(),
        // A preflight, which opens streams.
        "OPTIONS" => seen.text.is_empty(),
        // It ends a session that the client has not.
        "POST" if asked.target.contains("logout") => seen.status == 204,
        // mjpg-streamer looks at no method, and its clients may POST.
        _ => seen.is_picture(),
    }
}

fn add_files(folder: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            add_files(&path, files);
        } else if let Ok(bytes) = fs::read(&path) {
            files.insert(path.to_str().unwrap().into(), bytes);
        }
    }
}

#[tokio::test]
async fn stranger_can_view_and_do_nothing_else_by_default() {
    let listeners = r#"
        [[listen]]
        address = "127.0.0.1:0"
        base_path = "/cams"
        [[listen]]
        address = "0.0.0.0:0"
        [[listen]]
        address = "127.0.0.1:0"
        tls = { certificate = "{certificates}/cert.pem", key = "{certificates}/key.pem" }
        [[listen]]
        unix = "{certificates}/http.sock"
    "#;
    let scene = Scene::start("crawl-default", listeners, 3, "").await;
    let places = [
        Place::Tcp(scene.addr(0)),
        Place::Tcp(scene.addr(1)),
        Place::Tcp(scene.addr(3)),
        Place::Unix(scene.certificates.join("http.sock")),
        scene.tls(2),
    ];
    scene.crawl(&places, &["", PROXIED]).await;
}

#[tokio::test]
async fn stranger_can_view_and_do_nothing_else_where_users_control() {
    let listeners = r#"
        [[listen]]
        address = "127.0.0.1:0"
        serve = ["streams", "page", "control"]
        base_path = "/cams"
        [[listen]]
        address = "0.0.0.0:0"
        serve = ["streams", "page", "control", "metrics"]
        [[listen]]
        address = "127.0.0.1:0"
        serve = ["streams", "page", "control"]
        tls = { certificate = "{certificates}/cert.pem", key = "{certificates}/key.pem" }
        [[listen]]
        unix = "{certificates}/http.sock"
        serve = ["streams", "page", "control"]
    "#;
    let users = format!(
        "[[users]]\nname = \"alice\"\nmay = [\"view\", \"control\"]\ntoken_hash = \"sha256:{}\"\n",
        "0".repeat(64)
    );
    let scene = Scene::start("crawl-users", listeners, 3, &users).await;
    let places = [
        Place::Tcp(scene.addr(0)),
        Place::Tcp(scene.addr(1)),
        Place::Tcp(scene.addr(3)),
        Place::Unix(scene.certificates.join("http.sock")),
        scene.tls(2),
    ];
    scene.crawl(&places, &["", PROXIED, MADE_UP]).await;
}

/// A proxy on this machine makes loopback public.
#[tokio::test]
async fn stranger_behind_a_proxy_can_view_and_do_nothing_else() {
    let listeners = r#"
        [[listen]]
        address = "127.0.0.1:0"
        serve = ["streams", "page", "control"]
    "#;
    let scene = Scene::start("crawl-proxy", listeners, 1, "").await;
    let places = [Place::Tcp(scene.addr(0))];
    let headers = [
        PROXIED,
        "Via: 1.1 proxy\r\n",
        "X-Forwarded-Server: proxy\r\n",
    ];
    scene.crawl(&places, &headers).await;
}

/// No answer names this address.
const VIEWER: &str = "127.0.0.77:0";

/// What a proxy sends, and what some programs take for more than the request line.
const PROXIED: &str = "X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Host: localhost\r\n\
                       X-Forwarded-Proto: https\r\nX-Real-IP: 127.0.0.1\r\nForwarded: for=127.0.0.1\r\n\
                       X-HTTP-Method-Override: DELETE\r\nX-Original-URL: /api/v1/config\r\n\
                       X-Rewrite-URL: /api/v1/config\r\n";

/// Who somebody might say to be.
const MADE_UP: &str = "Remote-User: alice\r\nX-Remote-User: alice\r\nX-Forwarded-User: alice\r\n\
                       X-WEBAUTH-USER: alice\r\nSSL-Client-Cert: alice\r\n\
                       Cookie: mjpeg_session=alice; __Host-mjpeg_session_443=alice\r\n";
