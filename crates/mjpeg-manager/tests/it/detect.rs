//! What is detected in a camera's pictures.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use mjpeg_codec::{Frame, Stamp};
use mjpeg_manager::{Change, DetectConfig, Detection, Error, Events, InvalidSpec, StreamSpec};
use mjpeg_testkit::{Camera, Script, Step, jpeg};
use tokio::time::{Instant, sleep};

use crate::support::{manager, soon, spec, until};

/// The next event that tells of a detection.
async fn next(events: &mut Events) -> (Detection, bool) {
    let found = async {
        loop {
            match events.next().await.expect("the manager lives").change {
                Change::Detected(kind) => return (kind, true),
                Change::Cleared(kind) => return (kind, false),
                _ => {}
            }
        }
    };
    soon(found).await
}

/// Pictures every 50 ms.
fn steps(frames: impl IntoIterator<Item = Bytes>) -> Vec<Step> {
    let steps = frames
        .into_iter()
        .flat_map(|frame| [Step::Send(frame), Step::Wait(Duration::from_millis(50))]);
    steps.collect()
}

fn plain(count: u32) -> impl Iterator<Item = Bytes> {
    let frame = jpeg::sized(1, 320, 240);
    (0..count).map(move |_| frame.clone())
}

#[tokio::test]
async fn covered_camera_is_told_of_until_it_sees_again() {
    let mut script = steps(plain(20));
    let noise = [1, 2, 3].map(|number| jpeg::of_length(number, 10_000));
    script.extend(steps(noise.into_iter().cycle().take(40)));
    script.push(Step::Stall);
    let camera = Camera::start(Script::new(script)).await;
    let manager = manager();
    let mut events = manager.events();
    let detect = DetectConfig::default().with_covered(Some(4.0));
    let detect = detect.with_hold(Duration::from_millis(300));
    let spec = spec("door", camera.addr()).with_detect(detect);
    manager.start(spec).await.unwrap();
    assert_eq!(next(&mut events).await, (Detection::Covered, true));
    let info = manager.get("door").unwrap();
    assert_eq!(info.detected, [Detection::Covered]);
    assert_eq!(next(&mut events).await, (Detection::Covered, false));
    let info = manager.get("door").unwrap();
    assert_eq!(info.detected, []);
    assert_eq!(
        (info.detections["covered"], info.detections["dark"]),
        (1, 0)
    );
    assert_eq!(info.undetectable, 0);
}

#[tokio::test]
async fn nothing_is_detected_while_there_are_no_pictures_or_it_is_switched_off() {
    let mut script = steps(plain(20));
    script.push(Step::Stall);
    let camera = Camera::start(Script::new(script)).await;
    let manager = manager();
    let mut events = manager.events();
    let detect = DetectConfig::default().with_covered(Some(4.0));
    let detect = detect.with_hold(Duration::from_millis(300));
    let spec = spec("door", camera.addr());
    manager
        .start(spec.clone().with_detect(detect))
        .await
        .unwrap();
    assert_eq!(next(&mut events).await, (Detection::Covered, true));
    camera.shutdown().await;
    assert_eq!(next(&mut events).await, (Detection::Covered, false));
    assert_eq!(manager.get("door").unwrap().detected, []);
}

#[tokio::test]
async fn change_of_the_spec_holds_from_the_next_picture_on() {
    let camera = Camera::start(Script::new(steps(plain(200)))).await;
    let manager = manager();
    let mut events = manager.events();
    let spec = spec("door", camera.addr());
    manager.start(spec.clone()).await.unwrap();
    let detect = DetectConfig::default().with_covered(Some(4.0));
    let detect = detect.with_hold(Duration::ZERO);
    manager
        .apply(spec.clone().with_detect(detect))
        .await
        .unwrap();
    assert_eq!(next(&mut events).await, (Detection::Covered, true));
    manager.apply(spec).await.unwrap();
    assert_eq!(next(&mut events).await, (Detection::Covered, false));
    assert_eq!(camera.connections(), 1);
}

#[tokio::test]
async fn pictures_that_cannot_be_looked_at_are_counted() {
    let mut lossless = jpeg::numbered(1).to_vec();
    let sof = lossless.windows(2).position(|pair| pair == [0xFF, 0xC0]);
    lossless[sof.unwrap() + 1] = 0xC3;
    let camera = Camera::start(Script::new(steps(vec![Bytes::from(lossless); 100]))).await;
    let manager = manager();
    let detect = DetectConfig::default().with_dark(Some(100.0));
    let spec = spec("door", camera.addr()).with_pass_unsupported(true);
    manager.start(spec.with_detect(detect)).await.unwrap();
    let count = || manager.get("door").unwrap().undetectable;
    until("several are counted", async || count() > 2).await;
}

#[tokio::test]
async fn frames_that_the_program_publishes_are_looked_at() {
    let manager = manager();
    let mut events = manager.events();
    let spec = StreamSpec::fed("door".parse().unwrap());
    let publisher = manager.start_fed(spec.clone()).await.unwrap();
    let publish = async |jpeg: Bytes| {
        loop {
            let frame = Frame::parse(jpeg.clone()).unwrap();
            publisher
                .publish(
                    frame,
                    Stamp::new(SystemTime::now(), Instant::now().into_std()),
                )
                .unwrap();
            sleep(Duration::from_millis(50)).await;
        }
    };
    let detect = DetectConfig::default().with_covered(Some(4.0));
    let detect = detect.with_hold(Duration::from_millis(300));
    manager
        .apply(spec.clone().with_detect(detect))
        .await
        .unwrap();
    tokio::select! {
        () = publish(jpeg::sized(1, 320, 240)) => {}
        found = next(&mut events) => assert_eq!(found, (Detection::Covered, true)),
    }
    assert_eq!(manager.get("door").unwrap().detected, [Detection::Covered]);
    tokio::select! {
        () = publish(jpeg::of_length(1, 10_000)) => {}
        found = next(&mut events) => assert_eq!(found, (Detection::Covered, false)),
    }
}

#[tokio::test]
async fn bounds_are_checked_at_the_start() {
    let manager = manager();
    let spec = StreamSpec::parse("door", "tcp://127.0.0.1:9").unwrap();
    let detect = DetectConfig::default().with_motion(Some(101.0));
    let refused = manager.start(spec.with_detect(detect)).await;
    assert!(matches!(
        refused,
        Err(Error::InvalidSpec(InvalidSpec::Detect {
            setting: "motion"
        }))
    ));
}

/// The ball of the test picture rolls, and its clock goes on.
#[cfg(feature = "test-picture")]
#[tokio::test]
async fn test_picture_moves_where_it_is_not_masked() {
    let manager = manager();
    let mut events = manager.events();
    let detect = DetectConfig::default()
        .with_motion(Some(0.2))
        .with_hold(Duration::from_millis(300));
    let moving = StreamSpec::parse("moving", "test:").unwrap();
    let masked = StreamSpec::parse("masked", "test:").unwrap();
    let below_the_bars = "0,60,100,40".parse().unwrap();
    let masked = masked.with_detect(detect.clone().with_mask([below_the_bars]));
    manager.start(masked).await.unwrap();
    manager.start(moving.with_detect(detect)).await.unwrap();
    let motion = async {
        loop {
            let event = events.next().await.expect("the manager lives");
            if let Change::Detected(kind) = event.change {
                return (event.stream.to_string(), kind);
            }
        }
    };
    let expected = ("moving".to_owned(), Detection::Motion);
    assert_eq!(soon(motion).await, expected);
    let info = manager.get("masked").unwrap();
    assert!(info.frames > 0);
    assert_eq!(info.detections["motion"], 0);
}
