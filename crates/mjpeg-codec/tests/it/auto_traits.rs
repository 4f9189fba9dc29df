//! Which types may cross threads; taking one of these away breaks users.

use mjpeg_codec::{
    DiscardReason, Error, Event, Frame, Splitter, SplitterConfig, multipart, repair::Repairs,
};

fn all<T: Send + Sync + Unpin + 'static>() {}

#[test]
fn public_types_cross_threads() {
    all::<Splitter>();
    all::<SplitterConfig>();
    all::<Event>();
    all::<Frame>();
    all::<Error>();
    all::<Repairs>();
    all::<DiscardReason>();
    all::<multipart::Boundary>();
    all::<multipart::PartHeaders>();
}
