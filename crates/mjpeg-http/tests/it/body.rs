//! The body, polled by hand while the test drives the clock.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use mjpeg_codec::multipart::Layout;
use mjpeg_fanout::Consumer;
use mjpeg_http::{InvalidConfig, MjpegBody, StreamConfig};
use mjpeg_testkit::jpeg;
use tokio::time::{Instant, timeout};

use crate::publish_number;

fn trailing(consumer: Consumer) -> MjpegBody {
    MjpegBody::new(consumer, Layout::Trailing, &StreamConfig::default())
}

async fn data(body: &mut MjpegBody) -> Option<Bytes> {
    Some(
        body.frame()
            .await?
            .expect("infallible")
            .into_data()
            .expect("no trailers"),
    )
}

/// Checks that the next data is one whole part, and returns the number of its frame.
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
    let mut body = trailing(consumer);
    assert_eq!(data(&mut body).await.unwrap(), "--boundarydonotcross\r\n");
    assert_eq!(number(&mut body).await, Some(2));
}

#[tokio::test(start_paused = true)]
async fn waits_without_end_for_the_first_frame() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let mut body = trailing(consumer);
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
async fn repeats_the_last_frame_soon_and_then_each_five_seconds_of_silence() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let mut body = trailing(consumer);
    data(&mut body).await.unwrap();
    publish_number(&producer, 1);
    let start = Instant::now();
    for after_ms in [0, 100, 5_100, 10_100] {
        assert_eq!(number(&mut body).await, Some(1));
        assert_eq!(start.elapsed().as_millis(), after_ms);
    }
    // A new frame comes at once, and the silence is counted from it. The stream's interval is ten
    // seconds now, and one and a half of that exceed the keepalive.
    publish_number(&producer, 2);
    for after_ms in [10_100, 15_100, 20_100] {
        assert_eq!(number(&mut body).await, Some(2));
        assert_eq!(start.elapsed().as_millis(), after_ms);
    }
}

/// Not before the next frame is due: at 5 fps, that would send every frame twice.
#[tokio::test(start_paused = true)]
async fn soon_is_one_and_a_half_intervals_of_a_slow_stream() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let mut body = trailing(consumer);
    data(&mut body).await.unwrap();
    for n in 0..10 {
        publish_number(&producer, n);
        assert_eq!(number(&mut body).await, Some(n));
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    publish_number(&producer, 10);
    let start = Instant::now();
    for after_ms in [0, 300, 5_300] {
        assert_eq!(number(&mut body).await, Some(10));
        assert_eq!(start.elapsed().as_millis(), after_ms);
    }
}

#[tokio::test(start_paused = true)]
async fn headers_sent_ahead_need_no_repeat_soon() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let mut body = MjpegBody::new(consumer, Layout::Advance, &StreamConfig::default());
    let ahead = "--boundarydonotcross\r\nContent-Type: image/jpeg\r\nAccess-Control-Allow-Origin: *\r\n\r\n";
    assert_eq!(data(&mut body).await.unwrap(), ahead);
    publish_number(&producer, 1);
    let start = Instant::now();
    let expected = [&jpeg::numbered(1)[..], b"\r\n", ahead.as_bytes()].concat();
    for after_s in [0, 5, 10] {
        assert_eq!(data(&mut body).await.unwrap(), expected);
        assert_eq!(start.elapsed().as_secs(), after_s);
    }
}

/// A connection that has not dropped a part gets no other, however much it could take.
#[tokio::test(start_paused = true)]
async fn next_part_waits_until_the_one_before_is_let_go_of() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let mut body = trailing(consumer);
    data(&mut body).await.unwrap();
    publish_number(&producer, 1);
    let held = data(&mut body).await.unwrap();
    publish_number(&producer, 2);
    assert!(
        timeout(Duration::from_secs(60), data(&mut body))
            .await
            .is_err()
    );
    publish_number(&producer, 3);
    drop(held);
    assert_eq!(number(&mut body).await, Some(3));
}

#[tokio::test(start_paused = true)]
async fn slow_reader_skips_whole_frames() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let mut body = trailing(consumer);
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
    let mut body = trailing(consumer);
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
    let too_short = Duration::from_millis(99);
    let refused = StreamConfig::default().with_keepalive(too_short);
    assert!(matches!(refused, Err(InvalidConfig::Keepalive { least }) if least > too_short));

    let (producer, consumer) = mjpeg_fanout::channel();
    let mut body = MjpegBody::new(
        consumer,
        Layout::Advance,
        &StreamConfig::default()
            .with_keepalive(Duration::from_millis(100))
            .unwrap(),
    );
    data(&mut body).await.unwrap();
    publish_number(&producer, 1);
    data(&mut body).await.unwrap();
    let since = Instant::now();
    data(&mut body).await.unwrap();
    assert!(since.elapsed() >= Duration::from_millis(100));
}

#[tokio::test]
async fn counts_as_a_viewer_while_it_lives() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let demand = producer.demand();
    let bodies: Vec<_> = (0..3).map(|_| trailing(consumer.clone())).collect();
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
        let mut body = trailing(consumer.clone());
        data(&mut body).await.unwrap();
        // Kept, so that no later buffer can get the same address.
        parts.push(data(&mut body).await.unwrap());
    }
    assert!(parts.iter().all(|part| part.as_ptr() == parts[0].as_ptr()));
}
