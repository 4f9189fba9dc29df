//! The order of a muxer's steps.

use std::time::Duration;

use bytes::Bytes;
use mjpeg_mux::{ClipFormat, Error, MuxFrame, MuxStep, Muxer};

use crate::support::{jittered, plan, shots};

/// Takes what is to be written before the next frame, or the end.
fn skip(muxer: &mut Muxer) -> MuxStep {
    loop {
        match muxer.poll() {
            MuxStep::Write(_) => {}
            step => return step,
        }
    }
}

#[test]
fn frame_that_was_not_asked_for_is_refused() {
    for format in ClipFormat::ALL {
        let shots = shots(jittered(2));
        let mut muxer = Muxer::new(format, plan(&shots)).unwrap();
        let frame = || Some(shots[0].frame.clone());
        assert_eq!(muxer.push(frame()), Err(Error::NotAsked));
        assert_eq!(skip(&mut muxer), MuxStep::NeedsFrame(0));
        assert_eq!(muxer.poll(), MuxStep::NeedsFrame(0));
        muxer.push(frame()).unwrap();
        assert_eq!(muxer.push(frame()), Err(Error::NotAsked));
        assert_eq!(skip(&mut muxer), MuxStep::NeedsFrame(1));
        muxer.push(None).unwrap();
        assert_eq!(skip(&mut muxer), MuxStep::Done);
        assert_eq!(muxer.push(None), Err(Error::NotAsked));
        assert_eq!(muxer.poll(), MuxStep::Done);
    }
}

#[test]
fn frame_of_another_length_is_refused_and_may_be_replaced() {
    let shots = shots(jittered(1));
    let mut muxer = Muxer::new(ClipFormat::Avi, plan(&shots)).unwrap();
    assert_eq!(skip(&mut muxer), MuxStep::NeedsFrame(0));
    let planned = shots[0].frame.jpeg.len();
    let other = MuxFrame::new(Bytes::from(vec![0; planned + 1]), 64, 48);
    let refused = Error::NotAsPlanned {
        index: 0,
        planned,
        bytes: planned + 1,
    };
    assert_eq!(muxer.push(Some(other)), Err(refused));
    assert_eq!(muxer.push(Some(shots[0].frame.clone())), Ok(()));
}

#[test]
fn frames_pass_without_a_copy() {
    for format in ClipFormat::ALL {
        let shots = shots(jittered(3));
        let mut muxer = Muxer::new(format, plan(&shots)).unwrap();
        let mut passed = 0;
        loop {
            match muxer.poll() {
                MuxStep::Write(bytes) => {
                    let same = |frame: &MuxFrame| frame.jpeg.as_ptr() == bytes.as_ptr();
                    passed += shots.iter().filter(|shot| same(&shot.frame)).count();
                }
                MuxStep::NeedsFrame(index) => {
                    muxer.push(Some(shots[index].frame.clone())).unwrap();
                }
                _ => break,
            }
        }
        assert_eq!(passed, 3, "{format}");
    }
}

#[test]
fn head_comes_before_the_first_frame_is_asked_for() {
    let plan = plan(&shots(jittered(1)));
    for (format, begins) in [(ClipFormat::Mov, "ftypqt  "), (ClipFormat::Avi, "AVI LIST")] {
        let mut muxer = Muxer::new(format, plan.clone()).unwrap();
        let MuxStep::Write(head) = muxer.poll() else {
            panic!("{format} has a head");
        };
        let head = String::from_utf8_lossy(&head).into_owned();
        assert!(head.contains(begins), "{head}");
    }
}

#[test]
fn length_is_known_of_an_avi_alone() {
    for format in ClipFormat::ALL {
        let plan = plan(&shots([Duration::ZERO]));
        let length = Muxer::new(format, plan).unwrap().content_length();
        assert_eq!(length.is_some(), format == ClipFormat::Avi);
    }
}
