//! Streams keep their last frames if their spec says so.

use std::time::Duration;

use mjpeg_manager::{
    Manager, ReplayInfo, StreamSpec, StreamState,
    mjpeg_fanout::{RingConfig, RingTier},
};
use mjpeg_testkit::{Camera, Script, jpeg};
use tokio::time::Instant;

use crate::support::{config, live, serving, soon, spec, until};

fn minute() -> RingConfig {
    let tier = RingTier::new(Duration::ZERO, Duration::from_secs(60));
    RingConfig::default().with_tiers([tier])
}

fn kept(manager: &Manager, name: &str) -> Option<ReplayInfo> {
    manager.get(name).unwrap().replay
}

async fn keeps(manager: &Manager, name: &str, frames: usize) {
    let enough = async || kept(manager, name).is_some_and(|kept| kept.frames >= frames);
    until("frames are kept", enough).await;
}

#[tokio::test]
async fn every_frame_is_kept_and_can_be_had_by_its_time() {
    let camera = Camera::start(live()).await;
    let manager = serving(config());
    let spec = spec("door", camera.addr()).with_replay(minute());
    soon(manager.start(spec)).await.unwrap();
    keeps(&manager, "door", 50).await;

    let consumer = manager.observe("door").unwrap();
    let ring = consumer.replay().unwrap();
    let latest = consumer.picture().unwrap();
    let reaches = |kept: mjpeg_manager::mjpeg_fanout::RingFrame| kept.id().seq >= latest.seq;
    let same = async || ring.at(Instant::now()).is_some_and(reaches);
    until("the newest is there, too", same).await;
    let then = Instant::from_std(latest.stamp.monotonic());
    let frame = ring.at(then).unwrap();
    assert_eq!(frame.id(), latest.id());
    assert_eq!(frame.frame().bytes(), latest.frame.bytes());
    // One after the other, without a gap.
    let first = ring.after(0).unwrap();
    let second = ring.after(first.number()).unwrap();
    assert_eq!(second.id().seq, first.id().seq + 1);
    let info = kept(&manager, "door").unwrap();
    assert_eq!((info.lost, info.evicted), (0, 0));
    assert!(info.span.is_some_and(|span| span < Duration::from_secs(30)));
}

#[tokio::test]
async fn nothing_is_kept_unless_the_spec_says_so_and_that_can_change() {
    let camera = Camera::start(live()).await;
    let manager = serving(config());
    let spec = spec("door", camera.addr());
    soon(manager.start(spec.clone())).await.unwrap();
    let came = async || manager.get("door").unwrap().frames > 20;
    until("frames have come", came).await;
    assert_eq!(kept(&manager, "door"), None);
    let ring = manager.observe("door").unwrap().replay().unwrap();
    assert_eq!(ring.stats().frames, 0);

    soon(manager.apply(spec.clone().with_replay(minute())))
        .await
        .unwrap();
    keeps(&manager, "door", 20).await;
    soon(manager.apply(spec.clone().with_replay(None)))
        .await
        .unwrap();
    until("all are gone", async || ring.stats().frames == 0).await;
    assert_eq!(ring.stats().bytes, 0);
    soon(manager.apply(spec.with_replay(minute())))
        .await
        .unwrap();
    keeps(&manager, "door", 20).await;
    assert_eq!(
        kept(&manager, "door").unwrap().lost,
        0,
        "those before do not count"
    );
}

#[tokio::test]
async fn frames_outlast_an_outage_of_the_camera() {
    let camera = Camera::start(live()).await;
    let manager = serving(config());
    let spec = spec("door", camera.addr()).with_replay(minute());
    soon(manager.start(spec)).await.unwrap();
    keeps(&manager, "door", 20).await;
    drop(camera);
    let offline = |state: &StreamState| matches!(state, StreamState::Offline { .. });
    soon(manager.wait_for("door", offline)).await.unwrap();
    assert!(kept(&manager, "door").unwrap().frames >= 20);
}

#[tokio::test]
async fn memory_of_all_streams_has_one_limit() {
    const CEILING: usize = 3 << 20;
    let frames = (0..20)
        .map(|number| jpeg::of_length(number, 50_000))
        .collect::<Vec<_>>();
    let script = Script::live(frames, Duration::from_millis(5));
    let (one, two) = (
        Camera::start(script.clone()).await,
        Camera::start(script).await,
    );
    let manager = serving(config().with_max_replay_bytes(CEILING));
    for (name, camera) in [("one", &one), ("two", &two)] {
        let spec: StreamSpec = spec(name, camera.addr()).with_replay(minute());
        soon(manager.start(spec)).await.unwrap();
    }
    let read = |name| kept(&manager, name).unwrap();
    let full = async || read("one").evicted > 100 && read("two").evicted > 100;
    until("both have had to give", full).await;
    for _ in 0..50 {
        assert!(read("one").bytes + read("two").bytes <= CEILING + (1 << 20));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(read("one").lost + read("two").lost, 0);
}
