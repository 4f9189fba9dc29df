//! Reconnecting: sequences of events and delays under paused time.

use std::{future::ready, sync::Arc, time::Duration};

use async_trait::async_trait;
use futures_util::StreamExt;
use mjpeg_codec::DiscardReason;
use mjpeg_ingest::{
    Backoff, Connect, ConnectError, Connection, Error, Event, Ingest, IngestConfig, Source,
};
use mjpeg_testkit::jpeg;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    task::yield_now,
    time::{Instant, advance, sleep, timeout},
};

use crate::pipe::{Attempt, Noise, Pipes};

const SEED: u64 = 7;

fn ingest(attempts: impl IntoIterator<Item = Attempt>) -> Ingest {
    Ingest::new(
        Pipes::source(attempts).0,
        IngestConfig::default().with_seed(SEED),
    )
}

/// The next event as a short text.
async fn next(ingest: &mut Ingest) -> String {
    match ingest.next().await {
        None => "end".into(),
        Some(Event::Connecting) => "connecting".into(),
        Some(Event::Online { peer }) => format!("online {peer}"),
        Some(Event::Frame(captured)) => {
            format!("frame {:?}", jpeg::number_of(captured.frame.bytes()))
        }
        Some(Event::Discarded { reason, bytes }) => format!("discarded {bytes} {reason}"),
        Some(Event::Offline { error, .. }) => format!("offline: {}", error.chain()),
        Some(Event::Stalled { after }) => format!("stalled after {after:?}"),
        Some(Event::Paused) => "paused".into(),
        Some(other) => panic!("an event this test does not know: {other:?}"),
    }
}

/// Pulls until offline, checks that the ingest waits for the announced delay, and returns it.
async fn delay_of_next_offline(ingest: &mut Ingest) -> Duration {
    loop {
        if let Some(Event::Offline { retry_in, .. }) = ingest.next().await {
            let since = Instant::now();
            assert_eq!(next(ingest).await, "connecting");
            // The timer counts whole milliseconds.
            assert!(
                since.elapsed() >= retry_in
                    && since.elapsed() <= retry_in + Duration::from_millis(2)
            );
            return retry_in;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn frames_come_in_order_with_times() {
    let (attempt, mut camera) = Attempt::open();
    let mut ingest = ingest([attempt]);
    assert_eq!(next(&mut ingest).await, "connecting");
    assert_eq!(next(&mut ingest).await, "online pipe");
    camera
        .write_all(&[&jpeg::numbered(1)[..], b"junk", &jpeg::numbered(2)].concat())
        .await
        .unwrap();
    assert_eq!(next(&mut ingest).await, "frame Some(1)");
    assert_eq!(next(&mut ingest).await, "discarded 4 garbage");
    assert_eq!(next(&mut ingest).await, "frame Some(2)");

    sleep(Duration::from_secs(3)).await;
    camera.write_all(&jpeg::numbered(3)).await.unwrap();
    let Some(Event::Frame(captured)) = ingest.next().await else {
        panic!("no frame")
    };
    assert_eq!(
        captured.stamp.monotonic(),
        Instant::now().into_std(),
        "stamped when read, not when connected"
    );
}

#[tokio::test(start_paused = true)]
async fn failures_are_retried_with_growing_delays_for_ever() {
    let mut ingest = ingest((0..40).map(|_| Attempt::Fail));
    for attempt in 0..39 {
        assert_eq!(
            delay_of_next_offline(&mut ingest).await,
            Backoff::default().delay(attempt, SEED)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn hanging_attempt_ends_at_the_connect_timeout() {
    let mut ingest = ingest([Attempt::Hang]);
    assert_eq!(next(&mut ingest).await, "connecting");
    let since = Instant::now();
    let Some(Event::Offline { error, .. }) = ingest.next().await else {
        panic!("not offline")
    };
    let Error::Connect(ConnectError::TimedOut { after }) = *error else {
        panic!("{error}");
    };
    assert_eq!(after, Duration::from_secs(5));
    assert_eq!(since.elapsed().as_secs(), 5);
}

#[tokio::test(start_paused = true)]
async fn silent_camera_is_given_up_after_the_stall_limit() {
    let (attempt, mut camera) = Attempt::open();
    let mut ingest = ingest([attempt]);
    next(&mut ingest).await;
    next(&mut ingest).await;
    camera.write_all(&jpeg::numbered(1)).await.unwrap();
    assert_eq!(next(&mut ingest).await, "frame Some(1)");
    assert_eq!(next(&mut ingest).await, "stalled after 2s");
    sleep(Duration::from_secs(7)).await;
    camera.write_all(b"x").await.unwrap();
    let since = Instant::now();
    // A single byte keeps it alive for another ten seconds.
    assert_eq!(next(&mut ingest).await, "discarded 1 garbage");
    assert_eq!(
        next(&mut ingest).await,
        "offline: the camera sent nothing for 10s (stall_limit)"
    );
    assert_eq!(since.elapsed().as_secs(), 10);
    assert_eq!(
        camera.read(&mut [0]).await.unwrap(),
        0,
        "the connection was closed"
    );
}

#[tokio::test(start_paused = true)]
async fn stall_is_judged_by_the_rhythm_and_told_once() {
    let (attempt, mut camera) = Attempt::open();
    let mut ingest = ingest([attempt]);
    let filming = tokio::spawn(async move {
        for n in 0..20 {
            camera.write_all(&jpeg::numbered(n)).await.unwrap();
            sleep(Duration::from_millis(500)).await;
        }
        sleep(Duration::from_secs(7)).await;
        camera.write_all(&jpeg::numbered(20)).await.unwrap();
        camera
    });
    let mut told = Vec::new();
    loop {
        match &next(&mut ingest).await[..] {
            "frame Some(20)" => break,
            "connecting" | "online pipe" => {}
            frame if frame.starts_with("frame") => assert!(told.is_empty()),
            other => told.push(other.to_owned()),
        }
    }
    assert_eq!(told, ["stalled after 5s"], "ten intervals, and told once");
    let _camera = filming.await.unwrap();
    let anew = next(&mut ingest).await;
    assert!(
        anew.starts_with("stalled after 6."),
        "{anew}: the pause counts as four intervals"
    );
}

#[tokio::test(start_paused = true)]
async fn camera_that_sends_no_frame_is_given_up_though_it_never_ceases_to_send() {
    // A byte per second, where timers fire; and a flood, where no timer gets a turn.
    for (pause, piece) in [(1000, 1), (1, 4096)] {
        let (attempt, mut camera) = Attempt::open();
        let mut ingest = ingest([attempt]);
        let noise = vec![b'x'; piece];
        tokio::spawn(async move {
            while camera.write_all(&noise).await.is_ok() {
                sleep(Duration::from_millis(pause)).await;
            }
        });
        let since = Instant::now();
        let mut stalled = None;
        let error = loop {
            match ingest.next().await {
                Some(Event::Stalled { .. }) => stalled = Some(since.elapsed().as_secs()),
                Some(Event::Offline { error, .. }) => break error.chain().to_string(),
                _ => {}
            }
        };
        assert_eq!(
            error,
            "the camera sent no whole picture for 30s (three times stall_limit)"
        );
        assert_eq!((stalled, since.elapsed().as_secs()), (Some(2), 30));
    }
}

#[tokio::test(start_paused = true)]
async fn noise_that_leaves_no_timer_a_turn_is_given_up_too() {
    let source = Source::custom("noise:", Noise);
    let mut ingest = Ingest::new(source, IngestConfig::default().with_seed(SEED));
    // Paused time does not pass by itself while bytes can be read.
    let clock = tokio::spawn(async {
        loop {
            advance(Duration::from_millis(100)).await;
            yield_now().await;
        }
    });
    let since = Instant::now();
    let error = loop {
        if let Some(Event::Offline { error, .. }) = ingest.next().await {
            break error.chain().to_string();
        }
        assert!(since.elapsed() < Duration::from_secs(60), "given up");
    };
    clock.abort();
    assert_eq!(
        error,
        "the camera sent no whole picture for 30s (three times stall_limit)"
    );
    assert!(since.elapsed() >= Duration::from_secs(30));
}

#[tokio::test(start_paused = true)]
async fn frames_that_waited_for_a_slow_owner_are_no_stall() {
    let (attempt, mut camera) = Attempt::open();
    let mut ingest = ingest([attempt]);
    next(&mut ingest).await;
    next(&mut ingest).await;
    camera.write_all(&jpeg::numbered(1)).await.unwrap();
    assert_eq!(next(&mut ingest).await, "frame Some(1)");
    camera.write_all(&jpeg::sized(2, 640, 480)).await.unwrap();
    sleep(Duration::from_secs(60)).await;
    assert_eq!(next(&mut ingest).await, "frame Some(2)");
}

#[tokio::test(start_paused = true)]
async fn no_limit_is_a_limit_too() {
    let (attempt, mut camera) = Attempt::open();
    let config = IngestConfig::default()
        .with_connect_timeout(Duration::MAX)
        .with_stall_limit(Duration::MAX)
        .with_stable_after(Duration::MAX);
    let mut ingest = Ingest::new(Pipes::source([attempt]).0, config);
    next(&mut ingest).await;
    assert_eq!(next(&mut ingest).await, "online pipe");
    sleep(Duration::from_secs(24 * 3600)).await;
    camera.write_all(&jpeg::numbered(1)).await.unwrap();
    assert_eq!(next(&mut ingest).await, "frame Some(1)");
}

#[tokio::test(start_paused = true)]
async fn frame_broken_off_by_the_end_of_the_connection_is_counted() {
    let (attempt, mut camera) = Attempt::open();
    let mut ingest = ingest([attempt]);
    next(&mut ingest).await;
    next(&mut ingest).await;
    camera.write_all(&jpeg::numbered(1)[..100]).await.unwrap();
    drop(camera);
    assert_eq!(
        next(&mut ingest).await,
        format!("discarded 100 {}", DiscardReason::Truncated)
    );
    assert_eq!(
        next(&mut ingest).await,
        "offline: the camera closed the connection"
    );
}

/// Makes connections that send one frame, stay open for `online` and close.
async fn delays_with_connections_of(
    online: Duration,
    connections: u32,
    with_frame: bool,
) -> Vec<Duration> {
    let (attempts, cameras): (Vec<_>, Vec<_>) = (0..connections).map(|_| Attempt::open()).unzip();
    let mut ingest = ingest(attempts);
    let mut delays = Vec::new();
    for mut camera in cameras {
        tokio::spawn(async move {
            // The ingest reads this when the connection opens; from then on it lasts `online`.
            camera
                .write_all(
                    if with_frame {
                        jpeg::numbered(1)
                    } else {
                        Default::default()
                    }
                    .as_ref(),
                )
                .await?;
            sleep(online).await;
            Ok::<_, std::io::Error>(())
        });
        delays.push(delay_of_next_offline(&mut ingest).await);
    }
    delays
}

#[tokio::test(start_paused = true)]
async fn camera_that_sends_one_frame_and_closes_does_not_spin() {
    let delays = delays_with_connections_of(Duration::from_millis(10), 8, true).await;
    let growing: Vec<_> = (0..8)
        .map(|attempt| Backoff::default().delay(attempt, SEED))
        .collect();
    assert_eq!(delays, growing);
}

#[tokio::test(start_paused = true)]
async fn time_online_without_frames_does_not_reset_the_backoff() {
    let config = IngestConfig::default()
        .with_seed(SEED)
        .with_stall_limit(Duration::from_secs(60));
    let (attempts, cameras): (Vec<_>, Vec<_>) = (0..3).map(|_| Attempt::open()).unzip();
    let mut ingest = Ingest::new(Pipes::source(attempts).0, config);
    for (attempt, camera) in (0..).zip(cameras) {
        tokio::spawn(async move {
            sleep(Duration::from_secs(30)).await;
            drop(camera);
        });
        assert_eq!(
            delay_of_next_offline(&mut ingest).await,
            Backoff::default().delay(attempt, SEED)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn ten_seconds_online_with_frames_reset_the_backoff() {
    let (good, mut camera) = Attempt::open();
    let mut ingest = ingest([
        Attempt::Fail,
        Attempt::Fail,
        Attempt::Fail,
        good,
        Attempt::Fail,
    ]);
    for attempt in 0..3 {
        assert_eq!(
            delay_of_next_offline(&mut ingest).await,
            Backoff::default().delay(attempt, SEED)
        );
    }
    assert_eq!(next(&mut ingest).await, "online pipe");
    tokio::spawn(async move {
        for n in 0..11 {
            camera.write_all(&jpeg::numbered(n)).await.unwrap();
            sleep(Duration::from_secs(1)).await;
        }
    });
    assert_eq!(
        delay_of_next_offline(&mut ingest).await,
        Backoff::default().delay(0, SEED)
    );
    assert_eq!(
        delay_of_next_offline(&mut ingest).await,
        Backoff::default().delay(1, SEED)
    );
}

#[tokio::test(start_paused = true)]
async fn never_two_connections_at_once() {
    let (attempts, cameras): (Vec<_>, Vec<_>) = (0..5).map(|_| Attempt::open()).unzip();
    let (source, pipes) = Pipes::source(attempts);
    let mut ingest = Ingest::new(source, IngestConfig::default());
    for camera in cameras {
        while next(&mut ingest).await != "online pipe" {}
        drop(camera);
    }
    while !next(&mut ingest).await.starts_with("offline") {}
    assert_eq!((pipes.open(), pipes.most_open()), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn dropped_call_loses_nothing() {
    let (attempt, mut camera) = Attempt::open();
    // The attempt takes longer than any single call.
    let slow = Attempt::Later(Duration::from_millis(50), Box::new(attempt));
    let mut ingest = ingest([Attempt::Fail, slow]);
    tokio::spawn(async move {
        for n in 0..20 {
            for byte in jpeg::numbered(n).chunks(200) {
                camera.write_all(byte).await.unwrap();
                sleep(Duration::from_millis(7)).await;
            }
        }
        sleep(Duration::from_secs(3600)).await;
    });
    let mut numbers = Vec::new();
    while numbers.len() < 20 {
        // Each call is dropped after 3 ms, in every state from connecting to reading.
        if let Ok(Some(Event::Frame(captured))) =
            timeout(Duration::from_millis(3), ingest.next()).await
        {
            numbers.push(jpeg::number_of(captured.frame.bytes()).unwrap());
        }
    }
    assert_eq!(numbers, (0..20).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn retry_now_cuts_the_wait_short() {
    let mut ingest = ingest((0..10).map(|_| Attempt::Fail));
    let control = ingest.control();
    for _ in 0..6 {
        delay_of_next_offline(&mut ingest).await;
    }
    while !next(&mut ingest).await.starts_with("offline") {}
    let since = Instant::now();
    control.retry_now();
    assert_eq!(next(&mut ingest).await, "connecting");
    assert_eq!(since.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn pause_closes_the_connection_and_resume_opens_one() {
    let ((first, mut camera), (second, _second_camera)) = (Attempt::open(), Attempt::open());
    let mut ingest = ingest([first, second]);
    let control = ingest.control();
    next(&mut ingest).await;
    assert_eq!(next(&mut ingest).await, "online pipe");
    camera.write_all(b"\xFF\xD8\xFF").await.unwrap();
    assert!(
        timeout(Duration::from_secs(1), ingest.next())
            .await
            .is_err()
    );
    control.pause();
    assert_eq!(
        next(&mut ingest).await,
        "discarded 3 garbage",
        "no byte goes uncounted"
    );
    assert_eq!(next(&mut ingest).await, "paused");
    assert_eq!(
        camera.read(&mut [0]).await.unwrap(),
        0,
        "the connection was closed"
    );
    assert!(
        timeout(Duration::from_secs(3600), ingest.next())
            .await
            .is_err(),
        "paused means paused"
    );
    control.resume();
    assert_eq!(next(&mut ingest).await, "connecting");
    assert_eq!(next(&mut ingest).await, "online pipe");
}

#[tokio::test(start_paused = true)]
async fn pause_ends_an_attempt_and_a_wait() {
    let mut ingest = ingest([Attempt::Hang, Attempt::Fail]);
    let control = ingest.control();
    assert_eq!(next(&mut ingest).await, "connecting");
    assert!(
        timeout(Duration::from_secs(1), ingest.next())
            .await
            .is_err()
    );
    control.pause();
    assert_eq!(next(&mut ingest).await, "paused");
    control.resume();
    assert_eq!(next(&mut ingest).await, "connecting");
    assert_eq!(next(&mut ingest).await, "offline: scripted failure");
    let since = Instant::now();
    control.pause();
    assert_eq!(next(&mut ingest).await, "paused");
    assert_eq!(since.elapsed(), Duration::ZERO, "the wait was cut short");
}

#[tokio::test(start_paused = true)]
async fn dropped_calls_do_not_prolong_the_stall_limit() {
    let (attempt, _camera) = Attempt::open();
    let mut ingest = ingest([attempt]);
    next(&mut ingest).await;
    next(&mut ingest).await;
    let since = Instant::now();
    let mut stalled = None;
    loop {
        match timeout(Duration::from_secs(1), ingest.next()).await {
            Ok(Some(Event::Stalled { .. })) => stalled = Some(since.elapsed().as_secs()),
            Ok(_) => break,
            Err(_) => {}
        }
    }
    assert_eq!((stalled, since.elapsed().as_secs()), (Some(2), 10));
}

#[tokio::test(start_paused = true)]
async fn two_ingests_do_not_come_back_in_step() {
    let delays = async || {
        let mut ingest = Ingest::new(
            Pipes::source((0..4).map(|_| Attempt::Fail)).0,
            IngestConfig::default(),
        );
        let mut delays = Vec::new();
        for _ in 0..3 {
            delays.push(delay_of_next_offline(&mut ingest).await);
        }
        delays
    };
    assert_ne!(delays().await, delays().await);
}

#[tokio::test(start_paused = true)]
async fn finished_source_ends_the_events() {
    let mut ingest = ingest([Attempt::Finish]);
    assert_eq!(next(&mut ingest).await, "connecting");
    assert_eq!(next(&mut ingest).await, "end");
    assert_eq!(next(&mut ingest).await, "end");
}

#[tokio::test(start_paused = true)]
async fn it_is_a_stream() {
    let (attempt, mut camera) = Attempt::open();
    camera.write_all(&jpeg::numbered(1)).await.unwrap();
    drop(camera);
    let events = ingest([Attempt::Fail, attempt, Attempt::Finish]);
    let frames = events.filter(|event| ready(matches!(event, Event::Frame(_))));
    assert_eq!(frames.count().await, 1);
}

/// Connections that end at once, each of which keeps a clone of one `Arc`.
struct Keeping(Arc<()>);

#[async_trait]
impl Connect for Keeping {
    async fn connect(&self) -> Result<Connection, ConnectError> {
        // An attempt takes a while, so that the old guard can be seen to be kept meanwhile.
        sleep(Duration::from_millis(1)).await;
        let guard = Arc::clone(&self.0);
        Ok(Connection::bytes(tokio::io::empty(), "empty").keeping(guard))
    }
}

#[tokio::test(start_paused = true)]
async fn guard_is_kept_to_the_next_connection_and_dropped_on_pause_and_with_the_ingest() {
    let guard = Arc::new(());
    let kept = || Arc::strong_count(&guard) - 2;
    let source = Source::custom("keeping:", Keeping(Arc::clone(&guard)));
    let mut ingest = Ingest::new(source, IngestConfig::default());
    let closed = "offline: the camera closed the connection";
    for before in [0, 1, 1] {
        assert_eq!(next(&mut ingest).await, "connecting");
        assert_eq!(kept(), before);
        assert_eq!(next(&mut ingest).await, "online empty");
        assert_eq!(kept(), 1);
        assert_eq!(next(&mut ingest).await, closed);
        assert_eq!(kept(), 1);
    }
    let control = ingest.control();
    control.pause();
    assert_eq!(next(&mut ingest).await, "paused");
    assert_eq!(kept(), 0);
    control.resume();
    while next(&mut ingest).await != "online empty" {}
    assert_eq!(kept(), 1);
    drop(ingest);
    assert_eq!(Arc::strong_count(&guard), 1);
}
