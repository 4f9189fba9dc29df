//! Placeholders, and frames that are withdrawn.

use std::time::{Duration, SystemTime};

use mjpeg_codec::Stamp;
use mjpeg_fanout::{Consumer, Producer, channel};
use mjpeg_testkit::jpeg;
use tokio::time::{Instant, timeout};

use crate::{frame, next_number, publish, stamp};

fn placeholder(producer: &Producer, number: u32) {
    producer.set_placeholder(frame(number), stamp());
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
    let nothing = timeout(Duration::from_secs(60), consumer.next()).await;
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
    let nothing = timeout(Duration::from_secs(60), newcomer.next()).await;
    assert!(nothing.is_err());
    publish(&producer, 2);
    assert_eq!(next_number(&mut newcomer).await, Some(2));
}

#[test]
fn placeholders_do_not_count_in_the_interval() {
    let (producer, consumer) = channel();
    let start = Instant::now().into_std();
    let at = |millis| start + Duration::from_millis(millis);
    producer.publish(frame(1), Stamp::new(SystemTime::UNIX_EPOCH, at(0)));
    placeholder(&producer, 100);
    producer.show_placeholder();
    producer.publish(frame(1), Stamp::new(SystemTime::UNIX_EPOCH, at(40)));
    assert_eq!(consumer.interval(), Some(Duration::from_millis(40)));
}

#[tokio::test(start_paused = true)]
async fn cleared_placeholder_gives_way_to_the_last_picture() {
    let (producer, mut consumer) = channel();
    placeholder(&producer, 100);
    producer.show_placeholder();
    assert_eq!(next_number(&mut consumer).await, Some(100));
    producer.clear_placeholder();
    assert!(consumer.placeholder().is_none());
    assert_eq!(latest(&consumer), None, "there is no picture yet");
    producer.show_placeholder();
    assert_eq!(latest(&consumer), None, "there is none to show");

    publish(&producer, 1);
    placeholder(&producer, 101);
    producer.show_placeholder();
    assert_eq!(next_number(&mut consumer).await, Some(101));
    producer.clear_placeholder();
    assert_eq!(next_number(&mut consumer).await, Some(1));

    placeholder(&producer, 102);
    producer.clear_placeholder();
    let nothing = timeout(Duration::from_secs(60), consumer.next()).await;
    assert!(
        nothing.is_err(),
        "only a placeholder that is shown is replaced"
    );
}
