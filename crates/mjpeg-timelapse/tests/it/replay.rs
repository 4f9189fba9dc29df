//! Replays the committed fuzz seeds, including former crashers, on stable.

use std::{fs, path::Path};

use mjpeg_timelapse::fuzzing;

#[test]
fn timelapse_files() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/timelapse_files");
    let mut seeds = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        fuzzing::timelapse_files(&fs::read(entry.unwrap().path()).unwrap());
        seeds += 1;
    }
    assert!(seeds > 0, "no seeds in {}", folder.display());
}

/// Inputs that no run of a fuzzer has chosen, but the same each time.
#[test]
fn files_at_random() {
    let mut random = fastrand::Rng::with_seed(1);
    for length in (0..2000).map(|number| number % 200) {
        let mut data: Vec<u8> = (0..length).map(|_| random.u8(..)).collect();
        // Most lengths of frames and of the data are such as can be.
        data.iter_mut()
            .skip(4)
            .step_by(8)
            .for_each(|high| *high %= 2);
        data.iter_mut()
            .skip(11)
            .step_by(8)
            .for_each(|high| *high %= 2);
        fuzzing::timelapse_files(&data);
    }
}
