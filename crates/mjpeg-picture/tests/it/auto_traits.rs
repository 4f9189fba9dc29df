//! What callers may do with the types across threads.

use mjpeg_picture::{Encoder, Error, Notice, TestPicture};

#[test]
fn types_cross_threads() {
    fn check<T: Send + Sync + Unpin + 'static>() {}
    check::<TestPicture>();
    check::<Notice>();
    check::<Encoder>();
    check::<Error>();
}
