//! The auto traits of the public types.

use mjpeg_timelapse::{
    DamagedTimelapse, Error, KeptFrame, TimelapseFigures, TimelapseFrame, TimelapseId,
    TimelapseJob, TimelapseMovie, TimelapsePace, TimelapseRefusal, TimelapseSpec, TimelapseState,
    TimelapseStore,
};

#[test]
fn types_cross_threads() {
    fn check<T: Send + Sync + Unpin + 'static>() {}
    check::<DamagedTimelapse>();
    check::<Error>();
    check::<KeptFrame>();
    check::<TimelapseFigures>();
    check::<TimelapseFrame>();
    check::<TimelapseId>();
    check::<TimelapseJob>();
    check::<TimelapseMovie>();
    check::<TimelapsePace>();
    check::<TimelapseRefusal>();
    check::<TimelapseSpec>();
    check::<TimelapseState>();
    check::<TimelapseStore>();
}
