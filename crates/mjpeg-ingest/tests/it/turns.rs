//! A camera whose bytes take long leaves others their turn, and a flood has its share only.

use std::{
    io,
    net::{Ipv4Addr, TcpListener},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    thread,
};

use bytes::Bytes;
use mjpeg_codec::{DiscardReason, MissingEoi, SplitterConfig};
use mjpeg_ingest::{Event, Framing, Ingest, IngestConfig, Source, frames};
use mjpeg_testkit::{Camera, Script, Step, jpeg};
use tokio::{
    io::{AsyncRead, ReadBuf},
    task::yield_now,
};

/// A reader that always has the same bytes again, and counts them.
struct Endless {
    pattern: Bytes,
    at: usize,
    read: Arc<AtomicU64>,
}

impl AsyncRead for Endless {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        room: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = room.filled().len();
        while room.remaining() > 0 {
            let rest = self.pattern.slice(self.at..);
            let n = rest.len().min(room.remaining());
            room.put_slice(&rest[..n]);
            self.at = (self.at + n) % self.pattern.len();
        }
        let n = room.filled().len() - before;
        self.read.fetch_add(n as u64, Ordering::Relaxed);
        Poll::Ready(Ok(()))
    }
}

#[tokio::test(flavor = "current_thread")]
async fn others_have_their_turn_by_the_work_that_the_bytes_make() {
    let header = [0xFF, 0xD8, 0xFF, 0xC0, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0];
    let patterns = [
        ("fill", [&header[..], &[0xFF; 15 << 20]].concat()),
        ("zeros", vec![0; 1 << 20]),
        (
            "false beginnings",
            [0xFF, 0xD8, 0xFF, 0xE0, 0xFF, 0xFF].repeat(10_000),
        ),
        ("lines", b"--f\r\n\r\n".repeat(10_000)),
        ("frames", jpeg::of_length(1, 100_000).to_vec()),
        ("small frames", jpeg::numbered(1).to_vec()),
    ];
    for (name, pattern) in patterns {
        let read = Arc::new(AtomicU64::new(0));
        let reader = Endless {
            pattern: pattern.into(),
            at: 0,
            read: Arc::clone(&read),
        };
        let framing = if name == "lines" {
            Framing::Multipart
        } else {
            Framing::Concatenated
        };
        let mut frames = frames(reader).with_framing(framing);
        let reading = tokio::spawn(async move { while frames.next().await.is_some() {} });
        let (mut last, mut most) = (0, 0);
        for _ in 0..50 {
            yield_now().await;
            let now = read.load(Ordering::Relaxed);
            most = most.max(now - last);
            last = now;
        }
        reading.abort();
        assert!(
            last > 0 && most <= 384 << 10,
            "{name}: {most} bytes in a turn"
        );
    }
}

/// Sends a flood and then pictures, without end.
fn flooding_camera(flood: Vec<u8>, rest: Vec<u8>) -> Source {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let (mut camera, _) = listener.accept()?;
        io::Write::write_all(&mut camera, &flood)?;
        loop {
            io::Write::write_all(&mut camera, &rest)?;
        }
        #[allow(unreachable_code)]
        io::Result::Ok(())
    });
    Source::tcp("127.0.0.1", port)
}

#[tokio::test]
async fn flood_is_told_once_and_every_frame_behind_it_comes() {
    let mut flood = [0xFF, 0xD8, 0xFF, 0xE0, 0xFF, 0xFF].repeat(1_500_000);
    let flood_bytes = flood.len() as u64;
    // Its last segments would claim the first picture as their contents.
    flood.extend([0; 70_000]);
    let first = jpeg::numbered(1);
    let pictures = [&first[..], &jpeg::numbered(2)].concat();
    let source = flooding_camera(flood, pictures);
    let mut ingest = Ingest::new(source, IngestConfig::default());
    let (mut told, mut as_flood, mut frames) = (0, 0, Vec::new());
    while frames.len() < 100 {
        match ingest.next().await.unwrap() {
            Event::Flooded => told += 1,
            Event::Discarded {
                reason: DiscardReason::Flood,
                bytes,
            } => as_flood += bytes,
            Event::Frame(captured) => frames.push(captured.frame.into_bytes()),
            Event::Offline { error, .. } => panic!("{}", error.chain()),
            _ => {}
        }
    }
    assert_eq!(told, 1);
    assert!(as_flood > flood_bytes / 2, "{as_flood}");
    assert!(frames[0] == first);
}

#[tokio::test]
async fn picture_without_eoi_in_hand_when_the_connection_ends_is_no_frame() {
    let image = jpeg::numbered(1);
    let without_eoi = image.slice(..image.len() - 2);
    let send = Step::Send([&without_eoi[..], &without_eoi].concat().into());
    let splitter = SplitterConfig::default().with_missing_eoi(MissingEoi::Accept);
    for end in [None, Some(Step::Reset)] {
        let steps = std::iter::once(send.clone()).chain(end).collect();
        let camera = Camera::start(Script::new(steps)).await;
        let addr = camera.addr();
        let config = IngestConfig::default().with_splitter(splitter.clone());
        let mut ingest = Ingest::new(Source::tcp("127.0.0.1", addr.port()), config);
        let (mut frames, mut truncated) = (0, 0);
        loop {
            match ingest.next().await.unwrap() {
                Event::Frame(captured) => {
                    assert_eq!(captured.frame.bytes(), &without_eoi);
                    frames += 1;
                }
                Event::Discarded {
                    reason: DiscardReason::Truncated,
                    ..
                } => truncated += 1,
                Event::Offline { .. } => break,
                _ => {}
            }
        }
        // A reset may overtake what was sent.
        assert!(frames <= 1 && truncated == frames, "{frames} {truncated}");
    }
}
