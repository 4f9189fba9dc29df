//! Replays the committed fuzz seeds, including former crashers, on stable.
#![cfg(feature = "__fuzzing")]

use std::{fs, path::Path};

use mjpeg_codec::fuzzing;

fn replay(target: &str, oracle: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fuzz/seeds")
        .join(target);
    let mut seeds = 0;
    for entry in fs::read_dir(&folder).expect("seeds are committed") {
        oracle(&fs::read(entry.expect("a readable folder").path()).expect("a readable seed"));
        seeds += 1;
    }
    assert!(seeds > 0, "no seeds in {}", folder.display());
}

#[test]
fn codec_chunk_independent() {
    replay("codec_chunk_independent", fuzzing::codec_chunk_independent);
}

#[test]
fn codec_accounting() {
    replay("codec_accounting", fuzzing::codec_accounting);
}

#[test]
fn codec_multipart_chunk_independent() {
    replay(
        "codec_multipart_chunk_independent",
        fuzzing::codec_multipart_chunk_independent,
    );
}

#[test]
fn codec_roundtrip() {
    replay("codec_roundtrip", fuzzing::codec_roundtrip);
}

#[test]
fn codec_repair() {
    replay("codec_repair", fuzzing::codec_repair);
}

#[test]
fn codec_verify() {
    replay("codec_verify", fuzzing::codec_verify);
}

#[cfg(feature = "small")]
#[test]
fn codec_small() {
    replay("codec_small", fuzzing::codec_small);
}

#[cfg(feature = "rtp")]
#[test]
fn codec_rtp() {
    replay("codec_rtp", fuzzing::codec_rtp);
}
