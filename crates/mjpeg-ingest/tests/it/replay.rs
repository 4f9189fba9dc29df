//! Replays the committed fuzz seeds (and former crashers among them) on stable.
#![cfg(feature = "__fuzzing")]

use std::{fs, path::Path};

use mjpeg_ingest::fuzzing;

fn replay(name: &str, oracle: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fuzz/seeds")
        .join(name);
    let mut seeds = 0;
    for entry in fs::read_dir(&folder).expect("seeds are committed") {
        let seed = fs::read(entry.expect("a readable folder").path());
        oracle(&seed.expect("a readable seed"));
        seeds += 1;
    }
    assert!(seeds > 0, "no seeds in {}", folder.display());
}

#[test]
fn ingest_response() {
    replay("ingest_response", fuzzing::ingest_response);
}

#[test]
fn ingest_push() {
    replay("ingest_push", fuzzing::ingest_push);
}
