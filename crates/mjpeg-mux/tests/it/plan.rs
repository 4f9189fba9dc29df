//! What a plan refuses.

use std::time::Duration;

use mjpeg_mux::{ClipFormat, ClipPlan, Error, Muxer};

use crate::support::noon;

fn empty() -> ClipPlan {
    ClipPlan::new(noon(), 64, 48)
}

#[test]
fn clip_without_frames_is_refused() {
    for format in ClipFormat::ALL {
        assert_eq!(Muxer::new(format, empty()).err(), Some(Error::NoFrame));
    }
}

#[test]
fn frames_have_eight_bytes_to_256_mib() {
    let mut plan = empty();
    for bytes in [
        0,
        ClipPlan::MIN_FRAME_BYTES - 1,
        ClipPlan::MAX_FRAME_BYTES + 1,
    ] {
        let refused = plan.push(Duration::ZERO, bytes);
        assert_eq!(refused, Err(Error::FrameLength { bytes }));
    }
    for bytes in [ClipPlan::MIN_FRAME_BYTES, ClipPlan::MAX_FRAME_BYTES] {
        assert_eq!(plan.push(Duration::ZERO, bytes), Ok(()));
    }
    assert_eq!(plan.len(), 2);
}

#[test]
fn frames_are_in_order_of_time_and_may_have_the_same() {
    let mut plan = empty();
    let [early, late] = [10, 11].map(Duration::from_secs);
    plan.push(late, 100).unwrap();
    plan.push(late, 100).unwrap();
    let refused = plan.push(early, 100);
    assert_eq!(
        refused,
        Err(Error::Backwards {
            at: early,
            last: late
        })
    );
    assert_eq!((plan.len(), plan.span()), (2, Duration::ZERO));
}

#[test]
fn times_may_begin_anywhere() {
    let mut plan = empty();
    let first = Duration::MAX - Duration::from_secs(3);
    plan.push(first, 100).unwrap();
    plan.push(first + Duration::from_secs(2), 100).unwrap();
    assert_eq!(plan.span(), Duration::from_secs(2));
    assert!(plan.push(Duration::ZERO, 100).is_err());
}

#[test]
fn clip_spans_31_days() {
    let mut plan = empty();
    let first = Duration::from_secs(5);
    plan.push(first, 100).unwrap();
    let span = ClipPlan::MAX_SPAN + Duration::from_micros(1);
    assert_eq!(plan.push(first + span, 100), Err(Error::TooLong { span }));
    assert_eq!(plan.push(first + ClipPlan::MAX_SPAN, 100), Ok(()));
}

#[test]
fn clip_has_four_million_frames() {
    let mut plan = empty();
    for _ in 0..ClipPlan::MAX_FRAMES {
        plan.push(Duration::ZERO, 100).unwrap();
    }
    let refused = plan.push(Duration::ZERO, 100);
    assert_eq!(refused, Err(Error::TooManyFrames));
}

#[test]
fn avi_has_a_tebibyte() {
    let most = ClipPlan::MAX_AVI_BYTES as usize / ClipPlan::MAX_FRAME_BYTES;
    let mut plan = empty();
    for _ in 0..most - 1 {
        plan.push(Duration::ZERO, ClipPlan::MAX_FRAME_BYTES)
            .unwrap();
    }
    let muxer = Muxer::new(ClipFormat::Avi, plan.clone()).unwrap();
    assert!(muxer.content_length().unwrap() <= ClipPlan::MAX_AVI_BYTES);
    plan.push(Duration::ZERO, ClipPlan::MAX_FRAME_BYTES)
        .unwrap();
    let refused = Muxer::new(ClipFormat::Avi, plan.clone()).err();
    assert!(matches!(refused, Some(Error::AviTooLarge { bytes }) if bytes > 1 << 40));
    assert!(Muxer::new(ClipFormat::Mov, plan).is_ok());
}
