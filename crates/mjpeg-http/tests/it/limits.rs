//! Limits: what reaches them, and that each case is counted.

use std::time::Duration;

use mjpeg_http::{BindError, InvalidConfig, ListenAddress, Listener, ListenerConfig, StreamConfig};
use mjpeg_testkit::{Viewer, jpeg};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, sleep, timeout},
};

use crate::{Served, publish, publish_number};

const SHORT: Duration = Duration::from_millis(400);

#[tokio::test]
async fn idle_connection_is_closed_after_the_header_timeout() {
    let (_producer, consumer) = mjpeg_fanout::channel();
    let served = Served::start_on(
        consumer,
        StreamConfig::default(),
        ListenerConfig::default().with_header_timeout(SHORT),
    );
    let since = Instant::now();
    let mut stream = TcpStream::connect(served.addr).await.unwrap();
    assert_eq!(stream.read(&mut [0; 100]).await.unwrap(), 0);
    assert!(since.elapsed() >= SHORT);
    served
        .until(|stats| stats.listener.header_timeouts == 1 && stats.listener.connections == 0)
        .await;
}

#[tokio::test]
async fn dripping_head_is_closed_after_the_header_timeout() {
    let (_producer, consumer) = mjpeg_fanout::channel();
    let served = Served::start_on(
        consumer,
        StreamConfig::default(),
        ListenerConfig::default().with_header_timeout(SHORT),
    );
    let mut stream = TcpStream::connect(served.addr).await.unwrap();
    let (mut reader, mut writer) = stream.split();
    let drip = async {
        for byte in
            b"GET / HTTP/1.1\r\nX-Long: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                .iter()
                .cycle()
        {
            if writer.write_all(&[*byte]).await.is_err() {
                break;
            }
            sleep(Duration::from_millis(20)).await;
        }
    };
    let mut rest = Vec::new();
    tokio::select! {
        () = drip => {}
        _ = reader.read_to_end(&mut rest) => {}
    }
    served
        .until(|stats| stats.listener.header_timeouts == 1 && stats.listener.connections == 0)
        .await;
}

#[tokio::test]
async fn kept_alive_connection_is_closed_when_idle() {
    let (_producer, consumer) = mjpeg_fanout::channel();
    let served = Served::start_on(
        consumer,
        StreamConfig::default(),
        ListenerConfig::default().with_header_timeout(SHORT),
    );
    let mut stream = TcpStream::connect(served.addr).await.unwrap();
    stream
        .write_all(b"GET /nothing HTTP/1.1\r\nHost: test\r\n\r\n")
        .await
        .unwrap();
    let mut answer = Vec::new();
    timeout(Duration::from_secs(5), stream.read_to_end(&mut answer))
        .await
        .expect("closed")
        .unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 404 Not Found"));
}

#[tokio::test]
async fn head_over_the_limit_is_refused_and_counted() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let too_few = ListenerConfig::default().with_max_header_bytes((8 << 10) - 1);
    assert!(matches!(too_few, Err(InvalidConfig::MaxHeaderBytes { least }) if least == 8 << 10));
    let listener = ListenerConfig::default().with_max_header_bytes(8 << 10);
    let served = Served::start_on(consumer, StreamConfig::default(), listener.unwrap());
    publish_number(&producer, 1);
    let padded = |n: usize| format!("/?{}", "x".repeat(n));
    let fits = Viewer::open(served.addr, &padded(7 << 10)).await.unwrap();
    assert_eq!(fits.head().status, 200);
    let too_large = Viewer::open(served.addr, &padded(9 << 10)).await.unwrap();
    assert!(
        matches!(too_large.head().status, 414 | 431),
        "{}",
        too_large.head().status_line
    );
    served.until(|stats| stats.listener.bad_requests == 1).await;
}

#[tokio::test]
async fn what_is_not_http_is_closed_and_counted() {
    let (_producer, consumer) = mjpeg_fanout::channel();
    let served = Served::start(consumer, StreamConfig::default());
    let mut stream = TcpStream::connect(served.addr).await.unwrap();
    stream
        .write_all(b"\x16\x03\x01\x02\x00\x01\x00\x01\xFC\r\n\r\n")
        .await
        .unwrap();
    let mut answer = Vec::new();
    timeout(Duration::from_secs(5), stream.read_to_end(&mut answer))
        .await
        .expect("closed")
        .unwrap();
    served
        .until(|stats| stats.listener.bad_requests == 1 && stats.listener.connections == 0)
        .await;
}

#[tokio::test]
async fn viewer_that_takes_nothing_is_cut_and_the_others_lose_nothing() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let served = Served::start(consumer, StreamConfig::default().with_write_stall(SHORT));
    let stuck = Viewer::open(served.addr, "/").await.unwrap().into_stream();
    let mut good = Viewer::open(served.addr, "/").await.unwrap();
    served.until(|stats| stats.viewers == 2).await;
    // Frames large enough to fill the kernel's buffers for the stuck viewer.
    let frames: Vec<_> = (0..5).map(|n| jpeg::of_length(n, 400_000)).collect();
    let mut sent = 0;
    while served.stats().write_stalls == 0 {
        let frame = &frames[sent % frames.len()];
        publish(&producer, frame.clone());
        assert_eq!(
            good.next_frame().await.unwrap().unwrap(),
            frame,
            "the good viewer gets each"
        );
        sent += 1;
        sleep(Duration::from_millis(10)).await;
        assert!(
            sent < 1000,
            "the stuck viewer was never cut: {:?}",
            served.stats()
        );
    }
    served
        .until(|stats| stats.listener.connections == 1 && stats.viewers == 1)
        .await;
    assert_eq!(served.stats().write_stalls, 1);
    // Reset, not closed: the kernel keeps nothing for a peer that takes nothing.
    let mut stuck = stuck;
    let cut = stuck.read_to_end(&mut Vec::new()).await.unwrap_err();
    assert_eq!(cut.kind(), std::io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn slow_viewer_is_kept_and_gets_whole_recent_frames() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let served = Served::start(
        consumer,
        StreamConfig::default().with_write_stall(Duration::from_secs(5)),
    );
    let mut slow = Viewer::open(served.addr, "/").await.unwrap();
    // Frames of a realistic size, so that buffers in the kernel hold only a few of them.
    let frames: Vec<_> = (0..40).map(|n| jpeg::of_length(n, 300_000)).collect();
    let publishing = async {
        for n in 0..400 {
            publish(&producer, frames[n % 40].clone());
            sleep(Duration::from_millis(5)).await;
        }
    };
    let mut got = 0;
    let reading = async {
        loop {
            let frame = slow.next_frame().await.unwrap().expect("not ended");
            let number = jpeg::number_of(&frame).expect("a numbered frame");
            assert_eq!(frame, frames[number as usize], "whole and untorn");
            got += 1;
            sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::select! {
        () = publishing => {}
        () = reading => {}
    }
    assert!(got > 10, "the slow viewer got {got} frames");
    let stats = served.stats();
    assert_eq!(
        (stats.viewers, stats.write_stalls),
        (1, 0),
        "slow is not dead"
    );
    assert!(
        stats.parts < 200,
        "frames were skipped, not queued: {stats:?}"
    );
}

/// Frames so small that the kernel could buffer hundreds of them.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn viewer_that_takes_nothing_is_cut_with_small_frames_too() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let served = Served::start(consumer, StreamConfig::default().with_write_stall(SHORT));
    let stuck = Viewer::open(served.addr, "/").await.unwrap().into_stream();
    let frame = jpeg::of_length(1, 20_000);
    let publishing = async {
        loop {
            publish(&producer, frame.clone());
            sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        () = publishing => {}
        () = served.until(|stats| stats.write_stalls == 1) => {}
    }
    let parts = served.stats().parts;
    assert!(
        parts < 60,
        "{parts} parts were taken for a viewer that reads nothing"
    );
    drop(stuck);
}

#[tokio::test]
async fn viewer_that_takes_a_little_again_and_again_is_not_cut() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let served = Served::start(
        consumer,
        StreamConfig::default().with_write_stall(2 * SHORT),
    );
    let mut slow = Viewer::open(served.addr, "/").await.unwrap().into_stream();
    let frame = jpeg::of_length(1, 1_000_000);
    let publishing = async {
        loop {
            publish(&producer, frame.clone());
            sleep(Duration::from_millis(10)).await;
        }
    };
    // The socket is full all the time. Writes wait far longer than the limit in total, but never at
    // a stretch.
    let reading = async {
        let mut buffer = vec![0; 500_000];
        for _ in 0..10 {
            sleep(SHORT).await;
            slow.read_exact(&mut buffer).await.unwrap();
        }
    };
    tokio::select! {
        () = publishing => {}
        () = reading => {}
    }
    let stats = served.stats();
    assert_eq!((stats.write_stalls, stats.viewers), (0, 1), "{stats:?}");
}

#[tokio::test]
async fn viewer_that_leaves_is_forgotten_even_before_the_first_frame() {
    let (_producer, consumer) = mjpeg_fanout::channel();
    let served = Served::start(consumer, StreamConfig::default());
    let viewer = Viewer::open(served.addr, "/").await.unwrap();
    served.until(|stats| stats.viewers == 1).await;
    drop(viewer);
    served
        .until(|stats| stats.viewers == 0 && stats.listener.connections == 0)
        .await;
}

#[tokio::test]
async fn port_in_use_is_told_apart() {
    let bind = |addr: &str| Listener::bind(addr.parse().unwrap(), ListenerConfig::default());
    let first = bind("127.0.0.1:0").unwrap();
    let taken = first.local_addr().unwrap();
    assert!(
        matches!(bind(&taken.to_string()), Err(BindError::InUse { address }) if address == ListenAddress::Tcp(taken))
    );
    // The same port on all interfaces collides with it too.
    assert!(matches!(
        bind(&format!("0.0.0.0:{}", taken.port())),
        Err(BindError::InUse { .. })
    ));
    assert!(matches!(
        bind(&format!("[::]:{}", taken.port())),
        Err(BindError::InUse { .. })
    ));
    drop(first);
    assert_eq!(bind(&taken.to_string()).unwrap().local_addr(), Some(taken));
    // An address of a documentation network (RFC 5737), which no machine has.
    let elsewhere = bind("192.0.2.1:0").unwrap_err();
    assert!(matches!(elsewhere, BindError::Failed { .. }), "{elsewhere}");
}

#[tokio::test]
async fn all_interfaces_take_ipv4() {
    let (producer, consumer) = mjpeg_fanout::channel();
    publish_number(&producer, 1);
    let listener = Listener::bind("[::]:0".parse().unwrap(), ListenerConfig::default()).unwrap();
    let port = listener.local_addr().unwrap().port();
    let service = mjpeg_http::StreamService::new(consumer, StreamConfig::default());
    let serving = tokio::spawn(listener.serve(service, std::future::pending()));
    let mut viewer = Viewer::open(([127, 0, 0, 1], port).into(), "/")
        .await
        .unwrap();
    assert!(viewer.next_frame().await.unwrap().is_some());
    serving.abort();
}

/// A viewer that leaves is noticed even behind bytes that it sent after its request.
#[tokio::test]
async fn viewer_that_said_more_than_its_request_and_leaves_is_forgotten() {
    let (_producer, consumer) = mjpeg_fanout::channel();
    let served = Served::start(consumer, StreamConfig::default());
    let mut stream = TcpStream::connect(served.addr).await.unwrap();
    let asked = b"GET / HTTP/1.1\r\nHost: x\r\n\r\nand some more that is no request";
    stream.write_all(asked).await.unwrap();
    served.until(|stats| stats.viewers == 1).await;
    stream.write_all(&[b'x'; 100_000]).await.unwrap();
    drop(stream);
    served
        .until(|stats| stats.viewers == 0 && stats.listener.connections == 0)
        .await;
}
