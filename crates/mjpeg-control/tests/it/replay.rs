//! Replays the committed fuzz seeds (and former crashers among them) on stable.
#![cfg(feature = "__fuzzing")]

use std::{fs, path::Path};

use mjpeg_control::fuzzing;

#[test]
fn control_request() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/control_request");
    let mut seeds = 0;
    for entry in fs::read_dir(&folder).expect("seeds are committed") {
        let path = entry.expect("a readable folder").path();
        println!("{}", path.display());
        fuzzing::control_request(&fs::read(path).expect("a readable seed"));
        seeds += 1;
    }
    assert!(seeds > 0, "no seeds in {}", folder.display());
}
