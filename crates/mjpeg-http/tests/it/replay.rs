//! Replays the committed fuzz seeds (and former crashers among them) on stable.
#![cfg(feature = "__fuzzing")]

use std::{fs, path::Path};

use mjpeg_http::fuzzing;

fn replay(target: &str, oracle: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds");
    let folder = folder.join(target);
    let mut seeds = 0;
    for entry in fs::read_dir(&folder).expect("seeds are committed") {
        let path = entry.expect("a readable folder").path();
        println!("{}", path.display());
        oracle(&fs::read(path).expect("a readable seed"));
        seeds += 1;
    }
    assert!(seeds > 0, "no seeds in {}", folder.display());
}

#[test]
fn http_request() {
    replay("http_request", fuzzing::http_request);
}

#[cfg(feature = "replay")]
#[test]
fn http_past() {
    replay("http_past", fuzzing::http_past);
}
