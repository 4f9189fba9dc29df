//! What a long clip takes.

use std::{fs, time::Duration};

use bytes::Bytes;
use mjpeg_mux::{ClipFormat, ClipPlan, MuxFrame, MuxStep, Muxer};

use crate::support::{MAX_PIECE_BYTES, noon};

/// An hour of 30 frames a second.
const FRAMES: u32 = 108_000;
const FRAME_BYTES: usize = 2_000;

/// The most memory this process has had so far.
fn most_memory_bytes() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.unwrap().trim().strip_suffix(" kB").unwrap();
    kib.parse::<usize>().unwrap() << 10
}

/// Makes a clip of an hour, of which nothing is kept. Returns how much more memory this took.
fn an_hour(format: ClipFormat) -> usize {
    let before = most_memory_bytes();
    let mut plan = ClipPlan::new(noon(), 64, 48);
    for number in 0..FRAMES {
        let at = Duration::from_micros(33_333) * number;
        plan.push(at, FRAME_BYTES).unwrap();
    }
    let mut muxer = Muxer::new(format, plan).unwrap();
    let mut written = 0;
    loop {
        match muxer.poll() {
            MuxStep::Write(bytes) => {
                assert!(bytes.len() < MAX_PIECE_BYTES);
                written += bytes.len();
            }
            MuxStep::NeedsFrame(index) => {
                let jpeg = Bytes::from(vec![index as u8; FRAME_BYTES]);
                muxer.push(Some(MuxFrame::new(jpeg, 64, 48))).unwrap();
            }
            _ => break,
        }
    }
    assert!(written > FRAMES as usize * FRAME_BYTES);
    most_memory_bytes() - before
}

#[test]
fn an_hour_of_mov_takes_the_plan_and_the_tables() {
    let bytes = an_hour(ClipFormat::Mov);
    assert!(bytes < 9 << 20, "{bytes}");
}

#[test]
fn an_hour_of_avi_takes_the_plan() {
    let bytes = an_hour(ClipFormat::Avi);
    assert!(bytes < 5 << 20, "{bytes}");
}

#[test]
fn an_hour_of_zip_takes_the_plan_and_checksums() {
    let bytes = an_hour(ClipFormat::Zip);
    assert!(bytes < 5 << 20, "{bytes}");
}
