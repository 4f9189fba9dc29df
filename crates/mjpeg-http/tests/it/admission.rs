//! Which viewers are admitted when the stream is full. All connections here come from loopback,
//! which many people may share; other addresses are tested in `addresses.rs`.

use std::time::Duration;

use http::Request;
use http_body_util::BodyExt;
use hyper::service::Service;
use mjpeg_http::{StreamConfig, StreamService, ViewerLimit};
use mjpeg_testkit::{Response, Viewer, jpeg, request};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, timeout},
};

use crate::{
    Served, assert_next,
    lagging::{LARGE, camera, narrow, stuck},
    publish, publish_number,
};

async fn ask(served: &Served, path: &str) -> Response {
    let asked = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    // A stream would not end.
    let answer = timeout(Duration::from_secs(30), request(served.addr, asked));
    answer.await.expect("an answer that ends").unwrap()
}

fn assert_refused(response: &Response, reason: &str) {
    let head = &response.head;
    assert_eq!(head.status, 503, "{}", head.status_line);
    assert_eq!(head.header("Retry-After"), Some("5"));
    assert_eq!(head.header("Access-Control-Allow-Origin"), Some("*"));
    let content_type = head.header("Content-Type");
    assert_eq!(content_type, Some("text/plain; charset=utf-8"));
    let text = str::from_utf8(&response.body).unwrap();
    assert_eq!(text, reason);
}

#[tokio::test]
async fn one_more_than_the_stream_may_have_is_refused_and_the_others_lose_nothing() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let served = Served::start(consumer, StreamConfig::default().with_max_viewers(2));
    publish_number(&producer, 0);
    let mut first = Viewer::open(served.addr, "/").await.unwrap();
    let mut second = Viewer::open(served.addr, "/").await.unwrap();
    for viewer in [&mut first, &mut second] {
        viewer.next_frame().await.unwrap().unwrap();
    }
    let reason = "Too many viewers: this stream may have 2. Try again later.\n";
    for number in 1..=20 {
        assert_refused(&ask(&served, "/").await, reason);
        publish_number(&producer, number);
        for viewer in [&mut first, &mut second] {
            assert_next(viewer, number).await;
        }
    }
    let stats = served.stats();
    assert_eq!((stats.viewers, stats.viewers_refused_stream), (2, 20));
    let others = (stats.viewers_refused_total, stats.viewers_refused_address);
    assert_eq!((others, stats.viewers_replaced), ((0, 0), 0), "{stats:?}");
    drop(second);
    served.until(|stats| stats.viewers == 1).await;
    let third = Viewer::open(served.addr, "/").await.unwrap();
    assert_eq!(third.head().status, 200, "a place is free again");
}

#[tokio::test]
async fn pictures_and_heads_are_no_viewers() {
    let (producer, consumer) = mjpeg_fanout::channel();
    producer.set_status(mjpeg_fanout::Status::Online);
    publish_number(&producer, 1);
    let served = Served::start(consumer, StreamConfig::default().with_max_viewers(0));
    assert_eq!(ask(&served, "/stream").await.head.status, 503);
    assert_eq!(ask(&served, "/snapshot").await.head.status, 200);
    let head = "HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let head = request(served.addr, head).await.unwrap();
    assert_eq!(head.head.status, 200);
    assert_eq!(served.stats().viewers_refused_stream, 1);
}

#[tokio::test]
async fn streams_share_a_total() {
    let limit = ViewerLimit::new(3);
    let (_producers, consumers): (Vec<_>, Vec<_>) = (0..2).map(|_| mjpeg_fanout::channel()).unzip();
    let served: Vec<_> = consumers
        .into_iter()
        .map(|consumer| {
            let config = StreamConfig::default().with_viewer_limit(limit.clone());
            Served::start(consumer, config)
        })
        .collect();
    let mut viewers = Vec::new();
    for stream in [0, 1, 0] {
        let viewer = Viewer::open(served[stream].addr, "/").await.unwrap();
        assert_eq!(viewer.head().status, 200);
        viewers.push(viewer);
    }
    let reason = "Too many viewers: all streams together may have 3. Try again later.\n";
    for stream in &served {
        assert_refused(&ask(stream, "/").await, reason);
        assert_eq!(stream.service.stats().viewers_refused_total, 1);
    }
    assert_eq!((limit.viewers(), limit.refused()), (3, 2));
    drop(viewers.remove(0));
    served[0].until(|stats| stats.viewers == 1).await;
    assert_eq!(limit.viewers(), 2);
    let viewer = Viewer::open(served[1].addr, "/").await.unwrap();
    assert_eq!(viewer.head().status, 200, "the place of the other stream");
    drop((viewer, viewers));
    for stream in served {
        stream.until(|stats| stats.viewers == 0).await;
        stream.stop().await;
    }
    assert_eq!(limit.viewers(), 0, "every place was given back");
}

#[tokio::test]
async fn loopback_does_not_count_per_address() {
    let (_producer, consumer) = mjpeg_fanout::channel();
    let config = StreamConfig::default().with_max_viewers_per_address(1);
    let served = Served::start(consumer, config);
    let mut viewers = Vec::new();
    for _ in 0..5 {
        let viewer = Viewer::open(served.addr, "/").await.unwrap();
        assert_eq!(viewer.head().status, 200);
        viewers.push(viewer);
    }
    served.until(|stats| stats.viewers == 5).await;
    assert_eq!(served.stats().viewers_replaced, 0);
}

/// Opens streams until one is admitted.
async fn get_in(served: &Served) -> Viewer {
    loop {
        let viewer = Viewer::open(served.addr, "/").await.unwrap();
        match viewer.head().status {
            200 => return viewer,
            503 => sleep(Duration::from_millis(100)).await,
            _ => panic!("{}", viewer.head().status_line),
        }
    }
}

/// Behind one proxy, only a dead viewer is replaced by another.
#[tokio::test]
async fn dead_viewer_gives_its_place_to_another_behind_the_same_proxy() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let served = Served::start(consumer, StreamConfig::default().with_max_viewers(2));
    let mut dead = stuck(&served, "/").await;
    served.until(|stats| stats.viewers == 1).await;
    let mut lively = Viewer::open(served.addr, "/").await.unwrap();
    let watch = async {
        loop {
            lively.next_frame().await.unwrap().expect("not ended");
        }
    };
    let come = async {
        let newcomer = timeout(Duration::from_secs(60), get_in(&served)).await;
        newcomer.expect("the dead viewer was never replaced")
    };
    let newcomer = tokio::select! {
        () = camera(&producer) => unreachable!("a camera goes on"),
        () = watch => unreachable!("it goes on"),
        newcomer = come => newcomer,
    };
    served.until(|stats| stats.viewers == 2).await;
    let stats = served.stats();
    assert_eq!((stats.viewers_replaced, stats.write_stalls), (1, 0));
    assert!(stats.viewers_refused_stream > 0, "not before it was dead");
    let cut = dead.read_to_end(&mut Vec::new()).await.unwrap_err();
    assert_eq!(cut.kind(), std::io::ErrorKind::ConnectionReset);
    drop(newcomer);
}

/// The limits also hold for a stream that is not the first request of its connection.
#[tokio::test]
async fn frame_may_take_only_so_long_after_another_request_too() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let limit = Duration::from_millis(600);
    let served = Served::start(
        consumer,
        StreamConfig::default().with_max_frame_send_time(limit),
    );
    publish(&producer, jpeg::of_length(1, 4 * LARGE));
    let mut slow = after_a_request(&served).await;
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
    served
        .until(|stats| stats.viewers == 0 && stats.listener.connections == 0)
        .await;
    let stats = served.stats();
    assert_eq!((stats.send_timeouts, stats.write_stalls), (1, 0));
}

#[tokio::test]
async fn frames_in_flight_are_bounded_after_another_request_too() {
    let (producer, consumer) = mjpeg_fanout::channel();
    // Room for one frame besides the newest.
    let config = StreamConfig::default().with_max_inflight_bytes(LARGE + LARGE / 2);
    let served = Served::start(consumer, config);
    let mut held = Vec::new();
    for n in 1..=4_u64 {
        publish(&producer, jpeg::of_length(n as u32, LARGE));
        held.push(after_a_request(&served).await);
        served.until(|stats| stats.parts == n).await;
        let cut = n.saturating_sub(2);
        served.until(|stats| stats.in_flight_cuts == cut).await;
        served.until(|stats| stats.viewers == n - cut).await;
    }
}

/// A viewer that made another request on the same connection first, and takes nothing.
async fn after_a_request(served: &Served) -> TcpStream {
    let mut stream = narrow(served).await;
    let nothing = b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n";
    stream.write_all(nothing).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"/snapshot\n") {
        assert!(stream.read_buf(&mut answer).await.unwrap() > 0);
    }
    let asked = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    stream.write_all(asked).await.unwrap();
    stream
}

/// In a foreign server, addresses are unknown, but the limit of the stream holds.
#[tokio::test(start_paused = true)]
async fn embedded_streams_have_a_limit_too() {
    let (producer, consumer) = mjpeg_fanout::channel();
    publish_number(&producer, 1);
    let limit = ViewerLimit::new(2);
    let config = StreamConfig::default()
        .with_max_viewers_per_address(1)
        .with_viewer_limit(limit.clone());
    let service = StreamService::new(consumer, config);
    let open = async || {
        let asked = Request::get("/stream").body(()).unwrap();
        service.call(asked).await.unwrap()
    };
    let (first, second) = (open().await, open().await);
    assert_eq!(
        (first.status().as_u16(), second.status().as_u16()),
        (200, 200)
    );
    let third = open().await;
    assert_eq!(third.status().as_u16(), 503);
    let reason = third.into_body().collect().await.unwrap().to_bytes();
    assert!(reason.starts_with(b"Too many viewers: all streams together"));
    let stats = service.stats();
    assert_eq!(
        (stats.viewers_refused_total, stats.viewers_replaced),
        (1, 0)
    );
    drop(first);
    assert_eq!(open().await.status().as_u16(), 200);
    drop(second);
    assert_eq!(limit.viewers(), 0);
}
