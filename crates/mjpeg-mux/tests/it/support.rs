//! Clips to make.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use mjpeg_mux::{ClipFormat, ClipPlan, MuxFrame, MuxStep, Muxer};
use mjpeg_testkit::jpeg;

/// More than the pieces that are not frames.
pub(crate) const MAX_PIECE_BYTES: usize = 80 << 10;

/// A frame and its time.
#[derive(Clone)]
pub(crate) struct Shot {
    pub(crate) at: Duration,
    pub(crate) frame: MuxFrame,
}

impl Shot {
    pub(crate) fn new(number: u32, at: Duration, width: u16, height: u16) -> Self {
        let jpeg = jpeg::sized(number, width, height);
        // Odd and even lengths: a decoder ignores what follows EOI.
        let jpeg = if number.is_multiple_of(3) && jpeg.len().is_multiple_of(2) {
            Bytes::from([&jpeg[..], &[0]].concat())
        } else {
            jpeg
        };
        Self {
            at,
            frame: MuxFrame::new(jpeg, width, height),
        }
    }
}

/// Frames of 64x48 pixels at these times.
pub(crate) fn shots(times: impl IntoIterator<Item = Duration>) -> Vec<Shot> {
    let numbered = (0..).zip(times);
    numbered
        .map(|(number, at)| Shot::new(number, at, 64, 48))
        .collect()
}

/// 30 frames a second, each up to 9 ms early or late. The first begins at an odd moment.
pub(crate) fn jittered(count: u32) -> Vec<Duration> {
    let time = |number: u32| {
        let jitter = u64::from(number.wrapping_mul(2_654_435_761) >> 16) % 18_000;
        Duration::from_micros(u64::from(number) * 1_000_000 / 30 + jitter + 12_345_678)
    };
    (0..count).map(time).collect()
}

/// 2026-11-28 12:00:00.123 UTC.
pub(crate) fn noon() -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(1_795_867_200_123)
}

pub(crate) fn plan(shots: &[Shot]) -> ClipPlan {
    let first = &shots[0].frame;
    let mut plan = ClipPlan::new(noon(), first.width, first.height);
    for shot in shots {
        plan.push(shot.at, shot.frame.jpeg.len()).unwrap();
    }
    plan
}

/// Makes the file, without the frames that are gone. Its pieces are small, its length as stated.
pub(crate) fn mux_without(format: ClipFormat, shots: &[Shot], gone: &[usize]) -> Vec<u8> {
    let mut muxer = Muxer::new(format, plan(shots)).unwrap();
    let stated = muxer.content_length();
    let mut file = Vec::new();
    loop {
        match muxer.poll() {
            MuxStep::Write(bytes) => {
                assert!(!bytes.is_empty() && bytes.len() < MAX_PIECE_BYTES);
                file.extend(bytes);
            }
            MuxStep::NeedsFrame(index) => {
                let there = !gone.contains(&index);
                let frame = there.then(|| shots[index].frame.clone());
                muxer.push(frame).unwrap();
            }
            MuxStep::Done => break,
            _ => unreachable!(),
        }
    }
    assert!(stated.is_none_or(|bytes| bytes == file.len() as u64));
    file
}

pub(crate) fn mux(format: ClipFormat, shots: &[Shot]) -> Vec<u8> {
    mux_without(format, shots, &[])
}

/// The JPEGs one after another.
pub(crate) fn concat(shots: &[Shot]) -> Vec<u8> {
    shots
        .iter()
        .flat_map(|shot| shot.frame.jpeg.clone())
        .collect()
}

/// The shots that are not gone.
pub(crate) fn left(shots: &[Shot], gone: &[usize]) -> Vec<Shot> {
    let numbered = shots.iter().enumerate();
    let left = numbered.filter(|(index, _)| !gone.contains(index));
    left.map(|(_, shot)| shot.clone()).collect()
}
