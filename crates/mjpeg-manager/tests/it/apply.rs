//! Changing the spec of a running stream while a viewer watches: its response goes on.

use std::{
    net::{SocketAddr, TcpListener},
    time::Duration,
};

use bytes::Bytes;
use mjpeg_ingest::Source;
use mjpeg_manager::{
    Change, HttpOutlet, Manager, Placeholder, StartMode, StreamInfo, StreamSpec, StreamState,
    mjpeg_codec::{
        Frame,
        repair::{Orientation, Repairs},
    },
};
use mjpeg_testkit::{Camera, Script, Step, Viewer, jpeg, refused_addr};

use crate::support::{LOOPBACK, config, live, manager, serving_by, soon, spec, until};

/// A stream with one viewer.
struct Watched {
    manager: Manager,
    http: HttpOutlet,
    spec: StreamSpec,
    viewer: Viewer,
}

impl Watched {
    async fn start(spec: StreamSpec) -> Self {
        let http = HttpOutlet::default();
        let manager = serving_by(config(), &http);
        let info = manager.start(spec.clone()).await.unwrap();
        let viewer = Viewer::open(info.listen.unwrap(), "/").await.unwrap();
        Self {
            manager,
            http,
            spec,
            viewer,
        }
    }

    /// A stream of a camera that sends the frame again and again, watched from its first frame on.
    async fn with_frames(frame: Bytes, change: impl FnOnce(StreamSpec) -> StreamSpec) -> Self {
        let camera = Camera::start(Script::live(vec![frame], Duration::from_millis(20))).await;
        let spec = spec("door", camera.addr()).with_mode(StartMode::Retry);
        let watched = Self::start(change(spec)).await;
        // It lives as long as the test.
        std::mem::forget(camera);
        watched
    }

    /// Applies a change of the spec, and checks that `Manager::spec` returns the result.
    async fn apply(&mut self, change: impl FnOnce(StreamSpec) -> StreamSpec) -> StreamInfo {
        let spec = change(self.spec.clone());
        assert_ne!(spec, self.spec, "a change");
        let info = soon(self.manager.apply(spec.clone())).await.unwrap();
        assert_eq!(*self.manager.spec("door").unwrap(), spec);
        self.spec = spec;
        info
    }

    /// The next frame of the same response.
    async fn frame(&mut self) -> Bytes {
        let frame = soon(self.viewer.next_frame()).await.unwrap();
        frame.expect("the response goes on")
    }

    /// Waits for this frame on the same response.
    async fn sees(&mut self, expected: &[u8]) {
        soon(async { while self.frame().await != expected {} }).await;
    }

    /// Waits for a frame of this number on the same response.
    async fn sees_number(&mut self, number: u32) {
        let seen = async { while jpeg::number_of(&self.frame().await) != Some(number) {} };
        soon(seen).await;
    }

    fn info(&self) -> StreamInfo {
        self.manager.get("door").unwrap()
    }
}

fn picture(number: u32) -> Placeholder {
    Placeholder::Picture(Frame::parse(jpeg::numbered(number)).unwrap())
}

fn lossless(jpeg: &[u8]) -> Bytes {
    let mut jpeg = jpeg.to_vec();
    let sof = jpeg.windows(2).position(|w| w == [0xFF, 0xC0]).unwrap();
    jpeg[sof + 1] = 0xC3;
    jpeg.into()
}

fn damaged() -> Bytes {
    let mut jpeg = jpeg::dense(2, 4000).to_vec();
    let at = jpeg.len() / 2;
    jpeg.drain(at..at + 1500);
    jpeg.into()
}

#[tokio::test]
async fn sources_are_changed_only_if_they_differ() {
    let first = Camera::start(live()).await;
    let frames = (100..120).map(jpeg::numbered).collect();
    let second = Camera::start(Script::live(frames, Duration::from_millis(10))).await;
    let mut watched = Watched::start(spec("door", first.addr())).await;
    watched.frame().await;
    let same: Source = first.url().parse().unwrap();
    watched
        .apply(|spec| spec.with_sources([same]).with_check(true))
        .await;
    for _ in 0..20 {
        watched.frame().await;
    }
    assert_eq!((first.connections(), first.open()), (1, 1), "not touched");

    let other: Source = second.url().parse().unwrap();
    watched.apply(|spec| spec.with_sources([other])).await;
    watched.sees_number(105).await;
    until("hung up", async || first.open() == 0).await;
    assert_eq!(watched.info().source, second.url());

    let fallback: Source = first.url().parse().unwrap();
    watched.apply(|spec| spec.with_fallback(fallback)).await;
    until("both", async || watched.info().sources.len() == 2).await;
    watched.sees_number(105).await;
}

#[tokio::test]
async fn repair_is_changed_between_two_frames() {
    let bare = jpeg::without_dht(&jpeg::numbered(1));
    let (whole, _) = Frame::parse(bare.clone())
        .unwrap()
        .repaired(Repairs::RECOMMENDED);
    let mut watched = Watched::with_frames(bare.clone(), |spec| spec).await;
    watched.sees(whole.bytes()).await;
    watched.apply(|spec| spec.with_repair(Repairs::NONE)).await;
    watched.sees(&bare).await;
    assert_eq!(watched.info().reconnects, 0);
}

#[tokio::test]
async fn orientation_is_changed_between_two_frames_and_counted() {
    let plain = jpeg::numbered(1);
    let quarter = Repairs::NONE.with_orientation(Orientation::new(90, false).unwrap());
    let (turned, _) = Frame::parse(plain.clone()).unwrap().repaired(quarter);
    let mut watched = Watched::with_frames(plain.clone(), |spec| spec).await;
    watched.sees(&plain).await;
    assert_eq!(watched.info().repaired["orientation"], 0);
    watched.apply(|spec| spec.with_repair(quarter)).await;
    watched.sees(turned.bytes()).await;
    assert!(watched.info().repaired["orientation"] > 0);
    watched.apply(|spec| spec.with_repair(Repairs::NONE)).await;
    watched.sees(&plain).await;
    assert_eq!(watched.info().reconnects, 0);
}

#[tokio::test]
async fn unsupported_frames_are_passed_on_from_a_change_on() {
    let lossless = lossless(&jpeg::numbered(1));
    let mut watched = Watched::with_frames(lossless.clone(), |spec| spec).await;
    until("held back", async || {
        watched.info().discarded["unsupported"].count > 0
    })
    .await;
    watched.apply(|spec| spec.with_pass_unsupported(true)).await;
    watched.sees(&lossless).await;
    assert_eq!(watched.info().reconnects, 0);
}

#[tokio::test]
async fn frames_are_checked_from_a_change_on() {
    let damaged = damaged();
    let mut watched = Watched::with_frames(damaged.clone(), |spec| spec).await;
    watched.sees(&damaged).await;
    watched.apply(|spec| spec.with_check(true)).await;
    until("held back", async || {
        watched.info().discarded["damaged"].count > 0
    })
    .await;
    watched.apply(|spec| spec.with_check(false)).await;
    let frames = watched.info().frames;
    until("frames again", async || watched.info().frames > frames).await;
    watched.sees(&damaged).await;
    assert_eq!(watched.info().reconnects, 0);
}

/// A stream of a camera that is off, watched.
async fn offline(change: impl FnOnce(StreamSpec) -> StreamSpec) -> Watched {
    let spec = spec("door", refused_addr().await).with_mode(StartMode::Retry);
    Watched::start(change(spec)).await
}

#[tokio::test]
async fn placeholder_is_changed_while_it_is_shown() {
    let mut watched = offline(|spec| spec.with_placeholder(picture(1))).await;
    watched.sees_number(1).await;
    watched
        .apply(|spec| spec.with_placeholder(picture(2)))
        .await;
    watched.sees_number(2).await;
    #[cfg(feature = "placeholder")]
    {
        watched
            .apply(|spec| spec.with_placeholder(Placeholder::Drawn))
            .await;
        let is_drawn = |jpeg: Bytes| Frame::parse(jpeg).unwrap().width() == 640;
        soon(async { while !is_drawn(watched.frame().await) {} }).await;
    }
    watched
        .apply(|spec| spec.with_placeholder(Placeholder::None))
        .await;
    let consumer = watched.manager.observe("door").unwrap();
    until("no placeholder", async || consumer.placeholder().is_none()).await;
    assert!(consumer.latest().is_none());
    watched
        .apply(|spec| spec.with_placeholder(picture(3)))
        .await;
    watched.sees_number(3).await;
}

#[tokio::test]
async fn shorter_time_to_the_placeholder_holds_at_once() {
    let camera = Camera::start(Script::frames([jpeg::numbered(1)])).await;
    let spec = spec("door", camera.addr())
        .with_placeholder(picture(2))
        .with_placeholder_after(Duration::from_secs(3600));
    let mut watched = Watched::start(spec).await;
    watched.sees_number(1).await;
    camera.shutdown().await;
    watched
        .apply(|spec| spec.with_placeholder_after(Duration::from_millis(100)))
        .await;
    watched.sees_number(2).await;
}

#[tokio::test]
async fn frozen_camera_is_reported_after_the_changed_time() {
    let mut watched = Watched::with_frames(jpeg::numbered(1), |spec| spec).await;
    watched.frame().await;
    let mut events = watched.manager.events();
    watched
        .apply(|spec| spec.with_frozen_after(Duration::from_millis(100)))
        .await;
    let mut changes = Vec::new();
    while changes.last() != Some(&Change::Frozen) {
        changes.push(soon(events.next()).await.unwrap().change);
    }
    assert_eq!(changes, [Change::Reconfigured, Change::Frozen]);
    assert!(watched.info().frozen_since.is_some());
    watched.frame().await;
    assert_eq!(watched.info().reconnects, 0);
}

#[tokio::test]
async fn camera_becomes_on_demand_and_always_connected_again() {
    let camera = Camera::start(live()).await;
    let linger = Duration::from_millis(100);
    let retried = spec("door", camera.addr()).with_mode(StartMode::Retry);
    let mut watched = Watched::start(retried).await;
    watched.frame().await;
    let info = watched.apply(|spec| spec.with_on_demand(linger)).await;
    assert!(info.on_demand);
    for _ in 0..30 {
        watched.frame().await;
    }
    assert_eq!(camera.connections(), 1, "there is a viewer");
    drop(watched.viewer);
    let manager = watched.manager;
    soon(manager.wait_for("door", |state| *state == StreamState::Idle))
        .await
        .unwrap();
    until("hung up", async || camera.open() == 0).await;
    let always = watched.spec.without_on_demand();
    manager.apply(always).await.unwrap();
    soon(manager.wait_for("door", |state| *state == StreamState::Online))
        .await
        .unwrap();
    assert_eq!(camera.connections(), 2);
}

#[tokio::test]
async fn mode_is_stored() {
    let camera = Camera::start(live()).await;
    let mut watched = Watched::start(spec("door", camera.addr())).await;
    watched.frame().await;
    let info = watched.apply(|spec| spec.with_mode(StartMode::Retry)).await;
    assert_eq!(info.mode, StartMode::Retry);
    for _ in 0..20 {
        watched.frame().await;
    }
    assert_eq!(camera.connections(), 1);
}

fn is_free(addr: SocketAddr) -> bool {
    TcpListener::bind(addr).is_ok()
}

#[tokio::test]
async fn stream_moves_to_another_port() {
    let camera = Camera::start(live()).await;
    let mut watched = Watched::start(spec("door", camera.addr())).await;
    watched.frame().await;
    let old = watched.info().listen.unwrap();
    let port = free_port();
    let info = watched.apply(|spec| spec.with_listen(port)).await;
    assert_eq!(info.listen, Some(port));
    assert!(is_free(old), "the old port is free when apply returns");
    let mut viewer = Viewer::open(port, "/").await.unwrap();
    soon(viewer.next_frame()).await.unwrap().unwrap();
    assert_eq!(camera.connections(), 1);

    watched.apply(|spec| spec.without_listen()).await;
    assert!(is_free(port));
    assert_eq!(watched.info().listen, None);
    let info = watched.apply(|spec| spec.with_listen(port)).await;
    assert_eq!(info.listen, Some(port));
    watched.manager.stop("door").await.unwrap();
    assert!(is_free(port));
}

#[tokio::test]
async fn viewers_keep_their_response_when_the_stream_moves_to_another_port() {
    let camera = Camera::start(live()).await;
    let mut watched = Watched::start(spec("door", camera.addr())).await;
    watched.frame().await;
    let port = free_port();
    watched.apply(|spec| spec.with_listen(port)).await;
    for _ in 0..50 {
        watched.frame().await;
    }
    let _second = Viewer::open(port, "/").await.unwrap();
    assert_eq!(watched.http.viewers("door").len(), 2, "one service");
    watched.apply(|spec| spec.without_listen()).await;
    for _ in 0..50 {
        watched.frame().await;
    }
    assert_eq!(camera.connections(), 1);
}

fn free_port() -> SocketAddr {
    let free = TcpListener::bind(SocketAddr::from(LOOPBACK)).unwrap();
    free.local_addr().unwrap()
}

#[tokio::test]
async fn port_it_has_can_be_named_in_place_of_zero() {
    let camera = Camera::start(live()).await;
    let mut watched = Watched::start(spec("door", camera.addr())).await;
    watched.frame().await;
    let addr = watched.info().listen.unwrap();
    let info = watched.apply(|spec| spec.with_listen(addr)).await;
    assert_eq!(info.listen, Some(addr));
    watched.frame().await;
}

#[tokio::test]
async fn failed_change_changes_nothing() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let camera = Camera::start(live()).await;
    let mut watched = Watched::start(spec("door", camera.addr())).await;
    watched.frame().await;
    let before = watched.info().listen;
    let other: Source = format!("tcp://{}", refused_addr().await).parse().unwrap();
    let passive: Source = "tcp-listen://127.0.0.1:1".parse().unwrap();
    let spec = watched.spec.clone().with_sources([other]);
    for (changed, code) in [
        (
            spec.clone().with_listen(taken.local_addr().unwrap()),
            "port_in_use",
        ),
        (
            spec.clone().with_listen("192.0.2.1:0".parse().unwrap()),
            "invalid_spec",
        ),
        (spec.clone().with_sources([]), "invalid_spec"),
        (spec.clone().with_sources([passive]), "invalid_spec"),
        (spec.clone().with_on_demand(Duration::ZERO), "invalid_spec"),
        (
            spec.with_placeholder(Placeholder::Picture(
                Frame::parse(lossless(&jpeg::numbered(1))).unwrap(),
            )),
            "invalid_spec",
        ),
    ] {
        let error = watched.manager.apply(changed).await.unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        assert_eq!(*watched.manager.spec("door").unwrap(), watched.spec);
        assert_eq!(watched.info().listen, before);
    }
    for _ in 0..20 {
        watched.frame().await;
    }
    assert_eq!(camera.connections(), 1);
    let nowhere = StreamSpec::parse("gate", &camera.url()).unwrap();
    let error = watched.manager.apply(nowhere).await.unwrap_err();
    assert_eq!(error.code(), "not_found");
}

#[tokio::test]
async fn same_spec_again_is_no_change() {
    let camera = Camera::start(live()).await;
    let manager = manager();
    let spec = spec("door", camera.addr());
    let listen = manager.start(spec.clone()).await.unwrap().listen;
    let mut events = manager.events();
    let info = manager.apply(spec).await.unwrap();
    assert_eq!(info.listen, listen);
    manager.stop("door").await.unwrap();
    let mut changes = Vec::new();
    while changes.last() != Some(&Change::Stopped) {
        changes.push(soon(events.next()).await.unwrap().change);
    }
    assert!(!changes.contains(&Change::Reconfigured), "{changes:?}");
}

#[tokio::test]
async fn paused_stream_stays_paused_through_a_change_of_its_sources() {
    let (first, second) = (Camera::start(live()).await, Camera::start(live()).await);
    let mut watched = Watched::start(spec("door", first.addr())).await;
    watched.frame().await;
    watched.manager.pause("door").unwrap();
    let manager = watched.manager.clone();
    let paused = |state: &StreamState| *state == StreamState::Paused;
    soon(manager.wait_for("door", paused)).await.unwrap();
    let other: Source = second.url().parse().unwrap();
    watched.apply(|spec| spec.with_sources([other])).await;
    soon(manager.wait_for("door", paused)).await.unwrap();
    manager.resume("door").unwrap();
    soon(manager.wait_for("door", |state| *state == StreamState::Online))
        .await
        .unwrap();
    watched.frame().await;
    assert_eq!((first.connections(), second.connections()), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_at_once_are_applied_one_after_the_other() {
    let camera = Camera::start(live()).await;
    let manager = manager();
    let spec = spec("door", camera.addr());
    manager.start(spec.clone()).await.unwrap();
    let changes = (0..10).map(|n| {
        let (manager, port) = (manager.clone(), free_port());
        let spec = spec
            .clone()
            .with_listen(port)
            .with_placeholder_after(Duration::from_secs(n));
        tokio::spawn(async move { manager.apply(spec).await.map(drop) })
    });
    for change in changes.collect::<Vec<_>>() {
        soon(change).await.unwrap().unwrap();
    }
    let (info, spec) = (manager.get("door").unwrap(), manager.spec("door").unwrap());
    assert_eq!(info.listen, spec.listen());
    manager.stop("door").await.unwrap();
    assert!(is_free(info.listen.unwrap()));
}

#[tokio::test]
async fn camera_without_frames_yet_takes_a_change_too() {
    let camera = Camera::start(Script::new(vec![Step::Stall])).await;
    let manager = manager();
    let spec = spec("door", camera.addr());
    manager.start(spec.clone()).await.unwrap();
    manager.apply(spec.with_check(true)).await.unwrap();
    manager.stop("door").await.unwrap();
}
