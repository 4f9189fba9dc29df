//! What viewers send behind their request.

use std::time::Duration;

use mjpeg_http::StreamConfig;
use mjpeg_testkit::Viewer;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, sleep},
};

use crate::{Served, assert_next, publish_number};

async fn ask(served: &Served, request: &str) -> TcpStream {
    let mut stream = TcpStream::connect(served.addr).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

const STREAM: &str = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

/// Sends as fast as it can until it is cut.
async fn upload(mut stream: TcpStream) {
    let (mut reader, mut writer) = stream.split();
    let sending = async { while writer.write_all(&[b'x'; 64 << 10]).await.is_ok() {} };
    let mut taken = vec![0; 64 << 10];
    let taking = async { while reader.read(&mut taken).await.is_ok_and(|n| n > 0) {} };
    tokio::select! {
        () = sending => {}
        () = taking => {}
    }
}

#[tokio::test]
async fn viewers_that_keep_sending_are_cut_and_the_others_lose_nothing() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let served = Served::start(consumer, StreamConfig::default());
    publish_number(&producer, 0);
    let mut uploads = tokio::task::JoinSet::new();
    for n in 0..20 {
        // The body of a request is no different.
        let post = "POST /stream HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n";
        let request = if n % 2 == 0 { STREAM } else { post };
        uploads.spawn(upload(ask(&served, request).await));
    }
    let mut bystander = Viewer::open(served.addr, "/").await.unwrap();
    assert_next(&mut bystander, 0).await;
    let watching = async {
        for number in 1.. {
            publish_number(&producer, number);
            assert_next(&mut bystander, number).await;
            sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::select! {
        () = watching => {}
        () = served.until(|stats| stats.viewer_input_cuts == 20 && stats.viewers == 1) => {}
    }
    assert_eq!(served.stats().skipped, 0);
    while uploads.join_next().await.is_some() {}
}

#[tokio::test]
async fn viewer_may_send_a_little() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let config = StreamConfig::default().with_max_viewer_input_bytes(10_000);
    let served = Served::start(consumer, config);
    let mut chatty = ask(&served, STREAM).await;
    let mut greedy = ask(&served, STREAM).await;
    served.until(|stats| stats.viewers == 2).await;
    chatty.write_all(&[b'x'; 10_000]).await.unwrap();
    greedy.write_all(&[b'x'; 10_001]).await.unwrap();
    served.until(|stats| stats.viewer_input_cuts == 1).await;
    // Each has been looked at by now.
    sleep(Duration::from_millis(1500)).await;
    assert_eq!(served.stats().viewers, 1);
    publish_number(&producer, 1);
    assert!(chatty.read(&mut [0; 100]).await.unwrap() > 0);
}

/// Ending a stream does not wait for those who send.
#[tokio::test]
async fn stream_ends_at_once_while_viewers_send() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let config = StreamConfig::default().with_max_viewer_input_bytes(usize::MAX);
    let served = Served::start(consumer, config);
    publish_number(&producer, 0);
    let mut uploads = tokio::task::JoinSet::new();
    for _ in 0..10 {
        uploads.spawn(upload(ask(&served, STREAM).await));
    }
    served.until(|stats| stats.viewers == 10).await;
    let since = Instant::now();
    assert_eq!(served.stop().await, 0);
    assert!(since.elapsed() < Duration::from_secs(5), "not by the grace");
    while uploads.join_next().await.is_some() {}
}
