//! The auto traits of the public types. Losing one breaks users.

use mjpeg_codec::{
    DiscardReason, Error, Found, Frame, MissingEoi, ReadFrames, Splitter, SplitterConfig, Stamp,
    multipart,
    repair::{Orientation, Repairs},
    verify,
};

fn all<T: Send + Sync + Unpin + 'static>() {}

#[test]
fn public_types_cross_threads() {
    all::<Splitter>();
    all::<ReadFrames<std::fs::File>>();
    all::<multipart::Part>();
    all::<Stamp>();
    all::<SplitterConfig>();
    all::<Found>();
    all::<Frame>();
    all::<Error>();
    all::<Repairs>();
    all::<Orientation>();
    all::<DiscardReason>();
    all::<MissingEoi>();
    all::<multipart::AllowOrigin>();
    all::<multipart::Boundary>();
    all::<multipart::Parser>();
    all::<multipart::ParserConfig>();
    all::<multipart::PartHeaders>();
    all::<verify::Verdict>();
    all::<verify::Damage>();
    all::<verify::Flaw>();
    all::<verify::NotChecked>();
}
