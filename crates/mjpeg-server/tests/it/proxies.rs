//! Reverse proxies in front of a gateway, with the snippets of docs/proxies.md.

mod closed;
pub(crate) mod curl;
mod delay;
pub(crate) mod proxy;
mod relay;

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    thread,
    time::Duration,
};

use bytes::Bytes;
use mjpeg_testkit::{Camera, Script, WallClient, jpeg};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    runtime::Handle,
};

use crate::{
    proxies::{
        curl::{Server, Stream, value},
        proxy::{APACHE, CADDY, HAPROXY, HOST, LIGHTTPD, NGINX, Proxy, Running},
        relay::Relay,
    },
    tls::connect_as,
};

#[tokio::test(flavor = "multi_thread")]
async fn nginx_works_with_its_snippet() {
    check(&NGINX).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn haproxy_works_with_its_snippet() {
    check(&HAPROXY).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn caddy_works_with_its_snippet() {
    check(&CADDY).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lighttpd_works_with_its_snippet() {
    check(&LIGHTTPD).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn apache_works_with_its_snippet() {
    check(&APACHE).await;
}

/// Checks the snippet as printed, and without the line that removes the prefix.
async fn check(proxy: &Proxy) {
    if !proxy.is_installed() {
        return;
    }
    let live = (0..FRAMES).map(jpeg::numbered).collect();
    let live = Camera::start(Script::live(live, Duration::from_millis(40))).await;
    let still = Camera::start(Script::frames([jpeg::numbered(7)])).await;
    thread::scope(|scope| {
        for keeps_prefix in [false, true] {
            let runtime = Handle::current();
            let (live, still) = (live.url(), still.url());
            scope.spawn(move || {
                let _runtime = runtime.enter();
                let relay = Relay::start(&live, &still, keeps_prefix);
                let running = proxy.start(relay.addr, keeps_prefix);
                Behind::new(relay, running).works();
            });
        }
        scope.spawn(|| passes_on_who_asks_for_what(proxy));
    });
}

/// What is behind a proxy.
struct Behind {
    relay: Relay,
    proxy: Running,
    plain: Server,
    tls: Server,
}

impl Behind {
    fn new(relay: Relay, proxy: Running) -> Self {
        let (plain, tls) = (Server::plain(proxy.plain), Server::tls(proxy.tls));
        Self {
            relay,
            proxy,
            plain,
            tls,
        }
    }

    fn works(&self) {
        self.a_picture_arrives_at_once();
        self.a_connection_is_kept();
        self.streams_miss_nothing_and_end_with_their_viewer();
        self.wall_shows_pictures();
        self.paths_lead_where_they_should();
        self.what_is_closed_stays_closed();
    }

    fn a_picture_arrives_at_once(&self) {
        for (server, version) in [(self.plain, "HTTP/1."), (self.tls, "HTTP/2 ")] {
            let mut stream = server.watch(&["/cameras/still/"]);
            let head = stream.head();
            let is_right = head.starts_with(version) && head.contains(" 200");
            assert!(is_right, "{head}");
            let (_, picture) = stream.picture();
            assert_eq!(jpeg::number_of(&picture), Some(7));
        }
    }

    fn a_connection_is_kept(&self) {
        let snapshot = "/cameras/still/snapshot";
        for server in [self.plain, self.tls] {
            let mut stream = server.watch(&[snapshot, snapshot, "/cameras/live/stream"]);
            for _ in 0..2 {
                let (head, picture) = stream.picture();
                assert_eq!(value(&head, "content-type"), Some("image/jpeg"), "{head}");
                assert_eq!(jpeg::number_of(&picture), Some(7));
            }
            let head = stream.head();
            assert!(head.contains("multipart/x-mixed-replace"), "{head}");
            no_frame_is_missed(&mut stream, 3);
            assert_eq!(stream.connections(), 1);
        }
        self.relay.wait_for_viewers(0);
    }

    /// Three seconds of frames. Both viewers have the proxy's address.
    fn streams_miss_nothing_and_end_with_their_viewer(&self) {
        let mut streams = [self.plain, self.tls].map(|server| server.watch(&["/cameras/live/"]));
        self.relay.wait_for_viewers(2);
        thread::scope(|scope| {
            for stream in &mut streams {
                scope.spawn(|| {
                    let head = stream.head();
                    assert!(head.contains(" 200"), "{head}");
                    no_frame_is_missed(stream, 75);
                });
            }
        });
        drop(streams);
        self.relay.wait_for_viewers(0);
    }

    /// The page's WebSocket, as browsers open it: over HTTP/1.1, also where they speak HTTP/2.
    fn wall_shows_pictures(&self) {
        let runtime = Handle::current();
        for (server, is_tls) in [(self.plain, false), (self.tls, true)] {
            let url = format!("ws://{}/cameras/api/v1/wall", server.host());
            let picture = runtime.block_on(async {
                if is_tls {
                    let certificate = self.proxy.certificate();
                    let stream = connect_as(HOST, self.proxy.tls, &certificate, b"http/1.1").await;
                    first_picture(WallClient::over(stream.unwrap(), &url, &[]).await.unwrap()).await
                } else {
                    let stream = TcpStream::connect(self.proxy.plain).await.unwrap();
                    first_picture(WallClient::over(stream, &url, &[]).await.unwrap()).await
                }
            });
            assert_eq!(jpeg::number_of(&picture), Some(7), "{url}");
        }
        self.relay.wait_for_viewers(0);
    }

    fn paths_lead_where_they_should(&self) {
        for (path, url) in [
            ("/cameras/", "/cameras/"),
            ("/cameras//", "/cameras//"),
            ("/cameras", "/cameras/"),
        ] {
            let follow = ["--location", "--write-out", "%{url_effective}"];
            let page = String::from_utf8(self.plain.ask(&follow, &[path])).unwrap();
            // The links are relative to it.
            assert!(page.ends_with(&self.plain.url(url)), "{page}");
            let links = page.split("href=\"").skip(1);
            let links: Vec<&str> = links.map(|link| link.split('"').next().unwrap()).collect();
            let of_streams = ["live/", "live/snapshot", "still/", "still/snapshot"];
            assert!(links.contains(&"assets/page.css"), "{links:?}");
            assert!(links.ends_with(&of_streams), "{links:?}");
            for link in links {
                let head = self.plain.watch(&[&format!("{url}{link}")]).head();
                assert!(head.contains(" 200"), "{head}");
            }
        }
        for path in ["/cameras//still//snapshot", "/cameras/still/snapshot/"] {
            let (status, body) = self.plain.get(path);
            assert_eq!((status, jpeg::number_of(&body)), (200, Some(7)), "{path}");
        }
        let write = ["--location", "--output", "/dev/null"];
        let end = [
            "--write-out",
            "%{http_code} %{content_type} %{url_effective}",
        ];
        for server in [self.plain, self.tls] {
            let moved = ["/cameras/still?action=snapshot"];
            let printed = server.ask(&[write.as_slice(), &end].concat(), &moved);
            let url = server.url("/cameras/still/?action=snapshot");
            let expected = format!("200 image/jpeg {url}");
            assert_eq!(String::from_utf8(printed).unwrap(), expected);
        }
    }

    fn what_is_closed_stays_closed(&self) {
        let (status, figures) = self.relay.get("/metrics");
        assert_eq!(status, 200, "there would be something to see");
        assert!(figures.starts_with(b"# HELP mjpeg_"));
        for path in [
            "/metrics",
            "/cameras/metrics",
            "/cameras/metrics/",
            "/cameras//metrics",
            "/cameras/%6detrics",
            "/cameras/%2fmetrics",
            "/cameras/./metrics",
            "/cameras/live/../metrics",
            "/cameras/metrics?x=/",
            "/cameras/metrics//?x",
            "/cameras/cameras/metrics",
            "/cameras/live%2f..%2fmetrics",
            "/cameras/metrics%2f",
            "/cameras/metrics%3fx",
            "/cameras/%0a/metrics",
            "/cameras/metrics%0a",
            "/cameras/Metrics",
        ] {
            for server in [self.plain, self.tls] {
                let (_, body) = server.get(path);
                let text = String::from_utf8_lossy(&body);
                assert!(!text.contains("mjpeg_"), "{path}: {text}");
            }
        }
        let absolute = ["--request-target", "http://localhost/cameras/metrics"];
        let figures = self.plain.ask(&absolute, &["/"]);
        let text = String::from_utf8_lossy(&figures);
        assert!(!text.contains("mjpeg_"), "{text}");
        let put = self.plain.ask(&["--request", "PUT"], &["/cameras/readyz"]);
        let text = String::from_utf8(put).unwrap();
        assert!(!text.contains("method_not_allowed"), "the relay's: {text}");
        let stranger = ["--header", "Host: evil.example"];
        let page = self.plain.ask(&stranger, &["/cameras/"]);
        let text = String::from_utf8(page).unwrap();
        assert!(text.contains("misdirected_request"), "{text}");
    }
}

/// Shows the still camera, and leaves.
async fn first_picture<T>(mut wall: WallClient<T>) -> Bytes
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    wall.show(&["still"]).await.unwrap();
    wall.painted().await.unwrap().bytes
}

fn no_frame_is_missed(stream: &mut Stream, frames: usize) {
    let mut last = None;
    for _ in 0..frames {
        let (_, picture) = stream.picture();
        let number = jpeg::number_of(&picture).unwrap();
        let follows = last.is_none_or(|last| number == (last + 1) % FRAMES);
        assert!(follows, "{last:?}, {number}");
        last = Some(number);
    }
}

/// Checks what the proxy tells the relay.
fn passes_on_who_asks_for_what(proxy: &Proxy) {
    let relay = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = proxy.start(relay.local_addr().unwrap(), false);
    let server = Server::plain(proxy.plain);
    let asking = thread::spawn(move || server.get("/cameras/door/?action=stream"));
    let (mut connection, _) = relay.accept().unwrap();
    let lines = BufReader::new(connection.try_clone().unwrap()).lines();
    let head: Vec<String> = lines
        .map(Result::unwrap)
        .take_while(|line| !line.is_empty())
        .collect();
    connection
        .write_all(b"HTTP/1.0 204 No Content\r\n\r\n")
        .unwrap();
    drop(connection);
    assert!(head[0].starts_with("GET /door/?action=stream HTTP/1."));
    let head = head.join("\n");
    assert_eq!(value(&head, "x-forwarded-for"), Some("127.0.0.1"), "{head}");
    assert_eq!(value(&head, "host"), Some(&*server.host()), "{head}");
    assert_eq!(asking.join().unwrap().0, 204);
}

/// How many frames the live camera has.
const FRAMES: u32 = 250;
