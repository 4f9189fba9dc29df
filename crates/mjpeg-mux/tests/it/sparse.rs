//! Files of gigabytes that take no room: their frames end with zeros, which are not written.

use std::{
    fs::File,
    io::{Seek, SeekFrom, Write},
    time::Duration,
};

use bytes::Bytes;
use mjpeg_mux::{ClipFormat, ClipPlan, MuxFrame, MuxStep, Muxer};
use mjpeg_testkit::jpeg;

use crate::{
    programs::ClipFile,
    support::{MAX_PIECE_BYTES, noon},
};

/// Ten frames a second, all of `frame_bytes` bytes.
pub(crate) fn plan(frames: u32, frame_bytes: usize) -> ClipPlan {
    let mut plan = ClipPlan::new(noon(), 64, 48);
    for number in 0..frames {
        let at = Duration::from_millis(100) * number;
        plan.push(at, frame_bytes).unwrap();
    }
    plan
}

/// Makes a clip of such frames, without those that are gone.
pub(crate) fn sparse_clip(
    format: ClipFormat,
    frames: u32,
    frame_bytes: usize,
    gone: &[usize],
) -> ClipFile {
    let small = jpeg::numbered(1);
    let mut padded = small.to_vec();
    padded.resize(frame_bytes, 0);
    let padded = Bytes::from(padded);

    let clip = ClipFile::empty(format);
    let mut file = File::create(clip.path()).unwrap();
    let mut muxer = Muxer::new(format, plan(frames, frame_bytes)).unwrap();
    let stated = muxer.content_length();
    loop {
        match muxer.poll() {
            MuxStep::Write(bytes) if bytes.as_ptr() == padded.as_ptr() => {
                file.write_all(&small).unwrap();
                let zeros = (frame_bytes - small.len()) as i64;
                file.seek(SeekFrom::Current(zeros)).unwrap();
            }
            MuxStep::Write(bytes) => {
                assert!(bytes.len() < MAX_PIECE_BYTES);
                file.write_all(&bytes).unwrap();
            }
            MuxStep::NeedsFrame(index) => {
                let there = !gone.contains(&index);
                let frame = || MuxFrame::new(padded.clone(), 64, 48);
                muxer.push(there.then(frame)).unwrap();
            }
            _ => break,
        }
    }
    let length = file.metadata().unwrap().len();
    assert!(stated.is_none_or(|stated| stated == length));
    clip
}
