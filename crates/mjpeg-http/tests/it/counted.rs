//! What is counted for monitoring beside what limits count.

use std::time::{Duration, SystemTime};

use mjpeg_codec::{Frame, Stamp};
use mjpeg_http::StreamConfig;
use mjpeg_testkit::{Viewer, jpeg};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::Instant,
};

use crate::Served;

/// The stamp of a frame that was received this long ago.
fn received_before(age: Duration) -> Stamp {
    let now = Instant::now().into_std();
    Stamp::new(SystemTime::now(), now.checked_sub(age).unwrap())
}

#[tokio::test]
async fn age_of_each_frame_is_counted_once_and_of_its_repeats_and_placeholders_never() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let keepalive = Duration::from_millis(100);
    let config = StreamConfig::default().with_keepalive(keepalive).unwrap();
    let served = Served::start(consumer, config);
    let frame = Frame::parse(jpeg::numbered(1)).unwrap();
    producer.publish(frame.clone(), received_before(Duration::from_secs(5)));
    let mut viewer = Viewer::open(served.addr, "/").await.unwrap();
    viewer.next_frame().await.unwrap().unwrap();
    served.until(|stats| stats.keepalives >= 2).await;
    producer.set_placeholder(frame.clone(), received_before(Duration::from_secs(20)));
    producer.show_placeholder();
    let before = served.stats().parts;
    served.until(|stats| stats.parts > before + 1).await;
    let ages = served.stats().ages;
    assert_eq!(ages.count(), 1, "{ages:?}");
    let bucket = ages.counts.iter().position(|count| *count == 1).unwrap();
    let five = Duration::from_secs(5);
    assert!(ages.bounds[bucket - 1] < five && five <= ages.bounds[bucket]);
    assert!(
        ages.sum >= five && ages.sum < Duration::from_secs(10),
        "{ages:?}"
    );
    producer.publish(frame, received_before(Duration::ZERO));
    served.until(|stats| stats.ages.count() == 2).await;
}

#[tokio::test]
async fn bytes_are_those_of_the_parts() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let served = Served::start(consumer, StreamConfig::default());
    let frame = Frame::parse(jpeg::of_length(1, 20_000)).unwrap();
    let mut viewers = Vec::new();
    for _ in 0..3 {
        viewers.push(Viewer::open(served.addr, "/").await.unwrap());
    }
    producer.publish(frame.clone(), received_before(Duration::ZERO));
    served.until(|stats| stats.parts == 3).await;
    let of_viewers: u64 = served
        .service
        .viewers()
        .iter()
        .map(|one| one.sent_bytes)
        .sum();
    let stats = served.stats();
    assert_eq!(stats.sent_bytes, of_viewers);
    assert!(of_viewers > 3 * frame.bytes().len() as u64, "{stats:?}");
}

#[tokio::test]
async fn each_request_of_a_connection_is_counted() {
    let (_producer, consumer) = mjpeg_fanout::channel();
    let served = Served::start(consumer, StreamConfig::default());
    let mut stream = TcpStream::connect(served.addr).await.unwrap();
    let one = "GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n";
    let last = "GET /stream HTTP/1.1\r\nHost: a\r\n\r\n";
    let requests = [one, one, last].concat();
    stream.write_all(requests.as_bytes()).await.unwrap();
    served.until(|stats| stats.listener.requests == 3).await;
    let mut some = [0; 10];
    stream.read_exact(&mut some).await.unwrap();
    served.until(|stats| stats.viewers == 1).await;
    let stats = served.stats().listener;
    assert_eq!((stats.accepted, stats.requests), (1, 3));
}

#[cfg(feature = "serde")]
#[test]
fn ages_are_serialised_in_seconds() {
    let (_producer, consumer) = mjpeg_fanout::channel();
    let stats = mjpeg_http::StreamService::new(consumer, StreamConfig::default()).stats();
    let ages = &serde_json::to_value(stats).unwrap()["ages"];
    assert_eq!(ages["bounds_s"][0], 0.001);
    assert_eq!(ages["counts"].as_array().unwrap().len(), 13);
    assert_eq!(ages["sum_s"], 0.0);
}
