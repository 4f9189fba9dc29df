//! Replays the committed fuzz seeds, including former crashers, on stable.

use std::{fs, path::Path};

use mjpeg_mux::fuzzing;

#[test]
fn mux_plan() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/mux_plan");
    let mut seeds = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        fuzzing::mux_plan(&fs::read(entry.unwrap().path()).unwrap());
        seeds += 1;
    }
    assert!(seeds > 0, "no seeds in {}", folder.display());
}

/// Inputs that no run of a fuzzer has chosen, but the same each time.
#[test]
fn plans_at_random() {
    let mut state = 1_u64;
    for length in (0..200).map(|number| number % 300) {
        let random = |_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 56) as u8
        };
        let mut data: Vec<u8> = (0..length).map(random).collect();
        // Long pauses would make the test slow.
        data.iter_mut()
            .skip(3)
            .step_by(6)
            .for_each(|shift| *shift %= 14);
        fuzzing::mux_plan(&data);
    }
}
