//! Cameras that send several frames at once.

use std::{mem, sync::Mutex, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use mjpeg_ingest::{Connect, ConnectError, Connection, Source};
use mjpeg_manager::{Manager, ManagerConfig, StreamSpec};
use mjpeg_testkit::{Camera, Script, Viewer, jpeg};
use tokio::{
    io::{AsyncWriteExt, DuplexStream, duplex},
    task::yield_now,
};

use crate::support::{manager, soon, spec};

/// Ten bursts a cycle, of four frames of this size each, numbered without a gap.
fn bursts(frame_bytes: usize, interval: Duration) -> Script {
    let frame = |number: u32| jpeg::of_length(number, frame_bytes);
    let burst = |n: u32| (4 * n..4 * n + 4).map(frame).collect::<Vec<_>>().concat();
    Script::live((0..10).map(|n| Bytes::from(burst(n))).collect(), interval)
}

#[tokio::test]
async fn viewers_get_every_frame_of_a_camera_that_sends_in_bursts() {
    // One read holds several, or one holds less than one.
    for frame_bytes in [1_000, 20_000, 100_000] {
        let camera = Camera::start(bursts(frame_bytes, Duration::from_millis(100))).await;
        let manager = manager();
        let started = manager.start(spec("door", camera.addr())).await.unwrap();
        let addr = started.listen.unwrap();
        let watch = async || {
            let mut viewer = Viewer::open(addr, "/").await.unwrap();
            let mut last = None;
            for _ in 0..80 {
                let frame = soon(viewer.next_frame()).await.unwrap().expect("a part");
                let number = jpeg::number_of(&frame).unwrap();
                // The last frame may be repeated when nothing comes for a while.
                if last != Some(number) {
                    let expected = last.map_or(number, |last| (last + 1) % 40);
                    assert_eq!(number, expected, "{frame_bytes} bytes");
                    last = Some(number);
                }
            }
        };
        tokio::join!(watch(), watch());
    }
}

#[tokio::test]
async fn rate_is_counted_over_time() {
    let camera = Camera::start(bursts(1_000, Duration::from_millis(100))).await;
    let manager = manager();
    manager.start(spec("door", camera.addr())).await.unwrap();
    let mut events = manager.subscribe("door").unwrap();
    let fps = || manager.get("door").unwrap().fps;
    for _ in 0..60 {
        soon(events.next()).await.unwrap();
        let fps = fps();
        assert!(fps < 60.0, "{fps} of 40");
    }
    assert!(fps() > 15.0, "{} of 40", fps());
}

/// A camera whose one connection is this end of a pipe.
struct Pipe(Mutex<Option<DuplexStream>>);

#[async_trait]
impl Connect for Pipe {
    async fn connect(&self) -> Result<Connection, ConnectError> {
        let pipe = self.0.lock().unwrap().take();
        Ok(Connection::bytes(
            pipe.ok_or(ConnectError::Finished)?,
            "pipe",
        ))
    }
}

/// The reader yields within the burst, by the work that it has done.
#[tokio::test]
async fn viewer_that_needs_a_moment_gets_every_frame_of_a_burst() {
    const FRAMES: u32 = 20;
    let burst: Vec<_> = (1..=FRAMES).map(|n| jpeg::of_length(n, 100_000)).collect();
    let burst = burst.concat();
    let manager = Manager::new(ManagerConfig::default());
    let (mut camera, pipe) = duplex(burst.len());
    let source = Source::custom("pipe:", Pipe(Mutex::new(Some(pipe))));
    let spec = StreamSpec::new("door".parse().unwrap(), source);
    manager.start(spec).await.unwrap();
    let mut viewer = manager.subscribe("door").unwrap();
    let mut turn = viewer.consumer().turn();
    camera.write_all(&burst).await.unwrap();
    for number in 1..=FRAMES {
        let published = soon(viewer.next()).await.expect("the stream runs");
        assert_eq!(jpeg::number_of(published.frame.bytes()), Some(number));
        for _ in 0..10 {
            yield_now().await;
        }
        let next = viewer.consumer().turn();
        drop(mem::replace(&mut turn, next));
    }
    manager.shutdown().await;
}
