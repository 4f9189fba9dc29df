//! A recorder takes every frame, within bounds.

use std::{sync::Arc, time::Duration};

use futures_util::StreamExt;
use mjpeg_codec::Frame;
use mjpeg_fanout::{Published, Recorder, RecorderConfig, channel};
use mjpeg_testkit::jpeg;
use tokio::time::{sleep, timeout};

use crate::{frame, publish, stamp};

/// The numbers of the frames in the queue, which it takes.
fn queued(recorder: &mut Recorder) -> Vec<u64> {
    std::iter::from_fn(|| recorder.try_next())
        .map(|published| published.seq)
        .collect()
}

#[tokio::test(start_paused = true)]
async fn hiccups_lose_nothing() {
    let (producer, mut consumer) = channel();
    let mut recorder = producer.record(RecorderConfig::default());
    let publishing = tokio::spawn(async move {
        for n in 1..=151 {
            publish(&producer, n);
            sleep(Duration::from_millis(33)).await;
        }
    });
    // As a motion detector that is busy for 70 ms at every tenth frame.
    let hiccup = async |taken: usize| {
        if taken.is_multiple_of(10) {
            sleep(Duration::from_millis(70)).await;
        }
    };
    let latest_only = async {
        let mut taken = 0;
        while consumer.next().await.is_some() {
            taken += 1;
            hiccup(taken).await;
        }
        taken
    };
    let every = async {
        let mut taken = Vec::new();
        while let Some(published) = recorder.next().await {
            taken.push(published.seq);
            hiccup(taken.len()).await;
        }
        taken
    };
    let (latest_only, every) = tokio::join!(latest_only, every);
    publishing.await.unwrap();
    assert!(latest_only < 140, "{latest_only}");
    assert_eq!(every, (1..=151).collect::<Vec<_>>());
    assert_eq!(recorder.lost(), 0);
}

#[test]
fn over_the_bound_of_frames_the_oldest_is_lost() {
    let (producer, _consumer) = channel();
    let mut recorder = producer.record(RecorderConfig::default().with_max_frames(3));
    for n in 1..=3 {
        publish(&producer, n);
    }
    assert_eq!((recorder.queued_frames(), recorder.lost()), (3, 0));
    publish(&producer, 4);
    assert_eq!((recorder.queued_frames(), recorder.lost()), (3, 1));
    assert_eq!(queued(&mut recorder), [2, 3, 4]);
    publish(&producer, 5);
    assert_eq!((queued(&mut recorder), recorder.lost()), (vec![5], 1));

    let mut none = producer.record(RecorderConfig::default().with_max_frames(0));
    publish(&producer, 6);
    assert_eq!((queued(&mut none), none.lost()), (vec![], 1));
}

#[test]
fn over_the_bound_of_bytes_the_oldest_is_lost() {
    let (producer, consumer) = channel();
    let size = frame(1).bytes().len();
    let bounded = |bytes| consumer.record(RecorderConfig::default().with_max_bytes(bytes));
    let (mut exact, mut less) = (bounded(3 * size), bounded(3 * size - 1));
    for _ in 1..=3 {
        publish(&producer, 1);
    }
    assert_eq!((exact.queued_bytes(), exact.lost()), (3 * size, 0));
    assert_eq!((less.queued_bytes(), less.lost()), (2 * size, 1));

    let larger = jpeg::of_length(4, size + 1);
    let size = larger.len();
    producer.publish(Frame::parse(larger).unwrap(), stamp());
    assert_eq!(queued(&mut exact).last(), Some(&4));
    assert_eq!(exact.queued_bytes(), 0);
    assert_eq!(queued(&mut less).last(), Some(&4));

    // A frame that alone is over the bound costs none of the others.
    let mut small = bounded(size - 1);
    publish(&producer, 1);
    producer.publish(Frame::parse(jpeg::of_length(6, size)).unwrap(), stamp());
    assert_eq!((queued(&mut small), small.lost()), (vec![5], 1));
}

#[test]
fn memory_counts_as_the_buffer_that_a_frame_keeps() {
    let (producer, _consumer) = channel();
    let recorder = producer.record(RecorderConfig::default().with_max_bytes(100_000));
    for n in 1..=3 {
        // What follows the image stays in memory with it.
        let padded = [&jpeg::numbered(n)[..], &[0; 40_000]].concat();
        producer.publish(Frame::parse_prefix(padded).unwrap(), stamp());
    }
    assert_eq!((recorder.queued_frames(), recorder.lost()), (2, 1));
    assert!((80_000..=100_000).contains(&recorder.queued_bytes()));
}

#[test]
fn rendered_parts_are_not_kept() {
    let (producer, consumer) = channel();
    let mut recorder = producer.record(RecorderConfig::default());
    publish(&producer, 1);
    let shown: Arc<Published> = consumer.latest().unwrap();
    let recorded = recorder.try_next().unwrap();
    assert!(!Arc::ptr_eq(&shown, &recorded));
    assert_eq!(
        shown.frame.bytes().as_ptr(),
        recorded.frame.bytes().as_ptr(),
        "the image is shared"
    );
    let same = |a: &Published| (a.seq, a.epoch, a.stamp, a.part().clone());
    assert_eq!(same(&shown), same(&recorded));
}

#[test]
fn recording_begins_with_the_next_frame_and_skips_placeholders() {
    let (producer, consumer) = channel();
    publish(&producer, 1);
    let mut recorder = consumer.record(RecorderConfig::default());
    producer.set_placeholder(frame(100), stamp());
    producer.show_placeholder();
    publish(&producer, 3);
    assert_eq!((queued(&mut recorder), recorder.lost()), (vec![3], 0));
}

#[tokio::test]
async fn closing_leaves_the_queue_to_be_taken() {
    let (producer, consumer) = channel();
    let mut recorder = producer.record(RecorderConfig::default());
    publish(&producer, 1);
    publish(&producer, 2);
    drop(producer);
    assert!(recorder.is_closed());
    assert_eq!(recorder.next().await.unwrap().seq, 1);
    assert_eq!(recorder.next().await.unwrap().seq, 2);
    assert!(recorder.next().await.is_none());
    assert!(recorder.next().await.is_none());
    assert!(
        consumer
            .record(RecorderConfig::default())
            .next()
            .await
            .is_none()
    );
}

#[tokio::test]
async fn dropped_recorder_keeps_no_frame() {
    let (producer, _consumer) = channel();
    let (first, second) = (
        producer.record(RecorderConfig::default()),
        producer.record(RecorderConfig::default()),
    );
    let image = jpeg::numbered(1);
    producer.publish(Frame::parse(image.clone()).unwrap(), stamp());
    publish(&producer, 2);
    drop(first);
    assert!(!image.is_unique());
    drop(second);
    assert!(image.is_unique());
    publish(&producer, 3);
}

#[tokio::test(start_paused = true)]
async fn dropped_wait_takes_no_frame() {
    let (producer, consumer) = channel();
    let mut recorder = consumer.record(RecorderConfig::default());
    let wait = Duration::from_millis(1);
    for n in 1..=3 {
        assert!(timeout(wait, recorder.next()).await.is_err());
        assert!(timeout(wait, StreamExt::next(&mut recorder)).await.is_err());
        publish(&producer, 2 * n - 1);
        publish(&producer, 2 * n);
        let (first, second) = (recorder.next().await, StreamExt::next(&mut recorder).await);
        let taken = [first, second].map(|published| published.unwrap().seq);
        assert_eq!(taken, [2 * u64::from(n) - 1, 2 * u64::from(n)]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_wake_up_is_missed_between_threads() {
    for _ in 0..20 {
        let (producer, consumer) = channel();
        let mut recorder = consumer.record(RecorderConfig::default().with_max_frames(1000));
        let streamed = consumer.record(RecorderConfig::default().with_max_frames(1000));
        let taking = tokio::spawn(async move {
            let mut taken = 0;
            while recorder.next().await.is_some() {
                taken += 1;
            }
            taken
        });
        let streaming = tokio::spawn(streamed.count());
        let frame = frame(1);
        let publishing = std::thread::spawn(move || {
            for _ in 0..1000 {
                producer.publish_now(frame.clone());
            }
        });
        let taken = timeout(Duration::from_secs(20), taking).await.unwrap();
        let streamed = timeout(Duration::from_secs(20), streaming).await.unwrap();
        publishing.join().unwrap();
        assert_eq!((taken.unwrap(), streamed.unwrap()), (1000, 1000));
    }
}
