//! Cameras that send several frames at once.

use std::time::Duration;

use bytes::Bytes;
use mjpeg_testkit::{Camera, Script, Viewer, jpeg};

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
