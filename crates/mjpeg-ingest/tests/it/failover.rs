//! Several sources for one stream, under paused time.

use std::{sync::Arc, time::Duration};

use mjpeg_ingest::{Event, Failover, IngestConfig, Source};
use mjpeg_testkit::jpeg;
use tokio::{
    io::{AsyncWriteExt, DuplexStream},
    time::{Instant, sleep, timeout},
};

use crate::pipe::{Attempt, Noise, Pipes};

fn failover(lanes: impl IntoIterator<Item = Vec<Attempt>>) -> (Failover, Vec<Arc<Pipes>>) {
    let (sources, pipes): (Vec<_>, Vec<_>) = lanes.into_iter().map(Pipes::source).unzip();
    (
        Failover::new(sources, IngestConfig::default().with_seed(7)),
        pipes,
    )
}

/// Sends a numbered frame every 100 ms until the other end closes.
async fn film(mut camera: DuplexStream, first: u32, count: u32) -> DuplexStream {
    for n in first..first + count {
        if camera.write_all(&jpeg::numbered(n)).await.is_err() {
            break;
        }
        sleep(Duration::from_millis(100)).await;
    }
    camera
}

/// Pulls until a frame comes, and returns its source and number.
async fn frame(failover: &mut Failover) -> (usize, u32) {
    loop {
        if let Some((source, Event::Frame(captured))) = failover.next().await {
            return (source, jpeg::number_of(captured.frame.bytes()).unwrap());
        }
    }
}

/// Pulls until a frame of that source comes, and returns how long that took.
async fn until_from(failover: &mut Failover, source: usize) -> Duration {
    let since = Instant::now();
    let pulling = async { while frame(failover).await.0 != source {} };
    timeout(Duration::from_secs(600), pulling)
        .await
        .expect("that source is taken at some time");
    since.elapsed()
}

#[tokio::test(start_paused = true)]
async fn only_the_first_source_is_connected_while_it_has_frames() {
    let ((first, camera), (second, _other)) = (Attempt::open(), Attempt::open());
    let (mut failover, pipes) = failover([vec![first], vec![second]]);
    let filming = tokio::spawn(film(camera, 0, 300));
    for n in 0..300 {
        assert_eq!(frame(&mut failover).await, (0, n));
    }
    assert_eq!((pipes[0].open(), pipes[1].open()), (1, 0));
    filming.abort();
}

#[tokio::test(start_paused = true)]
async fn source_that_cannot_be_reached_at_first_is_passed_over_at_once() {
    let (third, camera) = Attempt::open();
    let failing = || (0..9).map(|_| Attempt::Fail).collect();
    let (mut failover, _) = failover([failing(), failing(), vec![third]]);
    tokio::spawn(film(camera, 5, 9));
    let since = Instant::now();
    assert_eq!(frame(&mut failover).await, (2, 5));
    assert!(since.elapsed() < Duration::from_millis(100));
}

#[tokio::test(start_paused = true)]
async fn next_source_is_taken_when_frames_have_ceased_for_five_seconds() {
    let ((first, camera), (second, other)) = (Attempt::open(), Attempt::open());
    let (mut failover, pipes) = failover([vec![first], vec![second]]);
    let first = tokio::spawn(film(camera, 0, 50));
    for n in 0..50 {
        assert_eq!(frame(&mut failover).await, (0, n));
    }
    tokio::spawn(film(other, 100, 900));
    // It stalls after two seconds, and failover takes five more.
    let took = until_from(&mut failover, 1).await.as_secs_f64();
    assert!((6.9..7.2).contains(&took), "{took} s");
    assert_eq!(pipes[0].open(), 1, "the first may come to life again");
    // Keep the camera's end open until here.
    drop(first.await);
}

#[tokio::test(start_paused = true)]
async fn better_source_is_taken_again_only_when_it_is_stable() {
    let ((first, camera), (second, other)) = (Attempt::open(), Attempt::open());
    let (again, back) = Attempt::open();
    let again = Attempt::Later(Duration::from_secs(1), Box::new(again));
    let (mut failover, pipes) = failover([vec![Attempt::Fail, first, again], vec![second]]);
    tokio::spawn(film(other, 1000, 5000));
    assert_eq!(until_from(&mut failover, 1).await.as_secs(), 0);

    // It sends frames for eight seconds, then hangs up.
    tokio::spawn(film(camera, 0, 80));
    let second_only = async {
        loop {
            assert_eq!(frame(&mut failover).await.0, 1);
        }
    };
    assert!(timeout(Duration::from_secs(9), second_only).await.is_err());

    tokio::spawn(film(back, 100, 5000));
    let took = until_from(&mut failover, 0).await.as_secs_f64();
    assert!((9.9..12.5).contains(&took), "{took} s");
    assert_eq!((pipes[0].open(), pipes[1].open()), (1, 0));
    assert_eq!((pipes[0].most_open(), pipes[1].most_open()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn better_source_is_taken_at_once_where_there_is_no_other() {
    let ((first, camera), (second, other)) = (Attempt::open(), Attempt::open());
    let (mut failover, _) = failover([vec![Attempt::Fail, first], vec![second]]);
    let other = tokio::spawn(film(other, 1000, 20));
    assert_eq!(frame(&mut failover).await.0, 1);
    drop(other.await);
    tokio::spawn(film(camera, 0, 500));
    let took = until_from(&mut failover, 0).await;
    assert!(took < Duration::from_secs(3), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn ended_sources_are_passed_over_and_the_last_one_ends_all() {
    let (mut failover, _) = failover([vec![Attempt::Finish], vec![Attempt::Finish]]);
    let mut told = Vec::new();
    while let Some((index, event)) = failover.next().await {
        told.push((index, format!("{event:?}").to_lowercase()));
    }
    let expected = [
        (0, "connecting"),
        (0, "ended"),
        (1, "connecting"),
        (1, "ended"),
    ];
    assert!(
        told.iter().map(|(n, what)| (*n, &**what)).eq(expected),
        "{told:?}"
    );
    assert!(failover.next().await.is_none());
    assert!(
        Failover::new([], IngestConfig::default())
            .next()
            .await
            .is_none()
    );
}

#[tokio::test(start_paused = true)]
async fn noise_of_a_better_source_does_not_keep_the_other_from_being_heard() {
    let (second, other) = Attempt::open();
    let sources = [Source::custom("noise:", Noise), Pipes::source([second]).0];
    let mut failover = Failover::new(sources, IngestConfig::default().with_seed(7));
    tokio::spawn(async move {
        // The clock stands still while noise can be read.
        film(other, 0, 1).await
    });
    let pulling = async {
        loop {
            if frame(&mut failover).await.0 == 1 {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    let clock = tokio::spawn(async {
        for _ in 0..200 {
            tokio::time::advance(Duration::from_millis(100)).await;
            tokio::task::yield_now().await;
        }
    });
    timeout(Duration::from_secs(3600), pulling)
        .await
        .expect("heard");
    clock.abort();
}

#[tokio::test(start_paused = true)]
async fn time_of_a_pause_is_no_outage() {
    let ((first, camera), (second, _other)) = (Attempt::open(), Attempt::open());
    let (again, back) = Attempt::open();
    let (mut failover, pipes) = failover([vec![first, again], vec![second]]);
    tokio::spawn(film(camera, 0, 50));
    frame(&mut failover).await;
    failover.control().pause();
    let pulling = async { while failover.next().await.is_some() {} };
    assert!(timeout(Duration::from_secs(60), pulling).await.is_err());
    failover.control().resume();
    tokio::spawn(async move {
        sleep(Duration::from_secs(1)).await;
        film(back, 100, 50).await
    });
    assert_eq!(frame(&mut failover).await, (0, 100));
    assert_eq!(pipes[1].most_open(), 0);
}

#[tokio::test(start_paused = true)]
async fn pause_disconnects_all_sources_and_opens_no_more() {
    let ((first, camera), (second, _other)) = (Attempt::open(), Attempt::open());
    let (mut failover, pipes) = failover([vec![first], vec![second]]);
    tokio::spawn(film(camera, 0, 5000));
    frame(&mut failover).await;
    failover.control().pause();
    let pulling = async { while failover.next().await.is_some() {} };
    assert!(timeout(Duration::from_secs(3600), pulling).await.is_err());
    assert_eq!((pipes[0].open(), pipes[1].most_open()), (0, 0));
}
