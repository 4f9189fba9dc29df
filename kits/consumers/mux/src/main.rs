//! Uses only mjpeg-mux: puts two frames into an AVI, whose length is known before.

use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use mjpeg_mux::{ClipFormat, ClipPlan, MuxFrame, MuxStep, Muxer};

fn main() -> Result<(), mjpeg_mux::Error> {
    let frames = [b"not a real JPEG", b"neither is this"];
    let mut plan = ClipPlan::new(UNIX_EPOCH, 64, 48);
    for (number, frame) in (0..).zip(frames) {
        plan.push(Duration::from_millis(100) * number, frame.len())?;
    }
    let mut muxer = Muxer::new(ClipFormat::Avi, plan)?;
    let stated = muxer.content_length();
    let mut written = 0;
    loop {
        match muxer.poll() {
            MuxStep::Write(bytes) => written += bytes.len() as u64,
            MuxStep::NeedsFrame(index) => {
                let jpeg = Bytes::from_static(frames[index]);
                muxer.push(Some(MuxFrame::new(jpeg, 64, 48)))?;
            }
            _ => break,
        }
    }
    assert_eq!(stated, Some(written));
    Ok(())
}
