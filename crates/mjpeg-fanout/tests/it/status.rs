//! What consumers learn of the source.

use std::time::Duration;

use mjpeg_fanout::{Status, channel};
use tokio::time::timeout;

use crate::{frame, publish, stamp};

#[tokio::test]
async fn status_is_what_the_producer_says() {
    let (producer, consumer) = channel();
    assert_eq!(consumer.status(), Status::Connecting);
    producer.set_status(Status::Online);
    assert_eq!(consumer.status(), Status::Online);
}

#[test]
fn first_frame_makes_the_status_online() {
    let (producer, consumer) = channel();
    producer.set_placeholder(frame(100), stamp());
    producer.show_placeholder();
    assert_eq!(
        consumer.status(),
        Status::Connecting,
        "no frame of the source"
    );
    publish(&producer, 1);
    assert_eq!(consumer.status(), Status::Online);
}

#[test]
fn frames_leave_a_status_that_the_owner_set() {
    for before in [Status::Connecting, Status::Offline] {
        let (producer, consumer) = channel();
        producer.set_status(before);
        publish(&producer, 1);
        assert_eq!(consumer.status(), before);
    }
    let (producer, consumer) = channel();
    publish(&producer, 1);
    producer.set_status(Status::Offline);
    publish(&producer, 2);
    assert_eq!(
        consumer.status(),
        Status::Offline,
        "set after the first frame"
    );
}

#[tokio::test(start_paused = true)]
async fn status_changes_are_waited_for() {
    let (producer, mut consumer) = channel();
    let wait = Duration::from_millis(1);
    assert!(timeout(wait, consumer.status_changed()).await.is_err());
    producer.set_status(Status::Offline);
    assert_eq!(consumer.status_changed().await, Some(Status::Offline));
    assert!(timeout(wait, consumer.status_changed()).await.is_err());
    producer.set_status(Status::Online);
    producer.set_status(Status::Connecting);
    assert_eq!(consumer.status_changed().await, Some(Status::Connecting));
}

#[test]
fn status_is_written_in_lower_case() {
    let all = [Status::Connecting, Status::Online, Status::Offline];
    assert_eq!(
        all.map(|status| status.to_string()),
        ["connecting", "online", "offline"]
    );
    assert_eq!(format!("{:>8}", Status::Online), "  online");
}
