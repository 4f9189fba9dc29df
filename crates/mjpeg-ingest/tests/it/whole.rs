//! Connections that carry whole frames with their own times, under paused time.

use std::{
    collections::VecDeque,
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use futures_util::{
    Stream, StreamExt,
    stream::{self, BoxStream},
};
use mjpeg_codec::{DiscardReason, Frame, SplitterConfig, Stamp};
use mjpeg_ingest::{
    Connect, ConnectError, Connection, Event, Failover, Ingest, IngestConfig, Source, SourceEnd,
};
use mjpeg_testkit::jpeg;
use tokio::time::{Instant, sleep, timeout};

type Item = io::Result<(Frame, Stamp)>;

/// Streams in order, one per connection; after the last, the source ends.
struct Streams(Mutex<VecDeque<BoxStream<'static, Item>>>);

impl Streams {
    fn source(streams: impl IntoIterator<Item = BoxStream<'static, Item>>) -> Source {
        let streams = Mutex::new(streams.into_iter().collect());
        Source::custom("frames:", Self(streams))
    }
}

#[async_trait]
impl Connect for Streams {
    async fn connect(&self) -> Result<Connection, ConnectError> {
        let stream = self.0.lock().unwrap().pop_front();
        let stream = stream.ok_or(ConnectError::Finished)?;
        Ok(Connection::frames(stream, "a screen"))
    }
}

fn frame(number: u32) -> Frame {
    Frame::parse(jpeg::numbered(number)).unwrap()
}

fn stamp() -> Stamp {
    Stamp::new(SystemTime::now(), Instant::now().into_std())
}

/// Numbered frames, one every 100 ms.
fn filmed(count: u32) -> impl Stream<Item = Item> {
    stream::iter(0..count).then(|n| async move {
        sleep(Duration::from_millis(100)).await;
        Ok((frame(n), stamp()))
    })
}

fn ingest(streams: impl IntoIterator<Item = BoxStream<'static, Item>>) -> Ingest {
    Ingest::new(
        Streams::source(streams),
        IngestConfig::default().with_seed(7),
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
        Some(other) => panic!("an event that this test does not expect: {other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn frames_pass_unchanged_with_their_own_times() {
    let received = SystemTime::now() - Duration::from_secs(5);
    let camera = received - Duration::from_millis(40);
    let stamp = Stamp::new(received, Instant::now().into_std()).with_camera(camera);
    let given = frame(7);
    let mut ingest = ingest([stream::iter([Ok((given.clone(), stamp))]).boxed()]);
    assert_eq!(next(&mut ingest).await, "connecting");
    assert_eq!(next(&mut ingest).await, "online a screen");
    let Some(Event::Frame(captured)) = ingest.next().await else {
        panic!("no frame");
    };
    assert_eq!(captured.frame, given);
    assert_eq!(captured.stamp, stamp);
    assert_eq!(captured.stamp.camera(), Some(camera));
    let closed = "offline: the camera closed the connection";
    assert_eq!(next(&mut ingest).await, closed);
    assert_eq!(next(&mut ingest).await, "connecting");
    assert_eq!(next(&mut ingest).await, "end");
}

#[tokio::test(start_paused = true)]
async fn stream_is_polled_only_as_the_owner_pulls() {
    let polled = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&polled);
    let frames = stream::repeat_with(move || {
        counter.fetch_add(1, Ordering::SeqCst);
        Ok((frame(1), stamp()))
    });
    let mut ingest = ingest([frames.boxed()]);
    next(&mut ingest).await;
    assert_eq!(next(&mut ingest).await, "online a screen");
    for pulled in 0..5 {
        assert_eq!(polled.load(Ordering::SeqCst), pulled);
        assert_eq!(next(&mut ingest).await, "frame Some(1)");
    }
}

#[tokio::test(start_paused = true)]
async fn silent_stream_stalls_and_is_given_up() {
    let frames = filmed(30).chain(stream::pending());
    let mut ingest = ingest([frames.boxed()]);
    let mut told = Vec::new();
    while told.last().is_none_or(|told| told != "end") {
        told.push(next(&mut ingest).await);
    }
    let frames = told.iter().filter(|told| told.starts_with("frame")).count();
    assert_eq!(frames, 30);
    let after: Vec<_> = told.iter().skip(32).collect();
    assert_eq!(
        after,
        [
            "stalled after 2s",
            "offline: the camera sent nothing for 10s (stall_limit)",
            "connecting",
            "end"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn errors_end_the_connection_and_may_say_why() {
    let broken: Item = Err(io::ErrorKind::ConnectionReset.into());
    let failed: Item = Err(SourceEnd::Failed("the screen is locked".into()).into());
    let finished: Item = Err(SourceEnd::Finished.into());
    let streams = [broken, failed, finished].map(|end| {
        let ends = stream::once(async { end });
        stream::iter([Ok((frame(1), stamp()))]).chain(ends).boxed()
    });
    let mut ingest = ingest(streams);
    for end in [
        "offline: the connection to the camera broke: connection reset",
        "offline: the screen is locked",
        "end",
    ] {
        assert_eq!(next(&mut ingest).await, "connecting");
        assert_eq!(next(&mut ingest).await, "online a screen");
        assert_eq!(next(&mut ingest).await, "frame Some(1)");
        assert_eq!(next(&mut ingest).await, end);
    }
}

#[tokio::test(start_paused = true)]
async fn frame_above_the_limit_is_discarded() {
    let large = Frame::parse(jpeg::of_length(2, 100_000)).unwrap();
    let bytes = large.bytes().len();
    for (limit, second) in [
        (bytes, "frame Some(2)".to_owned()),
        (
            bytes - 1,
            format!("discarded {bytes} {}", DiscardReason::TooLarge),
        ),
    ] {
        let frames = [frame(1), large.clone(), frame(3)].map(|frame| Ok((frame, stamp())));
        let source = Streams::source([stream::iter(frames).boxed()]);
        let splitter = SplitterConfig::default().with_max_frame_bytes(limit);
        let mut ingest = Ingest::new(source, IngestConfig::default().with_splitter(splitter));
        next(&mut ingest).await;
        next(&mut ingest).await;
        assert_eq!(next(&mut ingest).await, "frame Some(1)");
        assert_eq!(next(&mut ingest).await, second);
        assert_eq!(next(&mut ingest).await, "frame Some(3)");
    }
}

#[tokio::test]
async fn stream_that_is_always_ready_leaves_other_tasks_their_turn() {
    let mut pulled = 0;
    let frames = stream::repeat_with(|| Ok((frame(1), stamp())));
    let mut ingest = ingest([frames.boxed()]);
    let other = tokio::spawn(async {});
    let pulling = async {
        while pulled < 10_000 {
            ingest.next().await;
            pulled += 1;
        }
    };
    tokio::select! {
        biased;
        done = other => done.unwrap(),
        () = pulling => panic!("no other task had a turn"),
    }
}

#[tokio::test(start_paused = true)]
async fn dropped_call_loses_nothing() {
    let mut ingest = ingest([filmed(20).boxed()]);
    let mut numbers = Vec::new();
    while numbers.len() < 20 {
        // Shorter than the time between two frames.
        if let Ok(Some(Event::Frame(captured))) =
            timeout(Duration::from_millis(7), ingest.next()).await
        {
            numbers.push(jpeg::number_of(captured.frame.bytes()).unwrap());
        }
    }
    assert_eq!(numbers, (0..20).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn failover_treats_it_as_any_source() {
    let first = Streams::source([filmed(10).chain(stream::pending()).boxed()]);
    let second = Streams::source([filmed(1000).boxed()]);
    let config = IngestConfig::default().with_seed(7);
    let events = Failover::new([first, second], config);
    let sources: Vec<_> = events
        .filter_map(
            |(index, event)| async move { matches!(event, Event::Frame(_)).then_some(index) },
        )
        .take(40)
        .collect()
        .await;
    assert_eq!(sources, [[0; 10].as_slice(), &[1; 30]].concat());
}

#[tokio::test(start_paused = true)]
async fn frames_that_come_within_10_ms_of_one_another_are_a_burst() {
    let waits = [500, 0, 9, 10, 0, 16, 4];
    let frames = stream::iter(waits).then(|wait| async move {
        match wait {
            0 => {}
            ms => sleep(Duration::from_millis(ms)).await,
        }
        // When the frame was captured does not matter: another relay's frames are older.
        let captured = Instant::now() - Duration::from_millis(400);
        Ok((frame(1), Stamp::new(SystemTime::now(), captured.into_std())))
    });
    let mut ingest = ingest([frames.boxed()]);
    let mut in_burst = Vec::new();
    while in_burst.len() < waits.len() {
        if let Some(Event::Frame(captured)) = ingest.next().await {
            in_burst.push(captured.in_burst);
        }
    }
    assert_eq!(in_burst, [false, true, true, false, true, false, true]);
}
