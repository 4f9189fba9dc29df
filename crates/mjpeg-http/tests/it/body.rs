//! The body, polled by hand while the test drives the clock.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use mjpeg_http::{HttpConfig, MjpegBody};
use mjpeg_testkit::jpeg;
use tokio::time::{Instant, timeout};

use crate::publish_number;

async fn data(body: &mut MjpegBody) -> Option<Bytes> {
    Some(
        body.frame()
            .await?
            .expect("infallible")
            .into_data()
            .expect("no trailers"),
    )
}

/// The number of the frame in the next part, having checked that it is one whole part.
async fn number(body: &mut MjpegBody) -> Option<u32> {
    let part = data(body).await?;
    assert!(part.starts_with(b"Content-Type: image/jpeg\r\nContent-Length: "));
    assert!(part.ends_with(b"\r\n--boundarydonotcross\r\n"));
    let image = part
        .windows(4)
        .position(|w| w == b"\r\n\r\n")
        .expect("a blank line")
        + 4;
    Some(jpeg::number_of(&part[image..]).expect("a numbered frame"))
}

#[tokio::test(start_paused = true)]
async fn opens_with_the_delimiter_and_the_latest_frame() {
    let (producer, consumer) = mjpeg_fanout::channel();
    publish_number(&producer, 1);
    publish_number(&producer, 2);
    let mut body = MjpegBody::new(consumer, &HttpConfig::default());
    assert_eq!(data(&mut body).await.unwrap(), "--boundarydonotcross\r\n");
    assert_eq!(number(&mut body).await, Some(2));
}

#[tokio::test(start_paused = true)]
async fn waits_without_end_for_the_first_frame() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let mut body = MjpegBody::new(consumer, &HttpConfig::default());
    data(&mut body).await.unwrap();
    assert!(
        timeout(Duration::from_secs(3600), data(&mut body))
            .await
            .is_err()
    );
    publish_number(&producer, 1);
    assert_eq!(number(&mut body).await, Some(1));
}

#[tokio::test(start_paused = true)]
async fn repeats_the_last_frame_each_five_seconds_of_silence() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let mut body = MjpegBody::new(consumer, &HttpConfig::default());
    data(&mut body).await.unwrap();
    publish_number(&producer, 1);
    let start = Instant::now();
    assert_eq!(number(&mut body).await, Some(1));
    for repeat in 1..=3 {
        assert_eq!(number(&mut body).await, Some(1));
        assert_eq!(start.elapsed().as_secs(), repeat * 5);
    }
    // A new frame comes at once, and the silence is counted from it.
    publish_number(&producer, 2);
    assert_eq!(number(&mut body).await, Some(2));
    assert_eq!(start.elapsed().as_secs(), 15);
    assert_eq!(number(&mut body).await, Some(2));
    assert_eq!(start.elapsed().as_secs(), 20);
}

#[tokio::test(start_paused = true)]
async fn slow_reader_skips_whole_frames() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let mut body = MjpegBody::new(consumer, &HttpConfig::default());
    data(&mut body).await.unwrap();
    publish_number(&producer, 1);
    assert_eq!(number(&mut body).await, Some(1));
    for n in 2..=9 {
        publish_number(&producer, n);
    }
    assert_eq!(number(&mut body).await, Some(9));
}

#[tokio::test(start_paused = true)]
async fn ends_when_the_producer_is_gone() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let mut body = MjpegBody::new(consumer, &HttpConfig::default());
    data(&mut body).await.unwrap();
    publish_number(&producer, 1);
    drop(producer);
    assert_eq!(
        number(&mut body).await,
        Some(1),
        "the last frame still goes out"
    );
    assert_eq!(data(&mut body).await, None);
    assert_eq!(data(&mut body).await, None, "and stays ended");
}

#[tokio::test(start_paused = true)]
async fn keepalive_has_a_floor() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let mut body = MjpegBody::new(consumer, &HttpConfig::default().keepalive(Duration::ZERO));
    data(&mut body).await.unwrap();
    publish_number(&producer, 1);
    number(&mut body).await.unwrap();
    let since = Instant::now();
    number(&mut body).await.unwrap();
    assert!(since.elapsed() >= Duration::from_millis(100));
}

#[tokio::test]
async fn counts_as_a_viewer_while_it_lives() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let demand = producer.demand();
    let bodies: Vec<_> = (0..3)
        .map(|_| MjpegBody::new(consumer.clone(), &HttpConfig::default()))
        .collect();
    assert_eq!(demand.now(), 3);
    drop(bodies);
    assert_eq!(demand.now(), 0);
}

#[tokio::test]
async fn viewers_share_one_buffer() {
    let (producer, consumer) = mjpeg_fanout::channel();
    publish_number(&producer, 1);
    let mut parts = Vec::new();
    for _ in 0..3 {
        let mut body = MjpegBody::new(consumer.clone(), &HttpConfig::default());
        data(&mut body).await.unwrap();
        // Kept, so that no buffer can come again at the same address.
        parts.push(data(&mut body).await.unwrap());
    }
    assert!(parts.iter().all(|part| part.as_ptr() == parts[0].as_ptr()));
}
