//! Ingests that follow one another on one source, as on a stream that is read on demand.

use std::time::Duration;

use mjpeg_ingest::{Event, Ingest, IngestConfig};
use mjpeg_testkit::jpeg;
use tokio::{io::AsyncWriteExt, time::Instant};

use crate::pipe::{Attempt, Pipes};

/// Connects, waits for a frame, and leaves.
async fn visit(mut ingest: Ingest) {
    loop {
        match ingest.next().await {
            Some(Event::Frame(_)) => return,
            Some(_) => {}
            None => panic!("it has ended"),
        }
    }
}

async fn ready() -> (Attempt, tokio::io::DuplexStream) {
    let (attempt, mut camera) = Attempt::open();
    camera.write_all(&jpeg::numbered(1)).await.unwrap();
    (attempt, camera)
}

#[tokio::test(start_paused = true)]
async fn visits_keep_their_distance_and_the_first_is_not_delayed() {
    let mut cameras = Vec::new();
    let mut attempts = Vec::new();
    for _ in 0..8 {
        let (attempt, camera) = ready().await;
        attempts.push(attempt);
        cameras.push(camera);
    }
    let (source, _) = Pipes::source(attempts);
    let begun = Instant::now();
    let mut times = Vec::new();
    for _ in 0..5 {
        visit(Ingest::new(source.clone(), IngestConfig::default())).await;
        times.push(begun.elapsed().as_secs());
    }
    assert_eq!(times, [0, 1, 2, 3, 4]);
    tokio::time::sleep(Duration::from_secs(10)).await;
    let again = Instant::now();
    visit(Ingest::new(source.clone(), IngestConfig::default())).await;
    assert!(
        again.elapsed() < Duration::from_millis(2),
        "a later visit is a first one"
    );
    let other = IngestConfig::default().with_connect_interval(Duration::ZERO);
    visit(Ingest::new(source, other)).await;
    assert!(again.elapsed() < Duration::from_millis(4));
}

#[tokio::test(start_paused = true)]
async fn visitors_who_leave_before_their_turn_do_not_put_it_off() {
    let mut cameras = Vec::new();
    let mut attempts = Vec::new();
    for _ in 0..3 {
        let (attempt, camera) = ready().await;
        attempts.push(attempt);
        cameras.push(camera);
    }
    let (source, _) = Pipes::source(attempts);
    let begun = Instant::now();
    // Each waits as long as a snapshot does.
    let wait = Duration::from_millis(800);
    let mut seen = Vec::new();
    for _ in 0..5 {
        let ingest = Ingest::new(source.clone(), IngestConfig::default());
        if tokio::time::timeout(wait, visit(ingest)).await.is_ok() {
            seen.push(begun.elapsed().as_millis() / 100);
        }
    }
    assert_eq!(seen, [0, 10, 20]);
}
