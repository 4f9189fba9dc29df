//! Clients that close their side of the connection behind their request.

use std::time::Duration;

use mjpeg_fanout::Status;
use mjpeg_http::StreamConfig;
use mjpeg_testkit::jpeg;
use tokio::{io::AsyncWriteExt, net::TcpStream, time::sleep};

use crate::{Served, publish_number, raw::RawClient};

/// Sends this and closes its side.
async fn ask(served: &Served, request: &str) -> RawClient<TcpStream> {
    let mut stream = TcpStream::connect(served.addr).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    RawClient::new(stream)
}

#[tokio::test]
async fn snapshot_that_has_to_wait_is_answered() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let served = Served::start(consumer, StreamConfig::default());
    producer.set_status(Status::Online);
    publish_number(&producer, 1);
    let fresh = "GET /snapshot?fresh=1&wait=10 HTTP/1.1\r\nHost: x\r\n\r\n";
    let mut client = ask(&served, fresh).await;
    served.until(|stats| stats.snapshots == 1).await;
    sleep(Duration::from_millis(200)).await;
    publish_number(&producer, 2);
    let (head, body) = client.answer().await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert_eq!(body, jpeg::numbered(2));
    assert!(client.rest().await.is_empty());
    served.until(|stats| stats.listener.connections == 0).await;
}

#[tokio::test]
async fn each_of_several_requests_is_answered() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let served = Served::start(consumer, StreamConfig::default());
    producer.set_status(Status::Online);
    publish_number(&producer, 1);
    let large = "GET /snapshot HTTP/1.1\r\nHost: x\r\n\r\n".repeat(20);
    let mut client = ask(&served, &large).await;
    for _ in 0..20 {
        assert_eq!(client.answer().await.1, jpeg::numbered(1));
    }
    assert!(client.rest().await.is_empty());
    served
        .until(|stats| stats.snapshots == 20 && stats.listener.connections == 0)
        .await;
}

#[tokio::test]
async fn stream_goes_on() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let served = Served::start(consumer, StreamConfig::default());
    publish_number(&producer, 1);
    let mut client = ask(&served, "GET /stream HTTP/1.0\r\n\r\n").await;
    client.until(&jpeg::numbered(1)).await;
    // The last frame comes once more: that tells who is still there from who has gone.
    client.until(&jpeg::numbered(1)).await;
    served.until(|stats| stats.keepalives >= 1).await;
    for number in 2..=4 {
        sleep(Duration::from_millis(700)).await;
        publish_number(&producer, number);
        client.until(&jpeg::numbered(number)).await;
    }
    assert_eq!(served.stats().viewers, 1);
    drop(client);
    served
        .until(|stats| stats.viewers == 0 && stats.listener.connections == 0)
        .await;
}

/// Before the first picture nothing can be written that would tell.
#[tokio::test]
async fn stream_without_a_picture_waits_for_a_while() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let served = Served::start(consumer, StreamConfig::default());
    let mut early = ask(&served, "GET /stream HTTP/1.0\r\n\r\n").await;
    early.until(b"--boundarydonotcross\r\n").await;
    sleep(Duration::from_millis(2500)).await;
    publish_number(&producer, 1);
    early.until(&jpeg::numbered(1)).await;

    let (_producer, consumer) = mjpeg_fanout::channel();
    let served = Served::start(consumer, StreamConfig::default());
    let mut late = ask(&served, "GET /stream HTTP/1.0\r\n\r\n").await;
    late.until(b"--boundarydonotcross\r\n").await;
    served.until(|stats| stats.viewers == 0).await;
    late.rest().await;
}

/// One that has gone altogether is noticed although nothing new comes.
#[tokio::test]
async fn viewer_that_has_gone_is_forgotten_while_the_camera_is_silent() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let config = StreamConfig::default()
        .with_keepalive(Duration::from_secs(3600))
        .unwrap();
    let served = Served::start(consumer, config);
    publish_number(&producer, 1);
    let mut client = RawClient::new(TcpStream::connect(served.addr).await.unwrap());
    client.get("/?advance_headers=1", "").await;
    // Everything is read, so that closing sends no reset.
    client.until(&jpeg::numbered(1)).await;
    client
        .until(b"Access-Control-Allow-Origin: *\r\n\r\n")
        .await;
    drop(client);
    served.until(|stats| stats.viewers == 0).await;
}
