//! Connections that may be used for a time only, and the order of frames over several of them;
//! under paused time.

use std::{
    collections::VecDeque,
    future::poll_fn,
    io,
    sync::{Arc, Mutex},
    task::Poll,
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use futures_util::{StreamExt, stream};
use mjpeg_codec::{
    Frame, FrameId, Stamp,
    multipart::{RelayHeaders, RelayId, Via},
};
use mjpeg_ingest::{
    Connect, ConnectError, Connection, Error, Event, FailureKind, FrameOrder, Framing, Ingest,
    IngestConfig, RelayedPart, Source, Tenure,
};
use mjpeg_testkit::jpeg;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex},
    sync::oneshot,
    time::{Instant, sleep},
};

/// Connections in order; then the source ends.
struct Connections(Mutex<VecDeque<Connection>>);

#[async_trait]
impl Connect for Connections {
    async fn connect(&self) -> Result<Connection, ConnectError> {
        let next = self.0.lock().unwrap().pop_front();
        next.ok_or(ConnectError::Finished)
    }
}

fn ingest(connections: impl IntoIterator<Item = Connection>) -> Ingest {
    let connections = Connections(Mutex::new(connections.into_iter().collect()));
    let source = Source::custom("test:", connections);
    Ingest::new(source, IngestConfig::default().with_seed(7))
}

/// A connection, and the camera's end of it.
fn camera() -> (Connection, DuplexStream) {
    let (ours, theirs) = duplex(1 << 20);
    (Connection::bytes(ours, "camera"), theirs)
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// The next event that is a frame, or an outage.
async fn next(ingest: &mut Ingest) -> Result<(u32, Option<(u64, u64)>), Arc<Error>> {
    loop {
        match ingest.next().await.expect("the source goes on") {
            Event::Frame(captured) => {
                let number = jpeg::number_of(captured.frame.bytes()).unwrap();
                return Ok((number, captured.stamp.id().map(|id| (id.epoch, id.seq))));
            }
            Event::Offline { error, .. } => return Err(error),
            _ => {}
        }
    }
}

#[tokio::test(start_paused = true)]
async fn connection_is_closed_when_its_tenure_ends_though_nobody_reads_it() {
    for kind in ["bytes", "frames"] {
        let (holder, tenure) = Tenure::new(7, Instant::now() + seconds(3));
        let (gone, mut is_gone) = oneshot::channel::<()>();
        let connection = match kind {
            "bytes" => {
                let (ours, mut theirs) = duplex(64);
                tokio::spawn(async move {
                    let _ = theirs.read_u8().await;
                    drop(gone);
                });
                Connection::bytes(ours, "camera")
            }
            _ => {
                let frames = stream::pending().map(move |never: io::Result<(Frame, Stamp)>| {
                    let _kept = &gone;
                    never
                });
                Connection::frames(frames, "screen")
            }
        };
        let mut ingest = ingest([connection.with_tenure(tenure)]);
        while !matches!(ingest.next().await, Some(Event::Online { .. })) {}
        sleep(seconds(2)).await;
        assert!(holder.extend(Instant::now() + seconds(3)));
        sleep(Duration::from_millis(2990)).await;
        assert!(
            is_gone
                .try_recv()
                .is_err_and(|error| error == oneshot::error::TryRecvError::Empty)
        );
        sleep(Duration::from_millis(20)).await;
        let closed = Err(oneshot::error::TryRecvError::Closed);
        assert_eq!(is_gone.try_recv(), closed, "{kind}");
        assert!(
            !holder.extend(Instant::now() + seconds(9)),
            "it is over for good"
        );
        let error = next(&mut ingest).await.unwrap_err();
        assert!(matches!(*error, Error::TenureEnded), "{error}");
        assert_eq!(error.kind(), FailureKind::Closed);
    }
}

#[tokio::test(start_paused = true)]
async fn end_of_a_tenure_is_noticed_by_who_waits_for_a_frame() {
    let (holder, tenure) = Tenure::new(7, Instant::now() + seconds(3));
    let (connection, _camera) = camera();
    let mut ingest = ingest([connection.with_tenure(tenure)]);
    let begun = Instant::now();
    let waiting = tokio::spawn(async move { next(&mut ingest).await });
    sleep(seconds(1)).await;
    drop(holder);
    let error = waiting.await.unwrap().unwrap_err();
    assert!(matches!(*error, Error::TenureEnded), "{error}");
    assert_eq!(begun.elapsed(), seconds(1));
}

#[tokio::test(start_paused = true)]
async fn frame_that_was_read_before_the_end_of_a_tenure_does_not_come_out_after_it() {
    let (holder, tenure) = Tenure::new(7, Instant::now() + seconds(3));
    let (connection, mut camera) = camera();
    let mut ingest = ingest([connection.with_tenure(tenure)]);
    for number in 1..=2 {
        camera.write_all(&jpeg::numbered(number)).await.unwrap();
    }
    assert_eq!(next(&mut ingest).await.unwrap(), (1, Some((7, 1))));
    drop(holder);
    let error = next(&mut ingest).await.unwrap_err();
    assert!(matches!(*error, Error::TenureEnded), "{error}");
}

#[tokio::test(start_paused = true)]
async fn frames_are_numbered_over_all_connections_of_a_tenure() {
    let (_holder, tenure) = Tenure::new(7, Instant::now() + seconds(3600));
    let (first, mut camera_1) = camera();
    let (second, mut camera_2) = camera();
    let mut ingest = ingest([
        first.with_tenure(tenure.clone()),
        second.with_tenure(tenure),
    ]);
    for number in 1..=2 {
        camera_1.write_all(&jpeg::numbered(number)).await.unwrap();
    }
    drop(camera_1);
    assert_eq!(next(&mut ingest).await.unwrap(), (1, Some((7, 1))));
    assert_eq!(next(&mut ingest).await.unwrap(), (2, Some((7, 2))));
    next(&mut ingest).await.expect_err("it has hung up");
    camera_2.write_all(&jpeg::numbered(3)).await.unwrap();
    assert_eq!(next(&mut ingest).await.unwrap(), (3, Some((7, 3))));
}

#[tokio::test(start_paused = true)]
async fn frames_after_a_renewal_are_of_the_later_epoch_and_the_connection_stays() {
    let (holder, tenure) = Tenure::new(7, Instant::now() + seconds(3));
    let (connection, mut camera) = camera();
    let mut ingest = ingest([connection.with_tenure(tenure.clone())]);
    camera.write_all(&jpeg::numbered(1)).await.unwrap();
    assert_eq!(next(&mut ingest).await.unwrap(), (1, Some((7, 1))));
    assert!(holder.renew(9));
    assert_eq!((holder.epoch(), tenure.epoch()), (9, 9));
    camera.write_all(&jpeg::numbered(2)).await.unwrap();
    assert_eq!(next(&mut ingest).await.unwrap(), (2, Some((9, 2))));
    assert!(holder.renew(8), "it is open");
    camera.write_all(&jpeg::numbered(3)).await.unwrap();
    let after_an_earlier_one = next(&mut ingest).await.unwrap();
    assert_eq!(after_an_earlier_one, (3, Some((9, 3))));
    // It lasts no longer for it.
    sleep(seconds(3)).await;
    assert!(!holder.renew(11));
    let ended = next(&mut ingest).await.unwrap_err();
    assert!(matches!(*ended, Error::TenureEnded), "{ended}");
}

/// Writes down when it is dropped.
struct NotesItsEnd(Arc<Mutex<Vec<&'static str>>>, &'static str);

impl Drop for NotesItsEnd {
    fn drop(&mut self) {
        self.0.lock().unwrap().push(self.1);
    }
}

#[tokio::test(start_paused = true)]
async fn holder_knows_when_all_that_its_tenure_allowed_is_closed() {
    let closed = Arc::new(Mutex::new(Vec::new()));
    let (holder, tenure) = Tenure::new(7, Instant::now() + seconds(3600));
    let input = |name| {
        let kept = NotesItsEnd(Arc::clone(&closed), name);
        stream::pending().map(move |never: io::Result<(Frame, Stamp)>| {
            let _kept = &kept;
            never
        })
    };
    let plain = Connection::frames(input("plain"), "screen").with_tenure(tenure.clone());
    let made = Connection::frames(input("made"), "screen");
    let made = Connection::in_tenure(&tenure, async move { Ok(made) }).await;
    let unmade = NotesItsEnd(Arc::clone(&closed), "unmade");
    let attempt = Connection::in_tenure(&tenure, async move {
        let _kept = unmade;
        std::future::pending().await
    });
    // It was begun, and whoever began it is busy with something else.
    let mut attempt = Box::pin(attempt);
    let begun = poll_fn(|cx| Poll::Ready(attempt.as_mut().poll(cx).is_pending()));
    assert!(begun.await);
    let all_closed = holder.closed();
    drop(holder);
    all_closed.await;
    let mut closed = closed.lock().unwrap().clone();
    closed.sort_unstable();
    assert_eq!(closed, ["made", "plain", "unmade"]);
    attempt.await.expect_err("the tenure has ended");
    drop((plain, made));
}

#[tokio::test(start_paused = true)]
async fn tenure_without_a_connection_is_closed_when_it_ends() {
    let (holder, tenure) = Tenure::new(7, Instant::now() + seconds(3));
    let begun = Instant::now();
    drop(Connection::frames(stream::pending(), "screen").with_tenure(tenure));
    holder.closed().await;
    assert_eq!(begun.elapsed(), seconds(3), "not before");
}

#[tokio::test(start_paused = true)]
async fn after_a_connection_that_was_to_end_the_next_attempt_begins_at_once() {
    let (moved, is_moved) = oneshot::channel::<()>();
    let (holder, tenure) = Tenure::new(7, Instant::now() + seconds(3600));
    let (first, _camera_1) = camera();
    let (second, _camera_2) = camera();
    let (third, mut camera_3) = camera();
    let first = first.until(async move { drop(is_moved.await) });
    let mut ingest = ingest([first, second.with_tenure(tenure), third]);
    let begun = Instant::now();
    drop(moved);
    let ended = next(&mut ingest).await.unwrap_err();
    assert!(matches!(*ended, Error::TenureEnded), "{ended}");
    drop(holder);
    let ended = next(&mut ingest).await.unwrap_err();
    assert!(matches!(*ended, Error::TenureEnded), "{ended}");
    camera_3.write_all(&jpeg::numbered(3)).await.unwrap();
    assert_eq!(next(&mut ingest).await.unwrap(), (3, None));
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

/// What a relay with this frame sends: its number is the sequence number.
fn relayed(epoch: u64, seq: u32, is_online: bool) -> io::Result<RelayedPart> {
    let said = RelayHeaders {
        id: FrameId {
            epoch,
            seq: seq.into(),
        },
        age: Duration::from_millis(40),
        is_online,
        is_repeat: false,
        via: Via::through(RelayId::new(1), &Via::default()),
    };
    Ok(RelayedPart::Frame {
        frame: Frame::parse(jpeg::numbered(seq)).unwrap(),
        timestamp: None,
        said,
    })
}

#[tokio::test(start_paused = true)]
async fn frames_of_an_older_epoch_are_left_out_whichever_connection_brings_them() {
    let order = FrameOrder::new();
    let connection = |frames: Vec<io::Result<RelayedPart>>| {
        Connection::relayed(stream::iter(frames), "relay").with_order(order.clone())
    };
    let of_new = connection(vec![relayed(2, 1, true), relayed(2, 2, true)]);
    let of_old = connection(vec![
        relayed(1, 90, true),
        relayed(2, 2, true),
        relayed(2, 3, true),
    ]);
    let mut ingest = ingest([of_new, of_old]);
    assert_eq!(next(&mut ingest).await.unwrap(), (1, Some((2, 1))));
    assert_eq!(next(&mut ingest).await.unwrap(), (2, Some((2, 2))));
    next(&mut ingest).await.expect_err("it has hung up");
    assert_eq!(next(&mut ingest).await.unwrap(), (3, Some((2, 3))));
    assert_eq!(order.refused(), 2);
}

#[tokio::test(start_paused = true)]
async fn order_does_not_apply_to_frames_without_an_identity() {
    let order = FrameOrder::new();
    order.accept(FrameId {
        epoch: u64::MAX,
        seq: u64::MAX,
    });
    let (connection, mut camera) = camera();
    let connection = connection
        .with_order(order)
        .with_framing(Framing::Concatenated);
    let mut ingest = ingest([connection]);
    camera.write_all(&jpeg::numbered(1)).await.unwrap();
    assert_eq!(next(&mut ingest).await.unwrap(), (1, None));
}

#[tokio::test(start_paused = true)]
async fn what_a_relay_says_between_frames_reports_the_outage_and_keeps_the_connection() {
    let state = |is_online| Ok(RelayedPart::State { is_online });
    let (frames, receiver) = tokio::sync::mpsc::unbounded_channel();
    let stream = stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|item| (item, receiver))
    });
    let mut ingest = ingest([Connection::relayed(stream, "relay")]);
    frames.send(relayed(2, 1, true)).unwrap();
    let Some(Event::Frame(captured)) = ingest
        .by_ref()
        .filter(|event| std::future::ready(matches!(event, Event::Frame(_))))
        .next()
        .await
    else {
        panic!("no frame");
    };
    let age = SystemTime::now().duration_since(captured.stamp.received());
    assert!(age.unwrap() >= Duration::from_millis(40), "its age counts");
    frames.send(state(false)).unwrap();
    let error = next(&mut ingest).await.unwrap_err();
    assert!(matches!(*error, Error::RelayOffline), "{error}");
    let heartbeats = frames.clone();
    tokio::spawn(async move {
        // Longer than a connection without a frame is kept.
        for _ in 0..120 {
            sleep(seconds(1)).await;
            heartbeats.send(state(false)).unwrap();
        }
        heartbeats.send(relayed(2, 2, true)).unwrap();
    });
    let begun = Instant::now();
    assert_eq!(next(&mut ingest).await.unwrap(), (2, Some((2, 2))));
    assert!(begun.elapsed() >= seconds(120));
    frames.send(state(false)).unwrap();
    let again = next(&mut ingest).await.unwrap_err();
    assert!(matches!(*again, Error::RelayOffline), "{again}");
}
