//! Snapshots and other answers obey the limits of streams.

use std::time::Duration;

use mjpeg_http::{StreamConfig, ViewerLimit};
use mjpeg_testkit::{Viewer, jpeg, request};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::sleep,
};

use crate::{
    Served,
    lagging::{LARGE, narrow, stuck},
    publish, publish_number,
    raw::RawClient,
};

const SHORT: Duration = Duration::from_millis(400);
const SNAPSHOT: &str = "GET /snapshot HTTP/1.1\r\nHost: x\r\n\r\n";

/// Takes few bytes at a time until it is cut.
async fn sip(mut stream: TcpStream) {
    let mut buffer = [0; 2_000];
    while stream.read(&mut buffer).await.is_ok_and(|n| n > 0) {
        sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn client_that_takes_nothing_of_a_snapshot_is_cut() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let served = Served::start(consumer, StreamConfig::default().with_write_stall(SHORT));
    producer.set_status(mjpeg_fanout::Status::Online);
    publish(&producer, jpeg::of_length(1, 4 * LARGE));
    let mut stuck = stuck(&served, "/snapshot").await;
    served
        .until(|stats| stats.write_stalls == 1 && stats.listener.connections == 0)
        .await;
    let stats = served.stats();
    assert_eq!((stats.send_timeouts, stats.listener.write_stalls), (0, 0));
    let cut = stuck.read_to_end(&mut Vec::new()).await.unwrap_err();
    assert_eq!(cut.kind(), std::io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn snapshot_may_take_only_so_long() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let config = StreamConfig::default().with_max_frame_send_time(SHORT);
    let served = Served::start(consumer, config);
    producer.set_status(mjpeg_fanout::Status::Online);
    publish(&producer, jpeg::of_length(1, 4 * LARGE));
    for (nth, before) in (1..).zip(["", "GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n"]) {
        let mut slow = narrow(&served).await;
        slow.write_all(format!("{before}{SNAPSHOT}").as_bytes())
            .await
            .unwrap();
        tokio::select! {
            () = sip(slow) => {}
            () = served.until(|stats| stats.send_timeouts == nth) => {}
        }
        served
            .until(|stats| stats.send_timeouts == nth && stats.listener.connections == 0)
            .await;
    }
    assert_eq!(served.stats().write_stalls, 0);
}

/// Each client is stuck in a different picture. The memory that they pin together is bounded.
#[tokio::test]
async fn pictures_of_snapshots_are_in_flight() {
    let (producer, consumer) = mjpeg_fanout::channel();
    // Room for three pictures besides the newest.
    let config = StreamConfig::default().with_max_inflight_bytes(3 * LARGE + LARGE / 2);
    let served = Served::start(consumer, config);
    producer.set_status(mjpeg_fanout::Status::Online);
    let mut held = Vec::new();
    for n in 1..=6_u64 {
        publish(&producer, jpeg::of_length(n as u32, LARGE));
        held.push(stuck(&served, "/snapshot").await);
        served.until(|stats| stats.snapshots == n).await;
        let cut = n.saturating_sub(4);
        served
            .until(|stats| stats.in_flight_cuts == cut && stats.listener.connections == n - cut)
            .await;
    }
    // Streams and snapshots are in one account.
    publish(&producer, jpeg::of_length(7, LARGE));
    let _viewer = stuck(&served, "/").await;
    served
        .until(|stats| stats.in_flight_cuts == 3 && stats.listener.connections == 4)
        .await;
}

/// The same picture counts once, however many clients hold it.
#[tokio::test]
async fn shared_picture_counts_once() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let config = StreamConfig::default().with_max_inflight_bytes(LARGE + LARGE / 2);
    let served = Served::start(consumer, config);
    producer.set_status(mjpeg_fanout::Status::Online);
    publish(&producer, jpeg::of_length(1, LARGE));
    let mut held = vec![stuck(&served, "/").await];
    for n in 1..=5 {
        held.push(stuck(&served, "/snapshot").await);
        served.until(|stats| stats.snapshots == n).await;
    }
    publish_number(&producer, 2);
    let mut fast = Viewer::open(served.addr, "/").await.unwrap();
    fast.next_frame().await.unwrap().unwrap();
    let stats = served.stats();
    assert_eq!((stats.in_flight_cuts, stats.listener.connections), (0, 7));
}

#[tokio::test]
async fn only_so_many_snapshots_may_be_on_their_way() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let served = Served::start(consumer, StreamConfig::default().with_max_snapshots(2));
    producer.set_status(mjpeg_fanout::Status::Online);
    publish_number(&producer, 1);
    let connect = async || RawClient::new(TcpStream::connect(served.addr).await.unwrap());
    let mut waiting = [connect().await, connect().await];
    for (nth, client) in (1..).zip(&mut waiting) {
        client.get("/snapshot?fresh=1&wait=20", "").await;
        served.until(|stats| stats.snapshots == nth).await;
    }
    let once = "GET /snapshot HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let refused = request(served.addr, once).await.unwrap();
    assert_eq!(refused.head.status, 503);
    assert_eq!(refused.head.header("retry-after"), Some("5"));
    let reason = str::from_utf8(&refused.body).unwrap();
    assert!(reason.contains("may have 2 on their way"), "{reason}");
    publish_number(&producer, 2);
    for client in &mut waiting {
        assert_eq!(client.answer().await.1, jpeg::numbered(2));
        // The places are given back as soon as the pictures are out.
        for _ in 0..5 {
            client.get("/snapshot", "").await;
            assert!(client.answer().await.0.starts_with("HTTP/1.1 200"));
        }
    }
    assert_eq!(served.stats().snapshots_refused, 1);
}

#[tokio::test]
async fn snapshots_of_all_streams_have_a_limit_together() {
    let limit = ViewerLimit::new(0);
    limit.set_max_snapshots(2);
    let stream = || {
        let (producer, consumer) = mjpeg_fanout::channel();
        producer.set_status(mjpeg_fanout::Status::Online);
        publish_number(&producer, 1);
        let config = StreamConfig::default().with_viewer_limit(limit.clone());
        (producer, Served::start(consumer, config))
    };
    let streams = [stream(), stream()];
    let mut waiting = Vec::new();
    for (_, served) in &streams {
        let mut client = RawClient::new(TcpStream::connect(served.addr).await.unwrap());
        client.get("/snapshot?fresh=1&wait=20", "").await;
        served.until(|stats| stats.snapshots == 1).await;
        waiting.push(client);
    }
    let once = "GET /snapshot HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    for (_, served) in &streams {
        let refused = request(served.addr, once).await.unwrap();
        assert_eq!(refused.head.status, 503);
        let reason = str::from_utf8(&refused.body).unwrap();
        assert!(
            reason.contains("all streams together may have 2"),
            "{reason}"
        );
        let stats = served.stats();
        assert_eq!(
            (stats.snapshots_refused_total, stats.snapshots_refused),
            (1, 0)
        );
    }
    assert_eq!((limit.snapshots(), limit.snapshots_refused()), (2, 2));
    // A place that is given back is there for every stream.
    publish_number(&streams[0].0, 2);
    assert_eq!(waiting[0].answer().await.1, jpeg::numbered(2));
    while limit.snapshots() > 1 {
        sleep(Duration::from_millis(5)).await;
    }
    let admitted = request(streams[1].1.addr, once).await.unwrap();
    assert_eq!(admitted.head.status, 200);
}

/// Reports of two clients that do not read fit, those of three do not.
#[cfg(feature = "compat")]
#[tokio::test]
async fn texts_on_their_way_have_a_limit() {
    const STATE: &str = "GET /state HTTP/1.1\r\nHost: x\r\n\r\n";
    let (_producer, consumer) = mjpeg_fanout::channel();
    let served = Served::start(consumer, StreamConfig::default());
    let once = "GET /state HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let bytes = request(served.addr, once).await.unwrap().body.len();
    let config = StreamConfig::default().with_max_inflight_bytes(2 * bytes + bytes / 2);
    served.service.configure(config);
    // Asks until its buffers are full, so that it is stuck within an answer.
    let ask = async || {
        let mut client = narrow(&served).await;
        let asked = STATE.repeat(1000);
        while let Ok(outcome) =
            tokio::time::timeout(SHORT, client.write_all(asked.as_bytes())).await
        {
            if outcome.is_err() {
                break;
            }
        }
        client
    };
    let _two = tokio::join!(ask(), ask());
    served.until(|stats| stats.listener.connections == 2).await;
    assert_eq!(served.stats().in_flight_cuts, 0);
    let _third = ask().await;
    served
        .until(|stats| stats.in_flight_cuts == 1 && stats.listener.connections == 2)
        .await;
}

/// However many a client asks for without reading, one is on its way.
#[tokio::test]
async fn requests_in_a_row_are_answered_one_at_a_time() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let config = StreamConfig::default()
        .with_write_stall(SHORT)
        .with_max_snapshots(1);
    let served = Served::start(consumer, config);
    producer.set_status(mjpeg_fanout::Status::Online);
    publish(&producer, jpeg::of_length(1, 4 * LARGE));
    let mut client = narrow(&served).await;
    client
        .write_all(SNAPSHOT.repeat(100).as_bytes())
        .await
        .unwrap();
    served
        .until(|stats| stats.write_stalls == 1 && stats.listener.connections == 0)
        .await;
    let stats = served.stats();
    assert_eq!((stats.snapshots, stats.snapshots_refused), (1, 0));
}

/// Short answers have the same limits: so many of them that the client's buffers are full.
#[tokio::test]
async fn client_that_takes_no_errors_is_cut() {
    let (_producer, consumer) = mjpeg_fanout::channel();
    let served = Served::start(consumer, StreamConfig::default().with_write_stall(SHORT));
    let mut client = narrow(&served).await;
    let asked = "GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n".repeat(1000);
    let asking = async {
        while client.write_all(asked.as_bytes()).await.is_ok() {}
        std::future::pending().await
    };
    tokio::select! {
        () = asking => {}
        () = served.until(|stats| stats.write_stalls == 1) => {}
    }
    served.until(|stats| stats.listener.connections == 0).await;
    assert_eq!(served.stats().listener.write_stalls, 0);
}
