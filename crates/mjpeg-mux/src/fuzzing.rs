//! Oracles shared by fuzz targets and the replay tests. Each panics if its promise does not hold.

use std::time::{Duration, SystemTime};

use bytes::Bytes;

use crate::{
    format::ClipFormat,
    limits::PIECE_BYTES,
    muxer::{MuxFrame, MuxStep, Muxer},
    plan::ClipPlan,
};

/// For any plan and any frames: the file has the length that was stated, and its outermost parts
/// cover it. Each frame is in it once, without a copy. All other bytes come in small pieces.
///
/// The first byte selects the format, the second the wall-clock time. After that, six bytes
/// describe each frame: its time since the frame before, its length, its size, whether it is
/// missing, and whether a frame of another length is pushed first.
pub fn mux_plan(data: &[u8]) {
    let [format, start, records @ ..] = data else {
        return;
    };
    let format = ClipFormat::ALL[usize::from(*format) % ClipFormat::ALL.len()];
    let start = SystemTime::UNIX_EPOCH + Duration::from_secs(u64::from(*start) << 25);
    let mut plan = ClipPlan::new(start, 640, 480);
    let mut shots = Vec::new();
    let mut at = Duration::ZERO;
    for record in records.chunks_exact(6) {
        // Days are rare: each costs a million empty slots of an AVI, and so much time.
        let shift = if record[1] == 255 { 31 } else { record[1] % 12 };
        let step = u64::from(record[0]) << shift;
        at = at.saturating_add(Duration::from_micros(step));
        let bytes = usize::from(record[2]) + usize::from(record[3]) * 251;
        if plan.push(at, bytes).is_ok() {
            let jpeg = Bytes::from(vec![record[4]; bytes]);
            let side = u16::from(record[4]);
            shots.push((MuxFrame::new(jpeg, side, side / 2), record[5]));
        }
    }
    assert_eq!(plan.len(), shots.len());
    let Ok(muxer) = Muxer::new(format, plan) else {
        assert!(shots.is_empty());
        return;
    };
    check(format, muxer, &shots);
}

fn check(format: ClipFormat, mut muxer: Muxer, shots: &[(MuxFrame, u8)]) {
    let stated = muxer.content_length();
    let mut file = Vec::new();
    let mut due = None;
    loop {
        match muxer.poll() {
            MuxStep::Write(bytes) => {
                let is_frame = due == Some(bytes.as_ptr());
                if is_frame {
                    due = None;
                } else {
                    assert!(!bytes.is_empty() && bytes.len() < PIECE_BYTES + 4096);
                }
                file.extend(bytes);
            }
            MuxStep::NeedsFrame(index) => {
                assert_eq!(due, None, "the frame before was written");
                let (frame, fate) = &shots[index];
                due = push(&mut muxer, frame, *fate);
            }
            MuxStep::Done => break,
        }
    }
    assert_eq!(due, None, "the last frame was written");
    assert!(stated.is_none_or(|bytes| bytes == file.len() as u64));
    match format {
        ClipFormat::Mov => cover(&file, |head| u64::from(long(head).swap_bytes())),
        ClipFormat::Avi => cover(&file, |head| u64::from(long(&head[4..])) + 8),
        ClipFormat::Zip => assert_eq!(file[file.len() - 22..][..4], *b"PK\x05\x06"),
        ClipFormat::Mjpeg => {}
    }
}

/// Pushes a frame, or `None` if it is missing. Returns where the frame is in memory.
fn push(muxer: &mut Muxer, frame: &MuxFrame, fate: u8) -> Option<*const u8> {
    if fate & 2 > 0 {
        let jpeg = [&frame.jpeg[..], &[0]].concat();
        let other = MuxFrame::new(jpeg.into(), frame.width, frame.height);
        assert!(muxer.push(Some(other)).is_err());
    }
    let there = fate & 1 == 0;
    let pushed = there.then(|| frame.clone());
    muxer.push(pushed).expect("it was asked for");
    assert!(muxer.push(None).is_err(), "it was not asked for");
    there.then(|| frame.jpeg.as_ptr())
}

/// Checks that parts cover the file. The head of each states its length.
fn cover(file: &[u8], length: impl Fn(&[u8]) -> u64) {
    let mut rest = file;
    while !rest.is_empty() {
        let bytes = length(&rest[..8]) as usize;
        assert!(bytes >= 8, "a part has a head");
        rest = &rest[bytes..];
    }
}

fn long(bytes: &[u8]) -> u32 {
    u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}
