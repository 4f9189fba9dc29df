//! What a producer puts on a frame.

use std::time::SystemTime;

use mjpeg_fanout::{RecorderConfig, channel};
use tokio::time::Instant;

use crate::{frame, publish};

#[tokio::test]
async fn epoch_tells_two_runs_apart() {
    let ((a, mut from_a), (b, _)) = (channel(), channel());
    assert_ne!(a.epoch(), b.epoch());
    publish(&a, 1);
    assert_eq!(from_a.next().await.unwrap().epoch, a.epoch());
}

#[tokio::test(start_paused = true)]
async fn publish_now_reads_both_clocks() {
    let (producer, mut consumer) = channel();
    let (before, now) = (SystemTime::now(), Instant::now().into_std());
    assert_eq!(producer.publish_now(frame(1)), 1);
    let stamp = consumer.next().await.unwrap().stamp;
    assert_eq!((stamp.monotonic(), stamp.camera()), (now, None));
    assert!((before..=SystemTime::now()).contains(&stamp.received()));
}

#[test]
fn publish_now_needs_no_runtime() {
    let (producer, consumer) = channel();
    producer.publish_now(frame(1));
    assert_eq!(consumer.latest().unwrap().seq, 1);
}

#[tokio::test]
async fn subscriber_has_taken_nothing() {
    let (producer, mut consumer) = channel();
    publish(&producer, 1);
    consumer.next().await.unwrap();
    assert_eq!(producer.subscribe().next().await.unwrap().seq, 1);
}

#[test]
fn debug_output_holds_no_image() {
    let (producer, consumer) = channel();
    let recorder = producer.record(RecorderConfig::default());
    publish(&producer, 1);
    let published = consumer.latest().unwrap();
    published.part();
    let all = format!("{producer:?} {consumer:?} {recorder:?} {published:?}");
    assert!(all.len() < 4000, "{} characters: {:.2000}", all.len(), all);
}
