//! Limits over all streams, and their counters.

use mjpeg_ingest::IngestConfig;
use mjpeg_manager::{HttpOutlet, StartMode, mjpeg_codec::SplitterConfig, mjpeg_http::StreamConfig};
use mjpeg_testkit::{Camera, Script, Step, Viewer, jpeg, request};

use crate::support::{config, live, serving, serving_by, spec, until};

#[tokio::test]
async fn one_stream_more_than_there_may_be_is_refused() {
    let camera = Camera::start(live()).await;
    let manager = serving(config().with_max_streams(2));
    for name in ["a", "b"] {
        manager.start(spec(name, camera.addr())).await.unwrap();
    }
    let third = || spec("c", camera.addr());
    let error = manager.start(third()).await.unwrap_err();
    assert_eq!(
        (error.code(), &*error.to_string()),
        (
            "too_many_streams",
            "there are 2 streams, and there may be no more"
        )
    );
    // For a name that is taken, that is the error, not the limit.
    let again = manager.start(spec("a", camera.addr())).await.unwrap_err();
    assert_eq!(again.code(), "already_exists");
    let stats = manager.stats();
    assert_eq!((stats.streams, stats.streams_refused), (2, 1));
    camera.wait_connections(2).await;
    assert_eq!(camera.connections(), 2, "the camera was not bothered");
    manager.stop("a").await.unwrap();
    manager.start(third()).await.unwrap();
    assert_eq!(manager.stats().streams, 2);
}

/// A stream that is being started counts towards the limit.
#[tokio::test]
async fn starts_in_progress_count() {
    let camera = Camera::start(live()).await;
    let manager = serving(config().with_max_streams(1));
    let start = |name: &str| manager.start(spec(name, camera.addr()).with_mode(StartMode::Require));
    let (first, second) = tokio::join!(start("a"), start("b"));
    first.unwrap();
    assert_eq!(second.unwrap_err().code(), "too_many_streams");
}

#[tokio::test]
async fn viewers_of_all_streams_have_a_limit_together() {
    let camera = Camera::start(live()).await;
    let http = HttpOutlet::new(StreamConfig::default().with_max_viewers(2)).with_max_viewers(3);
    let manager = serving_by(config(), &http);
    let mut addrs = Vec::new();
    for name in ["a", "b"] {
        let info = manager.start(spec(name, camera.addr())).await.unwrap();
        addrs.push(info.listen.unwrap());
    }
    let mut viewers = Vec::new();
    for (stream, status) in [(0, 200), (0, 200), (0, 503), (1, 200), (1, 503)] {
        let viewer = Viewer::open(addrs[stream], "/").await.unwrap();
        assert_eq!(viewer.head().status, status, "stream {stream}");
        viewers.push(viewer);
    }
    assert_eq!((http.total_viewers(), http.viewers_refused()), (3, 1));
    let refused = |name| {
        let stats = http.stats(name).unwrap();
        (stats.viewers_refused_stream, stats.viewers_refused_total)
    };
    assert_eq!((refused("a"), refused("b")), ((1, 0), (0, 1)));
    // The viewers of a stream that ends no longer count.
    manager.stop("a").await.unwrap();
    assert_eq!(http.total_viewers(), 1);
    let viewer = Viewer::open(addrs[1], "/").await.unwrap();
    assert_eq!(viewer.head().status, 200);
}

#[tokio::test]
async fn snapshots_of_all_streams_have_a_limit_together() {
    let camera = Camera::start(live()).await;
    let http = HttpOutlet::default().with_max_snapshots(0);
    assert_eq!(HttpOutlet::default().max_snapshots(), 2000);
    let manager = serving_by(config(), &http);
    let info = manager.start(spec("door", camera.addr())).await.unwrap();
    let asked = "GET /snapshot HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let refused = request(info.listen.unwrap(), asked).await.unwrap();
    assert_eq!(refused.head.status, 503);
    assert_eq!(http.snapshots_refused(), 1);
    assert_eq!(http.stats("door").unwrap().snapshots_refused_total, 1);
}

#[tokio::test]
async fn frame_over_the_limit_is_counted() {
    let (fits, large) = (jpeg::of_length(1, 20_000), jpeg::of_length(2, 60_000));
    let stream = [&fits[..], &large, &fits].concat();
    let camera = Camera::start(Script::new(vec![Step::Send(stream.into()), Step::Stall])).await;
    let splitter = SplitterConfig::default().with_max_frame_bytes(50_000);
    let manager = serving(config().with_ingest(IngestConfig::default().with_splitter(splitter)));
    manager.start(spec("door", camera.addr())).await.unwrap();
    until("both that fit", async || {
        manager.get("door").unwrap().frames == 2
    })
    .await;
    let too_large = manager.get("door").unwrap().discarded["too_large"];
    assert_eq!((too_large.count, too_large.bytes), (1, large.len() as u64));
}
