//! Reloads while many watch, judged by the numbers of the frames that each viewer gets.

use std::{
    fs,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use mjpeg_testkit::{Camera, Viewer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    sync::watch,
    task::JoinHandle,
    time::sleep,
};
use tokio_rustls::client::TlsStream;

use super::{FRAMES, GATEWAY, Reloadable, Watcher, camera, has, soon, stream, without_repeats};
use crate::{
    cert::{Directory, make},
    tls::connect_to,
};

/// A viewer that goes on watching.
struct Viewing {
    task: JoinHandle<Viewed>,
    seen: Arc<AtomicU32>,
}

/// What a viewer saw.
#[derive(Debug, Default)]
struct Viewed {
    missed: u32,
    /// How often frames of another camera came.
    switches: u32,
    /// Whether the response has ended.
    has_ended: bool,
}

impl Viewing {
    fn of<S>(mut watcher: Watcher<S>, mut stop: watch::Receiver<bool>) -> Self
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let seen = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&seen);
        let task = tokio::spawn(async move {
            let mut viewed = Viewed::default();
            let mut last: Option<u32> = None;
            while !*stop.borrow_and_update() {
                let Some(number) = watcher.next().await else {
                    viewed.has_ended = true;
                    break;
                };
                if let Some(last) = last {
                    match number / FRAMES == last / FRAMES {
                        true => viewed.missed += (number + FRAMES - last - 1) % FRAMES,
                        false => viewed.switches += 1,
                    }
                }
                last = Some(number);
                count.fetch_add(1, Ordering::Relaxed);
            }
            viewed
        });
        Self { task, seen }
    }

    /// Waits until this many frames were seen.
    async fn sees(&self, wanted: u32) {
        let seeing = async {
            while self.seen.load(Ordering::Relaxed) < wanted && !self.task.is_finished() {
                sleep(Duration::from_millis(10)).await;
            }
        };
        soon(seeing).await;
    }
}

/// Cameras with streams of them that are watched, every other viewer over TLS.
struct Crowd {
    relay: Reloadable,
    certificate: Directory,
    cameras: Vec<Camera>,
    /// Of each stream.
    viewings: Vec<Vec<Viewing>>,
    stop: watch::Sender<bool>,
}

impl Crowd {
    async fn new(streams: u32, viewers: usize) -> Self {
        let mut cameras = Vec::new();
        for n in 0..streams {
            cameras.push(camera(n * FRAMES, INTERVAL).await);
        }
        let certificate = Directory::new(&format!("crowd-{streams}-{viewers}"));
        make(&certificate, &[]);
        let text = Self::file(&certificate, &cameras, |_, text| Some(text));
        // The URLs of both gateways come first, then one of each stream.
        let mut crowd = Self {
            relay: Reloadable::start(&text, 2 + streams as usize),
            certificate,
            cameras,
            viewings: Vec::new(),
            stop: watch::Sender::new(false),
        };
        for n in 0..streams {
            let mut of_stream = Vec::new();
            let path = format!("/s{n}/");
            for viewer in 0..viewers {
                let stop = crowd.stop.subscribe();
                of_stream.push(match viewer % 2 {
                    0 => Viewing::of(Watcher::open(crowd.plain(), &path).await, stop),
                    _ => Viewing::of(crowd.open_tls(&path).await, stop),
                });
            }
            crowd.viewings.push(of_stream);
        }
        crowd.all_see(10).await;
        crowd
    }

    /// The file, with a stream for each camera as `change` makes it.
    fn file(
        certificate: &Directory,
        cameras: &[Camera],
        change: impl Fn(usize, String) -> Option<String>,
    ) -> String {
        let streams = cameras.iter().enumerate().filter_map(|(n, camera)| {
            let text = stream(&format!("s{n}"), &camera.url(), "");
            change(n, text)
        });
        let (certificate, key) = (certificate.join("cert.pem"), certificate.join("key.pem"));
        let tls = format!("{{ certificate = {certificate:?}, key = {key:?} }}");
        format!("{GATEWAY}{GATEWAY}tls = {tls}\n") + &streams.collect::<String>()
    }

    /// The file that is in use, with each stream as `change` makes it.
    fn changed(&self, change: impl Fn(usize, String) -> Option<String>) -> String {
        Self::file(&self.certificate, &self.cameras, change)
    }

    /// The gateway without TLS.
    fn plain(&self) -> SocketAddr {
        self.relay.addr(0)
    }

    /// The gateway with TLS.
    fn secure(&self) -> SocketAddr {
        self.relay.addr(1)
    }

    async fn open_tls(&self, path: &str) -> Watcher<TlsStream<TcpStream>> {
        let (addr, path) = (self.secure(), without_repeats(path));
        let certificate = self.certificate.join("cert.pem");
        let opening = async {
            let stream = connect_to(addr, &certificate, b"http/1.1").await?;
            let local = stream.get_ref().0.local_addr()?;
            Viewer::ask_over(stream, local, addr, &path, &[]).await
        };
        Watcher::of(soon(opening).await.expect("a connection"))
    }

    /// Puts another certificate in the place of the one in use.
    async fn replace_certificate(&mut self) {
        let old = self.certificate.join("old.pem");
        fs::copy(self.certificate.join("cert.pem"), &old).expect("copied");
        make(&self.certificate, &["--force"]);
        self.relay.server.stderr_until("certificate replaced");
        let with_old = soon(connect_to(self.secure(), &old, b"http/1.1")).await;
        assert!(with_old.is_err(), "the old certificate is gone");
        self.open_tls("/s1/").await.follow(1).await;
    }

    /// Waits until each viewer has seen this many frames more.
    async fn all_see(&self, more: u32) {
        let all = self.viewings.iter().flatten();
        let wanted = |viewing: &Viewing| viewing.seen.load(Ordering::Relaxed) + more;
        let wanted: Vec<_> = all.clone().map(wanted).collect();
        for (viewing, wanted) in all.zip(wanted) {
            viewing.sees(wanted).await;
        }
    }

    /// Ends the watching, and returns what the viewers of each stream saw.
    async fn end(self) -> Vec<Vec<Viewed>> {
        self.stop.send_replace(true);
        let mut all = Vec::new();
        for viewings in self.viewings {
            let mut viewed = Vec::new();
            for viewing in viewings {
                viewed.push(soon(viewing.task).await.expect("no panic"));
            }
            all.push(viewed);
        }
        all
    }
}

/// One stream is changed in source, one in limits, one is removed, one added, and the certificate
/// is replaced.
async fn all_kinds_of_changes(streams: u32, viewers: usize) {
    let other = camera(streams * FRAMES, INTERVAL).await;
    let mut crowd = Crowd::new(streams, viewers).await;
    let text = crowd.changed(|n, text| match n {
        0 => Some(stream("s0", &other.url(), "")),
        1 => Some(format!("{text}max_viewers = {}\n", viewers + 1)),
        2 => None,
        _ => Some(text),
    });
    let text = text + &stream("new", &other.url(), "");
    let log = crowd.relay.reload(&text);
    assert!(
        has(
            &log,
            "configuration reloaded: 2 changed, 1 added, 1 removed"
        ),
        "{log:#?}"
    );
    crowd.replace_certificate().await;
    crowd.all_see(20).await;
    let mut added = Watcher::open(crowd.plain(), "/new/").await;
    added.follow_until(streams * FRAMES).await;
    let viewed = crowd.end().await;
    for (n, viewed) in viewed.iter().enumerate() {
        assert_eq!(viewed.len(), viewers);
        for viewed in viewed {
            assert_eq!(viewed.missed, 0, "s{n}");
            assert_eq!(viewed.switches, u32::from(n == 0), "s{n}");
            assert_eq!(viewed.has_ended, n == 2, "s{n}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_streams_with_ten_viewers_each_miss_nothing() {
    all_kinds_of_changes(10, 10).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "for a release build: 500 viewers"]
async fn ten_streams_with_fifty_viewers_each_miss_nothing() {
    all_kinds_of_changes(10, 50).await;
}

/// Prints the figure of docs/reload.md.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "for a release build: 200 cameras; prints how long the reload takes"]
async fn one_change_of_two_hundred_streams() {
    let mut crowd = Crowd::new(200, 1).await;
    let mut times = Vec::new();
    for most in 1..=20 {
        let text = crowd.changed(|n, text| match n {
            100 => Some(format!("{text}max_viewers = {most}\n")),
            _ => Some(text),
        });
        let log = crowd.relay.reload(&text);
        let last = log.last().expect("a line");
        assert!(
            last.contains("configuration reloaded: 1 changed in "),
            "{log:#?}"
        );
        let time = last
            .split(" in ")
            .last()
            .and_then(|time| time.strip_suffix(" ms"));
        times.push(
            time.and_then(|time| time.parse::<u32>().ok())
                .expect("a time"),
        );
        crowd.all_see(2).await;
    }
    times.sort_unstable();
    println!(
        "200 streams, one changed: {} ms (median), {} ms (most)",
        times[10], times[19]
    );
    let viewed = crowd.end().await;
    let missed: u32 = viewed.iter().flatten().map(|viewed| viewed.missed).sum();
    let ended = viewed
        .iter()
        .flatten()
        .filter(|viewed| viewed.has_ended)
        .count();
    assert_eq!((missed, ended), (0, 0));
    assert!(times[19] < 100, "{times:?} ms");
}

/// 20 frames per second.
const INTERVAL: Duration = Duration::from_millis(50);
