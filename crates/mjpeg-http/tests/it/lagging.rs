//! Viewers that do not keep up: what they cost, and when they are cut.

use std::time::{Duration, SystemTime};

use mjpeg_codec::{Frame, Stamp};
use mjpeg_fanout::Producer;
use mjpeg_http::StreamConfig;
use mjpeg_testkit::{Viewer, jpeg};
use tokio::{
    io::AsyncReadExt,
    net::{TcpSocket, TcpStream},
    time::{Instant, sleep},
};

use crate::{Served, publish, publish_number};

pub(crate) const LARGE: usize = 300_000;

/// Publishes large frames, ten per second, forever.
pub(crate) async fn camera(producer: &Producer) {
    let frame = jpeg::of_length(1, LARGE);
    loop {
        publish(producer, frame.clone());
        sleep(Duration::from_millis(100)).await;
    }
}

/// A viewer that takes nothing by itself and has a small receive buffer.
pub(crate) async fn stuck(served: &Served, path: &str) -> TcpStream {
    let mut stream = narrow(served).await;
    let asked = format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n");
    tokio::io::AsyncWriteExt::write_all(&mut stream, asked.as_bytes())
        .await
        .unwrap();
    stream
}

/// A connection with a small receive buffer on the viewer's side.
pub(crate) async fn narrow(served: &Served) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(16 << 10).unwrap();
    socket.connect(served.addr).await.unwrap()
}

#[tokio::test]
async fn viewer_that_lags_farther_than_it_asked_for_is_cut() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let served = Served::start(consumer, StreamConfig::default());
    let fast = async {
        let mut viewer = Viewer::open(served.addr, "/?max_lag=2").await.unwrap();
        loop {
            assert!(viewer.next_frame().await.unwrap().is_some(), "keeps up");
        }
    };
    let since = Instant::now();
    let slow = async {
        let _slow = stuck(&served, "/?max_lag=0.3").await;
        let _patient = stuck(&served, "/").await;
        served.until(|stats| stats.lag_cuts == 1).await;
        assert!(since.elapsed() >= Duration::from_millis(300));
        sleep(Duration::from_millis(500)).await;
    };
    tokio::select! {
        () = camera(&producer) => {}
        () = fast => {}
        () = slow => {}
    }
    let stats = served.stats();
    assert_eq!((stats.lag_cuts, stats.viewers), (1, 2), "{stats:?}");
}

#[tokio::test]
async fn newcomer_is_not_cut_for_the_age_of_what_it_finds() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let served = Served::start(consumer, StreamConfig::default());
    publish_number(&producer, 1);
    sleep(Duration::from_millis(300)).await;
    let mut viewer = Viewer::open(served.addr, "/?max_lag=0.1").await.unwrap();
    assert!(
        viewer.next_frame().await.unwrap().is_some(),
        "the old picture"
    );
    publish_number(&producer, 2);
    assert!(
        viewer.next_frame().await.unwrap().is_some(),
        "and the new one"
    );
    // Nor is the age of a placeholder, which is made when a camera goes offline and shown for
    // hours.
    let placeholder = Frame::parse(jpeg::numbered(100)).unwrap();
    let made_at = Instant::now().into_std() - Duration::from_secs(1);
    producer.set_placeholder(placeholder, Stamp::new(SystemTime::now(), made_at));
    producer.show_placeholder();
    assert!(
        viewer.next_frame().await.unwrap().is_some(),
        "the placeholder"
    );
    publish_number(&producer, 3);
    assert!(
        viewer.next_frame().await.unwrap().is_some(),
        "and what comes after"
    );
    assert_eq!(served.stats().lag_cuts, 0);
}

#[tokio::test]
async fn one_frame_may_take_only_so_long() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let limit = Duration::from_millis(600);
    let served = Served::start(
        consumer,
        StreamConfig::default().with_max_frame_send_time(limit),
    );
    publish(&producer, jpeg::of_length(1, 4 * LARGE));
    let mut slow = stuck(&served, "/").await;
    let since = Instant::now();
    // It keeps taking bytes, but few: not stalled, yet too slow.
    let taking = async {
        let mut buffer = [0; 2_000];
        while slow.read(&mut buffer).await.is_ok_and(|n| n > 0) {
            sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::select! {
        () = taking => {}
        () = served.until(|stats| stats.send_timeouts == 1) => {}
    }
    assert!(since.elapsed() >= limit);
    served.until(|stats| stats.viewers == 0).await;
    let stats = served.stats();
    assert_eq!((stats.send_timeouts, stats.write_stalls), (1, 0));
}

/// Each viewer is stuck in a different frame. The memory that they pin together is bounded: those
/// with the oldest frames are cut.
#[tokio::test]
async fn frames_in_flight_are_bounded() {
    let (producer, consumer) = mjpeg_fanout::channel();
    // Room for three frames besides the newest.
    let config = StreamConfig::default().with_max_inflight_bytes(3 * LARGE + LARGE / 2);
    let served = Served::start(consumer, config);
    let mut held = Vec::new();
    for n in 1..=6_u64 {
        publish(&producer, jpeg::of_length(n as u32, LARGE));
        held.push(stuck(&served, "/").await);
        served.until(|stats| stats.parts == n).await;
        let cut = n.saturating_sub(4);
        served.until(|stats| stats.in_flight_cuts == cut).await;
        served.until(|stats| stats.viewers == n - cut).await;
    }
    // The remaining viewers hold the newest frames.
    let ids: Vec<_> = served
        .service
        .viewers()
        .iter()
        .map(|viewer| viewer.id)
        .collect();
    assert_eq!(ids, [3, 4, 5, 6]);
}

/// A frame that many viewers share counts once.
#[tokio::test]
async fn shared_frame_counts_once() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let config = StreamConfig::default().with_max_inflight_bytes(LARGE + LARGE / 2);
    let served = Served::start(consumer, config);
    publish(&producer, jpeg::of_length(1, LARGE));
    let mut held = Vec::new();
    for n in 1..=5 {
        held.push(stuck(&served, "/").await);
        served.until(|stats| stats.parts == n).await;
    }
    publish_number(&producer, 2);
    let mut fast = Viewer::open(served.addr, "/").await.unwrap();
    fast.next_frame().await.unwrap().unwrap();
    let stats = served.stats();
    assert_eq!((stats.in_flight_cuts, stats.viewers), (0, 6), "{stats:?}");
}

#[tokio::test]
async fn viewers_are_told_one_by_one() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let served = Served::start(consumer, StreamConfig::default());
    let mut fast = Viewer::open(served.addr, "/?key=fast").await.unwrap();
    let slow = stuck(&served, "/?key=slow&advance_headers=1").await;
    served.until(|stats| stats.viewers == 2).await;
    let frame = jpeg::of_length(1, LARGE);
    for _ in 0..10 {
        publish(&producer, frame.clone());
        fast.next_frame().await.unwrap().unwrap();
    }
    let viewers = served.service.viewers();
    let of = |key: &str| viewers.iter().find(|viewer| viewer.key == key).unwrap();
    let (fast_info, slow_info) = (of("fast"), of("slow"));
    assert_eq!((fast_info.sent, fast_info.skipped), (10, 0));
    assert!(fast_info.sent_bytes > 10 * LARGE as u64);
    assert!(fast_info.age_at_send.unwrap() < Duration::from_secs(10));
    assert!(fast_info.fps > 0.0, "{fast_info:?}");
    assert_eq!(fast_info.peer.unwrap().ip(), served.addr.ip());
    // It is stuck within the first frames: as many as fit into the kernel's buffers.
    assert!(slow_info.sent < 8, "{slow_info:?}");
    assert_eq!(slow_info.layout, mjpeg_codec::multipart::Layout::Advance);
    assert!(slow_info.id != fast_info.id && slow_info.watching > Duration::ZERO);
    drop(slow);
    served.until(|stats| stats.viewers == 1).await;
    assert_eq!(served.service.viewers().len(), 1);
}

/// The kernel may still send from a frame's memory after newer frames have come, so nothing may be
/// written into it.
#[tokio::test]
async fn slow_viewers_get_the_very_bytes_of_each_frame() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let served = Served::start(consumer, StreamConfig::default());
    let frames: Vec<_> = (0..6).map(|n| jpeg::of_length(n, LARGE)).collect();
    let camera = async {
        for frame in frames.iter().cycle() {
            publish(&producer, frame.clone());
            sleep(Duration::from_millis(30)).await;
        }
    };
    // Enough viewers that frames are sent as pages. Half of them are slow.
    let watch = async |pause_ms: u64| {
        let query = if pause_ms > 0 {
            "/stream?advance_headers=1"
        } else {
            "/stream"
        };
        let mut viewer = Viewer::open(served.addr, query).await.unwrap();
        for _ in 0..15 {
            let frame = viewer.next_frame().await.unwrap().unwrap();
            assert!(
                frames.contains(&frame),
                "a frame that the camera never sent"
            );
            sleep(Duration::from_millis(pause_ms)).await;
        }
    };
    let viewers = futures_util::future::join_all([0, 0, 0, 0, 150, 150, 150, 150].map(watch));
    tokio::select! {
        () = camera => unreachable!("a camera goes on"),
        _ = viewers => {}
    }
    let skipped = served.stats().skipped;
    assert!(skipped > 20, "the slow ones were slow: {skipped}");
}
