//! Cameras that send several frames at once: a viewer that is ready gets each of them.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http_body_util::BodyExt;
use mjpeg_codec::{Frame, Stamp, multipart::Layout};
use mjpeg_fanout::Producer;
use mjpeg_http::{MjpegBody, StreamConfig};
use mjpeg_testkit::{Viewer, jpeg};
use tokio::{
    task::yield_now,
    time::{Instant, sleep},
};

use crate::{Served, assert_next, lagging::stuck};

async fn publish_next(producer: &Producer, jpeg: Bytes) {
    let now = Stamp::new(SystemTime::now(), Instant::now().into_std());
    producer
        .publish_next(Frame::parse(jpeg).unwrap(), now)
        .await;
}

/// Publishes frames of this size, four together at a time.
async fn bursts(producer: &Producer, bytes: usize, count: u32) {
    for number in 1..=count {
        publish_next(producer, jpeg::of_length(number, bytes)).await;
        if number % 4 == 0 {
            sleep(Duration::from_millis(60)).await;
        }
    }
}

#[tokio::test]
async fn viewers_that_are_ready_get_every_frame() {
    for bytes in [1_000, 20_000, 100_000] {
        let (producer, consumer) = mjpeg_fanout::channel();
        let served = Served::start(consumer, StreamConfig::default());
        publish_next(&producer, jpeg::of_length(0, bytes)).await;
        let watch = async || {
            let mut viewer = Viewer::open(served.addr, "/").await.unwrap();
            for number in 0..=40 {
                assert_next(&mut viewer, number).await;
            }
        };
        let camera = async {
            served.until(|stats| stats.parts == 5).await;
            bursts(&producer, bytes, 40).await;
        };
        tokio::join!(camera, watch(), watch(), watch(), watch(), watch());
        assert_eq!(served.stats().skipped, 0, "{bytes} bytes");
    }
}

#[tokio::test]
async fn slow_viewers_and_snapshots_take_nothing_from_those_that_are_ready() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let served = Served::start(consumer, StreamConfig::default());
    publish_next(&producer, jpeg::of_length(0, 100_000)).await;
    let mut slow = Vec::new();
    for path in ["/", "/", "/snapshot", "/snapshot?fresh=1&wait=20"] {
        slow.push(stuck(&served, path).await);
    }
    let watch = async {
        let mut viewer = Viewer::open(served.addr, "/").await.unwrap();
        for number in 0..=40 {
            assert_next(&mut viewer, number).await;
        }
    };
    let camera = async {
        served.until(|stats| stats.parts == 3).await;
        bursts(&producer, 100_000, 40).await;
    };
    tokio::join!(camera, watch);
}

/// In a server of one's own, too.
#[tokio::test(start_paused = true)]
async fn bodies_that_are_ready_get_every_frame() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let mut body = MjpegBody::new(consumer, Layout::Advance, &StreamConfig::default());
    let watching = tokio::spawn(async move {
        let mut seen = Vec::new();
        while let Some(data) = body.frame().await {
            let part = data.unwrap().into_data().unwrap();
            seen.extend(jpeg::number_of(&part));
            yield_now().await;
        }
        seen
    });
    yield_now().await;
    for number in 1..=8 {
        publish_next(&producer, jpeg::numbered(number)).await;
    }
    drop(producer);
    assert_eq!(watching.await.unwrap(), (1..=8).collect::<Vec<_>>());
}

/// A viewer that may not have the next frame yet is not ready for it.
#[tokio::test(start_paused = true)]
async fn bodies_that_wait_for_their_rate_delay_nobody() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let config = StreamConfig::default().with_max_fps(Some(1.0)).unwrap();
    let mut body = MjpegBody::new(consumer, Layout::Advance, &config);
    let watching = tokio::spawn(async move {
        while body.frame().await.is_some() {
            yield_now().await;
        }
    });
    yield_now().await;
    let start = Instant::now();
    for number in 1..=8 {
        publish_next(&producer, jpeg::numbered(number)).await;
        yield_now().await;
    }
    assert_eq!(start.elapsed(), Duration::ZERO);
    drop(producer);
    watching.await.unwrap();
}
