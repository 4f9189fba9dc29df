//! What a consumer takes.

use std::time::{Duration, SystemTime};

use futures_util::StreamExt;
use mjpeg_codec::multipart::{self, AllowOrigin};
use mjpeg_fanout::channel;
use mjpeg_testkit::jpeg;
use tokio::time::timeout;

use crate::{next_number, publish};

#[tokio::test]
async fn newcomer_gets_the_latest_frame_at_once() {
    let (producer, consumer) = channel();
    publish(&producer, 1);
    publish(&producer, 2);
    let mut newcomer = consumer.clone();
    assert_eq!(next_number(&mut newcomer).await, Some(2));
    assert_eq!(
        next_number(&mut newcomer.clone()).await,
        Some(2),
        "a clone has had nothing"
    );
}

#[tokio::test]
async fn busy_consumer_skips_to_the_newest() {
    let (producer, mut consumer) = channel();
    publish(&producer, 1);
    assert_eq!(consumer.next().await.unwrap().seq, 1);
    for n in 2..=5 {
        assert_eq!(publish(&producer, n), u64::from(n));
    }
    assert_eq!(consumer.next().await.unwrap().seq, 5);
}

#[tokio::test(start_paused = true)]
async fn no_frame_is_given_twice() {
    let (producer, mut consumer) = channel();
    publish(&producer, 1);
    consumer.next().await.unwrap();
    let second = timeout(Duration::from_secs(3600), consumer.next()).await;
    assert!(second.is_err(), "the same frame came again");
}

#[tokio::test(start_paused = true)]
async fn dropped_wait_takes_nothing() {
    let (producer, mut consumer) = channel();
    for n in 1..=3 {
        assert!(
            timeout(Duration::from_millis(1), consumer.next())
                .await
                .is_err()
        );
        publish(&producer, n);
        assert_eq!(next_number(&mut consumer).await, Some(n));
    }
}

#[tokio::test]
async fn waiting_consumers_all_wake() {
    let (producer, consumer) = channel();
    let waiting: Vec<_> = (0..50)
        .map(|_| {
            let mut consumer = consumer.clone();
            tokio::spawn(async move { next_number(&mut consumer).await })
        })
        .collect();
    tokio::task::yield_now().await;
    publish(&producer, 7);
    for task in waiting {
        assert_eq!(task.await.unwrap(), Some(7));
    }
}

#[tokio::test]
async fn part_is_rendered_once_and_shared() {
    let (producer, mut consumer) = channel();
    publish(&producer, 1);
    let mut other = consumer.clone();
    let (a, b) = (consumer.next().await.unwrap(), other.next().await.unwrap());
    let layout = multipart::Layout::default();
    let same = a.part().bytes(layout).as_ptr() == b.part().bytes(layout).as_ptr();
    assert!(same);
    let headers = multipart::PartHeaders::default().with_timestamp(SystemTime::UNIX_EPOCH);
    let rendered = multipart::render(
        &multipart::Boundary::default(),
        &headers,
        &jpeg::numbered(1),
    );
    assert_eq!(a.part(), &rendered);
}

#[tokio::test]
async fn part_is_rendered_once_for_each_origin() {
    let (producer, mut consumer) = channel();
    publish(&producer, 1);
    let published = consumer.next().await.unwrap();
    let at = |part: &multipart::Part| part.whole().as_ptr();
    let page = AllowOrigin::only("https://page.example").unwrap();
    let part = published.part_for(&page);
    assert_eq!(at(&published.part_for(&page)), at(&part), "shared");
    assert_eq!(
        at(&published.part_for(&AllowOrigin::ANY)),
        at(published.part())
    );
    let nobody = published.part_for(&AllowOrigin::NOBODY);
    let headers = |part: &multipart::Part| {
        String::from_utf8_lossy(&part.bytes(multipart::Layout::Advance)).into_owned()
    };
    assert!(headers(&part).contains("Access-Control-Allow-Origin: https://page.example\r\n"));
    assert!(headers(published.part()).contains("Access-Control-Allow-Origin: *\r\n"));
    assert!(!headers(&nobody).contains("Access-Control-Allow-Origin"));
}

#[tokio::test]
async fn try_next_takes_without_waiting() {
    let (producer, mut consumer) = channel();
    assert!(consumer.try_next().is_none(), "nothing published");
    publish(&producer, 1);
    publish(&producer, 2);
    assert_eq!(consumer.try_next().unwrap().seq, 2);
    assert!(consumer.try_next().is_none(), "taken already");
    publish(&producer, 3);
    assert_eq!(consumer.next().await.unwrap().seq, 3);
    assert!(consumer.try_next().is_none(), "taken by next");
}

#[tokio::test]
async fn stream_yields_what_next_returns() {
    let (producer, consumer) = channel();
    publish(&producer, 1);
    let streaming = tokio::spawn(consumer.map(|published| published.seq).collect::<Vec<_>>());
    tokio::task::yield_now().await;
    for n in 2..=4 {
        publish(&producer, n);
        tokio::task::yield_now().await;
    }
    // Skipped: the stream is not polled between these.
    publish(&producer, 5);
    publish(&producer, 6);
    drop(producer);
    assert_eq!(streaming.await.unwrap(), [1, 2, 3, 4, 6]);
}

#[tokio::test(start_paused = true)]
async fn stream_and_next_take_turns() {
    let (producer, mut consumer) = channel();
    let wait = Duration::from_millis(1);
    for n in (1..=9).step_by(3) {
        assert!(timeout(wait, StreamExt::next(&mut consumer)).await.is_err());
        publish(&producer, n);
        assert_eq!(next_number(&mut consumer).await, Some(n));
        assert!(timeout(wait, consumer.next()).await.is_err());
        publish(&producer, n + 1);
        let streamed = StreamExt::next(&mut consumer).await.unwrap();
        assert_eq!(streamed.seq, u64::from(n + 1));
        publish(&producer, n + 2);
        assert_eq!(next_number(&mut consumer).await, Some(n + 2));
    }
}
