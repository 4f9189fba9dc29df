//! Frames one after another.

use mjpeg_mux::ClipFormat;

use crate::{
    programs::ClipFile,
    support::{concat, jittered, left, mux, mux_without, shots},
};

#[test]
fn file_is_nothing_but_the_frames() {
    let shots = shots(jittered(20));
    let file = mux(ClipFormat::Mjpeg, &shots);
    assert_eq!(file, concat(&shots));
    let clip = ClipFile::new(ClipFormat::Mjpeg, &file);
    assert_eq!(clip.packets().len(), 20);
}

#[test]
fn frame_that_is_gone_is_left_out() {
    let shots = shots(jittered(5));
    let gone = [0, 3];
    let file = mux_without(ClipFormat::Mjpeg, &shots, &gone);
    assert_eq!(file, concat(&left(&shots, &gone)));
}
