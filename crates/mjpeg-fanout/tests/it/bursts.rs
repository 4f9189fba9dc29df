//! Frames that come together.

use std::time::Duration;

use mjpeg_fanout::{Consumer, Turn, channel};
use mjpeg_testkit::jpeg;
use tokio::{
    task::{JoinHandle, yield_now},
    time::{Instant, sleep},
};

use crate::{frame, publish, stamp};

/// A consumer that is always ready, and needs this long for each frame.
fn ready(mut consumer: Consumer, needs: Duration) -> JoinHandle<Vec<u32>> {
    tokio::spawn(async move {
        let mut seen = Vec::new();
        loop {
            let turn = consumer.turn();
            let Some(published) = consumer.next().await else {
                return seen;
            };
            seen.extend(jpeg::number_of(published.frame.bytes()));
            sleep(needs).await;
            drop(turn);
        }
    })
}

#[tokio::test(start_paused = true)]
async fn consumers_that_are_ready_get_every_frame_of_a_burst() {
    let (producer, consumer) = channel();
    let needs = [0, 1, 40].map(Duration::from_millis);
    let ready = needs.map(|needs| ready(consumer.clone(), needs));
    yield_now().await;
    for number in 1..=8 {
        let seq = producer.publish_next(frame(number), stamp()).await;
        assert_eq!(seq, u64::from(number));
    }
    drop(producer);
    for consumer in ready {
        assert_eq!(consumer.await.unwrap(), (1..=8).collect::<Vec<_>>());
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_else_is_waited_for() {
    let (producer, mut consumer) = channel();
    let mut recorder = producer.record(Default::default());
    let _viewing = consumer.viewing();
    let since = Instant::now();
    for number in 1..=8 {
        producer.publish_next(frame(number), stamp()).await;
        assert!(producer.taken().await);
    }
    // A turn that begins after a frame is not for it.
    let late = consumer.turn();
    assert!(producer.taken().await);
    assert_eq!(since.elapsed(), Duration::ZERO);
    assert_eq!(consumer.next().await.unwrap().seq, 8);
    assert_eq!(recorder.try_next().unwrap().seq, 1);
    drop(late);
}

#[tokio::test(start_paused = true)]
async fn slow_consumer_delays_one_frame_and_no_other() {
    let (producer, consumer) = channel();
    let _slow = consumer.turn();
    let since = Instant::now();
    publish(&producer, 1);
    assert!(!producer.taken().await);
    let waited = since.elapsed();
    assert!(waited <= Duration::from_millis(100), "{waited:?}");
    for number in 2..=9 {
        producer.publish_next(frame(number), stamp()).await;
    }
    assert!(producer.taken().await);
    assert_eq!(
        since.elapsed() - waited,
        waited,
        "for the frame before once more"
    );
}

/// Says for each frame that it is ready, and never takes one in time.
#[tokio::test(start_paused = true)]
async fn waits_take_at_most_half_of_the_time() {
    let (producer, consumer) = channel();
    let mut held: Vec<Turn> = Vec::new();
    let since = Instant::now();
    for number in 1..=1000 {
        held.push(consumer.turn());
        producer.publish_next(frame(number), stamp()).await;
    }
    let waited = since.elapsed();
    // Half of this, and what there is to begin with.
    assert!(waited <= Duration::from_millis(820), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn dropped_turns_are_forgotten() {
    let (producer, consumer) = channel();
    let turns: Vec<_> = (0..100).map(|_| consumer.turn()).collect();
    publish(&producer, 1);
    let more: Vec<_> = (0..100).map(|_| consumer.turn()).collect();
    drop(turns);
    assert!(producer.taken().await);
    publish(&producer, 2);
    let since = Instant::now();
    assert!(!producer.taken().await);
    drop(more);
    assert!(producer.taken().await);
    assert!(since.elapsed() <= Duration::from_millis(100));
}

/// As many as VLC sends together, four times a second.
#[tokio::test(start_paused = true)]
async fn bursts_do_not_raise_the_rate() {
    let (producer, consumer) = channel();
    assert_eq!(consumer.fps(), 0.0);
    for burst in 0..20 {
        for number in 0..4 {
            publish(&producer, 4 * burst + number);
        }
        sleep(Duration::from_millis(250)).await;
        if burst > 4 {
            assert!((15.0..17.0).contains(&consumer.fps()), "{}", consumer.fps());
            let interval = consumer.interval().unwrap().as_millis();
            assert!((60..65).contains(&interval), "{interval} ms");
        }
    }
    sleep(Duration::from_secs(6)).await;
    assert_eq!(consumer.fps(), 0.0, "nothing comes any more");
}
