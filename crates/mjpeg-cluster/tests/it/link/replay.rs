//! Replays the committed fuzz seeds (and former crashers among them) on stable.

use std::{fs, path::Path};

#[test]
fn cluster_link() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/cluster_link");
    let mut seeds = 0;
    for entry in fs::read_dir(&folder).expect("seeds are committed") {
        let seed = fs::read(entry.expect("a readable folder").path());
        mjpeg_cluster::fuzzing::cluster_link(&seed.expect("a readable seed"));
        seeds += 1;
    }
    assert!(seeds > 0, "no seeds in {}", folder.display());
}
