//! The auto traits of the public types.

use mjpeg_mux::{ClipFormat, ClipPlan, Error, MuxFrame, MuxStep, Muxer};

#[test]
fn types_cross_threads() {
    fn check<T: Send + Sync + Unpin + 'static>() {}
    check::<ClipFormat>();
    check::<ClipPlan>();
    check::<Error>();
    check::<MuxFrame>();
    check::<MuxStep>();
    check::<Muxer>();
}
