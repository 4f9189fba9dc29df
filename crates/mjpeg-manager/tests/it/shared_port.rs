//! Streams that share a port, whether they have one of their own or not.

use std::{net::SocketAddr, time::Duration};

use mjpeg_ingest::Source;
use mjpeg_manager::{
    HttpOutlet, StartMode, StreamSpec,
    mjpeg_http::{Drained, Listener, ListenerConfig, StreamConfig},
};
use mjpeg_testkit::{Camera, Viewer, jpeg, refused_addr};
use tokio::{io::AsyncWriteExt, net::TcpStream, task::JoinHandle};

use crate::support::{config, live, serving_by, soon, spec, until};

/// Serves the streams of the outlet on a port of its own.
fn shared_port(http: &HttpOutlet) -> (SocketAddr, JoinHandle<Drained>) {
    let addr = "127.0.0.1:0".parse().unwrap();
    let listener = Listener::bind(addr, ListenerConfig::default()).unwrap();
    let addr = listener.local_addr().unwrap();
    let serving = listener.serve(http.clone(), std::future::pending());
    (addr, tokio::spawn(serving))
}

/// A stream without a port.
fn portless(name: &str, camera: &Camera) -> StreamSpec {
    StreamSpec::parse(name, &camera.url()).unwrap()
}

async fn status(addr: SocketAddr, path: &str) -> u16 {
    // A viewer, because the answer may be a stream.
    Viewer::open(addr, path).await.unwrap().head().status
}

/// Sees that this many frames in a row skip none.
async fn watch(viewer: &mut Viewer, frames: u32) {
    let mut last = None;
    for _ in 0..frames {
        let frame = soon(viewer.next_frame()).await.unwrap().expect("not ended");
        let number = jpeg::number_of(&frame).unwrap();
        assert!(
            last.is_none_or(|last| number == (last + 1) % 20),
            "{last:?}, {number}"
        );
        last = Some(number);
    }
}

#[tokio::test]
async fn streams_are_watched_on_one_port_with_and_without_one_of_their_own() {
    let (camera, other) = (Camera::start(live()).await, Camera::start(live()).await);
    let http = HttpOutlet::default();
    let manager = serving_by(config(), &http);
    let (addr, serving) = shared_port(&http);
    assert_eq!(status(addr, "/door/").await, 404);
    let door = manager.start(portless("door", &camera)).await.unwrap();
    let yard = manager.start(spec("yard", other.addr())).await.unwrap();
    assert_eq!(door.listen, None);
    let mut viewers = [
        Viewer::open(addr, "/door/").await.unwrap(),
        Viewer::open(addr, "/yard/stream").await.unwrap(),
        Viewer::open(yard.listen.unwrap(), "/").await.unwrap(),
    ];
    for viewer in &mut viewers {
        watch(viewer, 30).await;
    }
    let [door, yard, own] = &mut viewers;
    let names: Vec<String> = http.names().iter().map(ToString::to_string).collect();
    assert_eq!(names, ["door", "yard"]);
    assert_eq!(http.total_viewers(), 3);
    let viewers = |stream| {
        (
            http.viewers(stream).len(),
            http.stats(stream).unwrap().viewers,
        )
    };
    assert_eq!((viewers("door"), viewers("yard")), ((1, 1), (2, 2)));
    assert!(http.listener_stats("door").is_none());
    assert_eq!(http.listener_stats("yard").unwrap().connections, 1);

    // A port of its own comes and goes without a word to those on the shared one.
    let with_port = portless("door", &camera).with_listen(([127, 0, 0, 1], 0).into());
    let moved = manager.apply(with_port).await.unwrap();
    assert_eq!(status(moved.listen.unwrap(), "/snapshot").await, 200);
    manager.apply(portless("door", &camera)).await.unwrap();
    assert!(TcpStream::connect(moved.listen.unwrap()).await.is_err());
    watch(door, 30).await;

    manager.stop("door").await.unwrap();
    while soon(door.next_frame()).await.unwrap().is_some() {}
    assert_eq!(status(addr, "/door/").await, 404);
    for viewer in [yard, own] {
        // It was not read meanwhile, so that it begins anywhere.
        soon(viewer.next_frame()).await.unwrap().unwrap();
    }
    serving.abort();
}

#[tokio::test]
async fn stream_is_served_as_it_is_configured_until_it_is_stopped() {
    let camera = Camera::start(live()).await;
    let http = HttpOutlet::default();
    let manager = serving_by(config(), &http);
    let (addr, serving) = shared_port(&http);
    let nobody = || StreamConfig::default().with_max_viewers(0);
    let name = "door".parse().unwrap();
    http.configure(&name, nobody());
    assert!(http.names().is_empty() && http.service("door").is_none());
    manager.start(portless("door", &camera)).await.unwrap();
    manager.start(portless("yard", &camera)).await.unwrap();
    assert_eq!(status(addr, "/door/").await, 503);
    let mut yard = Viewer::open(addr, "/yard/").await.unwrap();
    soon(yard.next_frame()).await.unwrap().unwrap();

    http.configure(&name, StreamConfig::default());
    let mut door = Viewer::open(addr, "/door/").await.unwrap();
    soon(door.next_frame()).await.unwrap().unwrap();
    // The limit on all streams holds for both.
    assert_eq!(http.total_viewers(), 2);

    http.configure(&name, nobody());
    assert_eq!(status(addr, "/door/").await, 503);
    soon(door.next_frame())
        .await
        .unwrap()
        .expect("whoever watches stays");
    manager.stop("door").await.unwrap();
    manager.start(portless("door", &camera)).await.unwrap();
    let mut door = Viewer::open(addr, "/door/").await.unwrap();
    soon(door.next_frame())
        .await
        .unwrap()
        .expect("the configuration is forgotten");
    serving.abort();
}

#[tokio::test]
async fn configuration_of_a_failed_start_is_forgotten() {
    let camera = Camera::start(live()).await;
    let http = HttpOutlet::default();
    let manager = serving_by(config(), &http);
    let name = "door".parse().unwrap();
    http.configure(&name, StreamConfig::default().with_max_viewers(0));
    let dead = refused_addr().await;
    let dead = Source::tcp(&dead.ip().to_string(), dead.port());
    let required = portless("door", &camera).with_mode(StartMode::Require);
    manager
        .start(required.with_sources([dead]))
        .await
        .unwrap_err();
    manager.start(portless("door", &camera)).await.unwrap();
    let config = http.service("door").unwrap().config();
    assert_eq!(config.max_viewers(), StreamConfig::default().max_viewers());
}

/// What is cut at the end is counted, though viewers of another port are connections too.
#[tokio::test]
async fn connections_that_are_cut_are_counted_beside_viewers_of_the_shared_port() {
    let camera = Camera::start(live()).await;
    let http = HttpOutlet::default();
    let grace = Duration::from_millis(300);
    let manager = serving_by(config().with_shutdown_grace(grace), &http);
    let (addr, serving) = shared_port(&http);
    let door = manager.start(spec("door", camera.addr())).await.unwrap();
    let mut viewers = Vec::new();
    for _ in 0..3 {
        let mut viewer = Viewer::open(addr, "/door/").await.unwrap();
        soon(viewer.next_frame()).await.unwrap().unwrap();
        viewers.push(viewer);
    }
    // Snapshots that wait for a picture longer than the grace.
    camera.shutdown().await;
    let mut waiting = Vec::new();
    for _ in 0..2 {
        let mut client = TcpStream::connect(door.listen.unwrap()).await.unwrap();
        let asked = b"GET /snapshot?fresh=1&wait=30 HTTP/1.1\r\nHost: x\r\n\r\n";
        client.write_all(asked).await.unwrap();
        waiting.push(client);
    }
    until("the requests", async || {
        http.stats("door").unwrap().snapshots == 2
    })
    .await;
    let report = manager.shutdown().await;
    let cut: Vec<usize> = report.cut.iter().map(|cut| cut.connections).collect();
    assert_eq!(cut, [2]);
    serving.abort();
}
