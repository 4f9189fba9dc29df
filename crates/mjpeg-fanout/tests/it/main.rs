//! Tests through the public face.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::time::SystemTime;

use mjpeg_codec::{Frame, Stamp, multipart};
use mjpeg_fanout::{Consumer, Demand, Producer, Published, Status, Viewing, channel};
use mjpeg_testkit::jpeg;
use tokio::time::{Instant, timeout};

fn publish(producer: &Producer, number: u32) -> u64 {
    let frame = Frame::parse(jpeg::numbered(number)).unwrap();
    producer.publish(
        frame,
        Stamp::new(SystemTime::UNIX_EPOCH, Instant::now().into_std()),
    )
}

async fn next_number(consumer: &mut Consumer) -> Option<u32> {
    Some(jpeg::number_of(consumer.next().await?.frame.bytes()).expect("a numbered frame"))
}

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
    let second = timeout(std::time::Duration::from_secs(3600), consumer.next()).await;
    assert!(second.is_err(), "the same frame came again");
}

#[tokio::test(start_paused = true)]
async fn dropped_wait_takes_nothing() {
    let (producer, mut consumer) = channel();
    for n in 1..=3 {
        assert!(
            timeout(std::time::Duration::from_millis(1), consumer.next())
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
async fn epoch_tells_two_runs_apart() {
    let ((a, mut from_a), (b, _)) = (channel(), channel());
    assert_ne!(a.epoch(), b.epoch());
    publish(&a, 1);
    assert_eq!(from_a.next().await.unwrap().epoch, a.epoch());
}

#[tokio::test]
async fn status_is_what_the_producer_says() {
    let (producer, consumer) = channel();
    assert_eq!(consumer.status(), Status::Connecting);
    producer.set_status(Status::Online);
    assert_eq!(consumer.status(), Status::Online);
}

#[tokio::test]
async fn demand_counts_those_who_view() {
    let (producer, consumer) = channel();
    let mut demand = producer.demand();
    assert_eq!(demand.now(), 0, "a consumer alone demands nothing");
    let first = consumer.viewing();
    assert_eq!(demand.changed().await, 1);
    let second = consumer.clone().viewing();
    assert_eq!(demand.changed().await, 2);
    drop((first, second));
    assert_eq!(demand.changed().await, 0);
    assert_eq!(consumer.viewers(), 0);
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

#[test]
fn public_types_cross_threads() {
    fn all<T: Send + Sync + Unpin + 'static>() {}
    all::<Producer>();
    all::<Consumer>();
    all::<Published>();
    all::<Status>();
    all::<Demand>();
    all::<Viewing>();
}

fn placeholder(producer: &Producer, number: u32) {
    let frame = Frame::parse(jpeg::numbered(number)).unwrap();
    producer.set_placeholder(
        frame,
        Stamp::new(SystemTime::UNIX_EPOCH, Instant::now().into_std()),
    );
}

fn latest(consumer: &Consumer) -> Option<(u32, bool)> {
    let latest = consumer.latest()?;
    Some((
        jpeg::number_of(latest.frame.bytes()).unwrap(),
        latest.is_placeholder,
    ))
}

#[tokio::test(start_paused = true)]
async fn placeholder_is_shown_when_told_and_gives_way_to_the_next_frame() {
    let (producer, mut consumer) = channel();
    producer.show_placeholder();
    assert_eq!(latest(&consumer), None, "there is none to show");
    placeholder(&producer, 100);
    assert_eq!(latest(&consumer), None, "it is only ready");
    let ready = consumer.placeholder().unwrap();
    assert_eq!((ready.seq, ready.is_placeholder), (0, true));

    producer.show_placeholder();
    let shown = consumer.next().await.unwrap();
    assert_eq!((shown.seq, shown.is_placeholder), (1, true));
    assert!(consumer.picture().is_none());
    placeholder(&producer, 101);
    assert_eq!(
        next_number(&mut consumer).await,
        Some(101),
        "a new one is shown at once"
    );

    assert_eq!(publish(&producer, 3), 3);
    assert_eq!(next_number(&mut consumer).await, Some(3));
    placeholder(&producer, 102);
    let nothing = timeout(std::time::Duration::from_secs(60), consumer.next()).await;
    assert!(nothing.is_err(), "the placeholder is shown no more");
    assert_eq!(latest(&consumer), Some((3, false)));
    producer.show_placeholder();
    assert_eq!(latest(&consumer), Some((102, true)));
    assert_eq!(consumer.picture().unwrap().seq, 3);
}

#[tokio::test(start_paused = true)]
async fn retired_frame_is_for_no_newcomer() {
    let (producer, consumer) = channel();
    publish(&producer, 1);
    producer.retire();
    assert_eq!(latest(&consumer), None);
    assert_eq!(consumer.picture().unwrap().seq, 1);
    let mut newcomer = consumer.clone();
    let nothing = timeout(std::time::Duration::from_secs(60), newcomer.next()).await;
    assert!(nothing.is_err());
    publish(&producer, 2);
    assert_eq!(next_number(&mut newcomer).await, Some(2));
}

#[test]
fn placeholders_do_not_count_in_the_rhythm() {
    let (producer, consumer) = channel();
    let start = Instant::now().into_std();
    let at = |millis| start + std::time::Duration::from_millis(millis);
    let frame = || Frame::parse(jpeg::numbered(1)).unwrap();
    producer.publish(frame(), Stamp::new(SystemTime::UNIX_EPOCH, at(0)));
    placeholder(&producer, 100);
    producer.show_placeholder();
    producer.publish(frame(), Stamp::new(SystemTime::UNIX_EPOCH, at(40)));
    assert_eq!(
        consumer.interval(),
        Some(std::time::Duration::from_millis(40))
    );
}
