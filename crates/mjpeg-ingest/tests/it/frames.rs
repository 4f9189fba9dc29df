//! Frames from a reader that the caller has opened.

use std::{
    cell::Cell,
    collections::VecDeque,
    io,
    marker::PhantomPinned,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use futures_util::{Stream, StreamExt, TryStreamExt};
use mjpeg_codec::{DiscardReason, MissingEoi, SplitterConfig};
use mjpeg_ingest::{Captured, Discarded, Frames, Framing, frames};
use mjpeg_testkit::{Camera, Script, Step, jpeg};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt, ReadBuf, duplex},
    net::TcpStream,
    time::{Instant, sleep, timeout},
};

/// Scripted reads, each ready at once; then the end.
struct Reads(VecDeque<io::Result<Vec<u8>>>);

impl Reads {
    fn new(reads: impl IntoIterator<Item = io::Result<Vec<u8>>>) -> Self {
        Self(reads.into_iter().collect())
    }

    fn chunks(stream: &[u8], size: usize) -> Self {
        Self::new(stream.chunks(size).map(|chunk| Ok(chunk.to_vec())))
    }
}

impl AsyncRead for Reads {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        room: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Some(mut read) = self.0.pop_front().transpose()? {
            let rest = read.split_off(read.len().min(room.remaining()));
            room.put_slice(&read);
            if !rest.is_empty() {
                self.0.push_front(Ok(rest));
            }
        }
        Poll::Ready(Ok(()))
    }
}

fn broken(kind: io::ErrorKind) -> io::Result<Vec<u8>> {
    Err(kind.into())
}

/// The next frame, error or end as a short text.
async fn next<R: AsyncRead + Unpin>(frames: &mut Frames<R>) -> String {
    match frames.next().await {
        Some(Ok(captured)) => format!("frame {:?}", jpeg::number_of(captured.frame.bytes())),
        Some(Err(error)) => format!("{:?}", error.kind()),
        None => "end".into(),
    }
}

/// Count and bytes.
fn discarded<R>(frames: &Frames<R>, reason: DiscardReason) -> (u64, u64) {
    let Discarded { count, bytes, .. } = frames.discarded(reason);
    (count, bytes)
}

#[tokio::test]
async fn frames_do_not_depend_on_how_they_are_read() {
    let images = [
        jpeg::numbered(1),
        jpeg::with_thumbnail(&jpeg::numbered(2), &jpeg::numbered(7)),
        jpeg::of_length(3, 200_000),
        jpeg::progressive(4),
    ];
    let stream = [
        &images[0][..],
        b"junk",
        &images[1],
        &images[2],
        b"\r\n",
        &images[3],
    ]
    .concat();
    for size in [1, 2, 7, 1460, stream.len()] {
        let mut frames = frames(Reads::chunks(&stream, size));
        for image in &images {
            assert_eq!(frames.next().await.unwrap().unwrap().frame.bytes(), image);
        }
        assert!(frames.next().await.is_none());
        let (_, garbage) = discarded(&frames, DiscardReason::Garbage);
        assert_eq!(garbage, 6, "in chunks of {size}");
    }
}

#[tokio::test(start_paused = true)]
async fn frame_comes_out_before_the_next_byte_is_sent() {
    let (reader, mut camera) = duplex(1 << 20);
    let mut frames = frames(reader);
    for n in 0..3 {
        camera.write_all(&jpeg::numbered(n)).await.unwrap();
        assert_eq!(next(&mut frames).await, format!("frame Some({n})"));
        let second = Duration::from_secs(1);
        assert!(timeout(second, frames.next()).await.is_err(), "nothing yet");
    }
}

#[tokio::test(start_paused = true)]
async fn frame_is_stamped_when_its_last_byte_was_read() {
    let (reader, mut camera) = duplex(1 << 20);
    let mut frames = frames(reader);
    let image = jpeg::numbered(1);
    let start = Instant::now();
    let sending = async {
        for part in image.chunks(image.len() / 3 + 1) {
            sleep(Duration::from_secs(1)).await;
            camera.write_all(part).await.unwrap();
        }
    };
    let (captured, ()) = tokio::join!(frames.next(), sending);
    let captured = captured.unwrap().unwrap();
    assert_eq!(
        captured.stamp.monotonic() - start.into_std(),
        Duration::from_secs(3)
    );
    assert!(captured.stamp.received().elapsed().unwrap() < Duration::from_secs(60));
}

#[tokio::test]
async fn frames_read_before_an_error_come_first_and_the_error_last() {
    let (whole, half) = (jpeg::numbered(1), &jpeg::numbered(3)[..500]);
    let read = [&whole[..], &jpeg::numbered(2), half].concat();
    let reset = broken(io::ErrorKind::ConnectionReset);
    let more = Ok(whole.to_vec());
    let mut frames = frames(Reads::new([Ok(read), reset, more]));
    assert_eq!(next(&mut frames).await, "frame Some(1)");
    assert_eq!(next(&mut frames).await, "frame Some(2)");
    assert_eq!(next(&mut frames).await, "ConnectionReset");
    assert_eq!(next(&mut frames).await, "end");
    assert_eq!(next(&mut frames).await, "end");
    assert_eq!(discarded(&frames, DiscardReason::Truncated), (1, 500));
}

#[tokio::test]
async fn frame_broken_off_by_the_end_is_counted() {
    let read = [&jpeg::numbered(1)[..], &jpeg::numbered(2)[..500]].concat();
    let mut frames = frames(&read[..]);
    assert_eq!(next(&mut frames).await, "frame Some(1)");
    assert_eq!(discarded(&frames, DiscardReason::Truncated), (0, 0));
    assert_eq!(next(&mut frames).await, "end");
    assert_eq!(next(&mut frames).await, "end");
    assert_eq!(discarded(&frames, DiscardReason::Truncated), (1, 500));
}

#[tokio::test]
async fn last_frame_without_eoi_comes_out_at_the_end_where_that_is_accepted() {
    let config = SplitterConfig::default().with_missing_eoi(MissingEoi::Accept);
    let whole = jpeg::numbered(1);
    let open = &whole[..whole.len() - 2];
    let reads = Reads::new([Ok(open.to_vec())]);
    let mut ended = frames(reads).with_splitter(config.clone());
    assert_eq!(ended.next().await.unwrap().unwrap().frame.bytes(), open);
    assert_eq!(next(&mut ended).await, "end");
    // Where the reader broke, the frame may have been cut off.
    let reads = Reads::new([Ok(open.to_vec()), broken(io::ErrorKind::ConnectionReset)]);
    let mut broke = frames(reads).with_splitter(config);
    assert_eq!(next(&mut broke).await, "ConnectionReset");
    assert_eq!(next(&mut broke).await, "end");
    let cut_off = discarded(&broke, DiscardReason::Truncated);
    assert_eq!(cut_off, (1, open.len() as u64));
}

#[tokio::test]
async fn multipart_stream_is_read_where_that_is_asked_for() {
    let image = jpeg::numbered(1);
    let head = format!("--b\r\nContent-Length: {}\r\n\r\n", image.len());
    let part = [head.as_bytes(), &image, b"\r\n"].concat();
    let body = [&part[..], &part, b"--b--"].concat();
    let mut read = frames(&body[..]).with_framing(Framing::Multipart);
    for told in ["frame Some(1)", "frame Some(1)", "end"] {
        assert_eq!(next(&mut read).await, told);
    }
    assert_eq!(discarded(&read, DiscardReason::Garbage), (0, 0));
    assert!(discarded(&read, DiscardReason::Framing).0 > 0);
}

#[tokio::test]
async fn what_a_limit_costs_is_counted() {
    let (small, large) = (jpeg::numbered(1), jpeg::of_length(2, 100_000));
    let stream = [&small[..], &large, &small, b"junk", &large, &small].concat();
    let limit = |bytes| SplitterConfig::default().with_max_frame_bytes(bytes);

    let mut all = frames(&stream[..]).with_splitter(limit(large.len()));
    for number in [1, 2, 1, 2, 1] {
        assert_eq!(next(&mut all).await, format!("frame Some({number})"));
    }
    assert_eq!(next(&mut all).await, "end");
    assert_eq!(discarded(&all, DiscardReason::TooLarge), (0, 0));
    assert_eq!(discarded(&all, DiscardReason::Garbage), (1, 4));

    let mut fewer = frames(&stream[..]).with_splitter(limit(large.len() - 1));
    for _ in 0..3 {
        assert_eq!(next(&mut fewer).await, "frame Some(1)");
    }
    assert_eq!(next(&mut fewer).await, "end");
    assert_eq!(discarded(&fewer, DiscardReason::TooLarge).0, 2);
    let lost = DiscardReason::ALL
        .iter()
        .map(|&reason| fewer.discarded(reason).bytes);
    let kept = 3 * small.len() as u64;
    assert_eq!(kept + lost.sum::<u64>(), stream.len() as u64);
}

#[tokio::test(start_paused = true)]
async fn dropped_call_loses_nothing() {
    let (reader, mut camera) = duplex(1 << 20);
    let mut frames = frames(reader);
    tokio::spawn(async move {
        for n in 0..20 {
            for part in jpeg::numbered(n).chunks(200) {
                camera.write_all(part).await.unwrap();
                sleep(Duration::from_millis(7)).await;
            }
        }
    });
    let mut numbers = Vec::new();
    let mut dropped = 0;
    loop {
        // Shorter than the pause between two writes.
        match timeout(Duration::from_millis(3), frames.next()).await {
            Ok(Some(captured)) => numbers.push(jpeg::number_of(captured.unwrap().frame.bytes())),
            Ok(None) => break,
            Err(_elapsed) => dropped += 1,
        }
    }
    assert_eq!(numbers, (0..20).map(Some).collect::<Vec<_>>());
    assert!(dropped > 20, "only {dropped} calls were dropped");
}

#[tokio::test]
async fn interrupted_read_is_repeated() {
    let image = jpeg::numbered(1);
    let (first, second) = image.split_at(300);
    let interrupted = || broken(io::ErrorKind::Interrupted);
    let reads = [
        interrupted(),
        Ok(first.to_vec()),
        interrupted(),
        interrupted(),
        Ok(second.to_vec()),
    ];
    let mut frames = frames(Reads::new(reads));
    assert_eq!(next(&mut frames).await, "frame Some(1)");
    assert_eq!(next(&mut frames).await, "end");
}

/// Always has bytes, never waits, and ignores tokio's budget.
struct Endless {
    reads: u32,
}

impl AsyncRead for Endless {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        room: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.reads += 1;
        assert!(self.reads < 10_000, "nothing else had a turn");
        room.put_slice(b"garbage");
        Poll::Ready(Ok(()))
    }
}

#[tokio::test]
async fn endless_garbage_leaves_other_tasks_their_turn() {
    let other = tokio::spawn(async {});
    let mut frames = frames(Endless { reads: 0 });
    tokio::select! {
        biased;
        done = other => done.unwrap(),
        _ = frames.next() => panic!("there is no frame"),
    }
}

#[tokio::test]
async fn it_is_a_stream() {
    async fn numbers(stream: impl Stream<Item = io::Result<Captured>>) -> Vec<Option<u32>> {
        let number = |captured: Captured| jpeg::number_of(captured.frame.bytes());
        stream.map_ok(number).try_collect().await.unwrap()
    }
    let read = [jpeg::numbered(1), jpeg::numbered(2), jpeg::numbered(3)].concat();
    assert_eq!(
        numbers(frames(&read[..])).await,
        [Some(1), Some(2), Some(3)]
    );
    // Both kinds of `next` can be mixed.
    let mut frames = frames(&read[..]);
    assert_eq!(next(&mut frames).await, "frame Some(1)");
    assert!(StreamExt::next(&mut frames).await.unwrap().is_ok());
    assert_eq!(next(&mut frames).await, "frame Some(3)");
    assert!(StreamExt::next(&mut frames).await.is_none());
}

#[tokio::test]
async fn reader_can_be_lent() {
    let image = jpeg::numbered(1);
    let (mut reader, mut camera) = duplex(1 << 20);
    camera.write_all(&image).await.unwrap();
    let mut lent = frames(&mut reader);
    assert_eq!(next(&mut lent).await, "frame Some(1)");
    camera.write_all(b"not a frame").await.unwrap();
    let mut rest = [0; 11];
    reader.read_exact(&mut rest).await.unwrap();
    assert_eq!(&rest, b"not a frame");
}

#[tokio::test]
async fn reader_that_must_not_move_is_pinned_first() {
    struct Immovable(Cell<Vec<u8>>, PhantomPinned);
    impl AsyncRead for Immovable {
        fn poll_read(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            room: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            room.put_slice(&self.0.take());
            Poll::Ready(Ok(()))
        }
    }
    let reader = Immovable(Cell::new(jpeg::numbered(1).to_vec()), PhantomPinned);
    let mut frames = frames(Box::pin(reader));
    assert_eq!(next(&mut frames).await, "frame Some(1)");
    assert_eq!(next(&mut frames).await, "end");
}

#[tokio::test]
async fn camera_is_read_over_a_socket_of_ones_own() {
    let numbers = 0..50;
    let steps = numbers.clone().flat_map(|n| {
        let image = jpeg::with_thumbnail(&jpeg::numbered(n), &jpeg::numbered(99));
        [Step::Send(image), Step::Wait(Duration::from_millis(2))]
    });
    let camera = Camera::start(Script::new(steps.collect())).await;
    let mut frames = frames(TcpStream::connect(camera.addr()).await.unwrap());
    let mut last = None;
    for n in numbers {
        let captured = frames.next().await.unwrap().unwrap();
        assert_eq!(jpeg::number_of(captured.frame.bytes()), Some(n));
        assert!(last.replace(captured.stamp.monotonic()) <= Some(captured.stamp.monotonic()));
    }
    assert!(frames.next().await.is_none());
}

#[tokio::test]
async fn connection_reset_by_the_camera_is_an_error() {
    let image = jpeg::numbered(1);
    let half = image.slice(..500);
    let wait = || Step::Wait(Duration::from_millis(50));
    let steps = [Step::Send(image), Step::Send(half), wait(), Step::Reset];
    let camera = Camera::start(Script::new(steps.into())).await;
    let mut frames = frames(TcpStream::connect(camera.addr()).await.unwrap());
    assert_eq!(next(&mut frames).await, "frame Some(1)");
    assert_eq!(next(&mut frames).await, "ConnectionReset");
    assert_eq!(next(&mut frames).await, "end");
    assert_eq!(discarded(&frames, DiscardReason::Truncated), (1, 500));
}

#[tokio::test]
async fn dropping_the_frames_closes_the_connection() {
    let camera = Camera::start(Script::frames([jpeg::numbered(1)])).await;
    let mut frames = frames(TcpStream::connect(camera.addr()).await.unwrap());
    assert_eq!(next(&mut frames).await, "frame Some(1)");
    assert_eq!(camera.open(), 1);
    drop(frames);
    let closed = async {
        while camera.open() > 0 {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(5), closed).await.unwrap();
}
