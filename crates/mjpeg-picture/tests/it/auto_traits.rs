//! The auto traits of the public types.

use mjpeg_picture::{Encoder, Error, Notice, TestPicture};

#[test]
fn types_cross_threads() {
    fn check<T: Send + Sync + Unpin + 'static>() {}
    check::<TestPicture>();
    check::<Notice>();
    check::<Encoder>();
    check::<Error>();
}
