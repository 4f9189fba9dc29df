//! Replays the committed fuzz seeds (and former crashers among them) on stable.
#![cfg(feature = "__fuzzing")]

use std::{fs, path::Path};

use mjpeg_ingest::fuzzing;

#[test]
fn ingest_response() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/ingest_response");
    let mut seeds = 0;
    for entry in fs::read_dir(&folder).expect("seeds are committed") {
        let seed = fs::read(entry.expect("a readable folder").path());
        fuzzing::ingest_response(&seed.expect("a readable seed"));
        seeds += 1;
    }
    assert!(seeds > 0, "no seeds in {}", folder.display());
}
