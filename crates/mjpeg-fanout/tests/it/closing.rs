//! What is left when the producer is dropped.

use futures_util::StreamExt;
use mjpeg_fanout::{Status, channel};

use crate::{next_number, publish};

#[tokio::test]
async fn closing_gives_the_last_frame_then_none() {
    let (producer, mut consumer) = channel();
    publish(&producer, 1);
    drop(producer);
    assert_eq!(next_number(&mut consumer).await, Some(1));
    assert!(consumer.next().await.is_none());
    assert!(consumer.next().await.is_none());
    assert_eq!(consumer.latest().unwrap().seq, 1);
}

#[tokio::test]
async fn closing_makes_the_status_offline() {
    let (producer, mut consumer) = channel();
    publish(&producer, 1);
    assert_eq!(
        (consumer.is_closed(), consumer.status()),
        (false, Status::Online)
    );
    assert_eq!(consumer.status_changed().await, Some(Status::Online));
    drop(producer);
    assert_eq!(
        (consumer.is_closed(), consumer.status()),
        (true, Status::Offline)
    );
    assert_eq!(consumer.status_changed().await, Some(Status::Offline));
    assert_eq!(consumer.status_changed().await, None);
    assert!(consumer.try_next().is_some(), "the last frame can be taken");
}

#[tokio::test]
async fn closing_ends_the_stream_for_good() {
    let (producer, mut consumer) = channel();
    publish(&producer, 1);
    drop(producer);
    assert!(StreamExt::next(&mut consumer).await.is_some());
    assert!(StreamExt::next(&mut consumer).await.is_none());
    assert!(StreamExt::next(&mut consumer).await.is_none());
    let mut late = consumer.clone();
    assert_eq!(next_number(&mut late).await, Some(1));
}

#[tokio::test]
async fn dropping_consumers_leaves_the_producer_alone() {
    let (producer, consumer) = channel();
    drop(consumer);
    publish(&producer, 1);
    let mut consumer = producer.subscribe();
    assert!(!consumer.is_closed());
    assert_eq!(next_number(&mut consumer).await, Some(1));
}
