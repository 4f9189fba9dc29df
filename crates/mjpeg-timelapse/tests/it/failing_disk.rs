//! A disk on which calls fail: `strace` lets them.

use std::fs;

use mjpeg_timelapse::{TimelapseRefusal, TimelapseStore};

use crate::{
    support::{Home, NO_QUOTA, apart, assert_frames, new_job, only_job, pass, picture, told_apart},
    syncs::calls,
};

const FRAMES: u64 = 4;
const ONE_BY_ONE: &str = "program_that_tries_again";

/// Not a test of its own, but the program whose calls fail. It tries again until all is kept.
#[test]
fn program_that_tries_again() {
    let Some(folder) = told_apart() else {
        return;
    };
    let store = TimelapseStore::open(folder, NO_QUOTA).unwrap();
    let id = new_job(&store);
    for number in 0..FRAMES {
        while let Err(error) = store.append(&id, &picture(number)) {
            eprintln!("refused: {}", TimelapseRefusal::of(&error).name());
            assert_frames(&store, &id, (0..number).map(picture));
        }
    }
    assert_frames(&store, &id, (0..FRAMES).map(picture));
    let job = only_job(&store);
    assert_eq!(store.figures().used_bytes, job.bytes);
}

/// The same of a program that keeps all frames at once.
#[test]
fn program_that_tries_a_batch_again() {
    let Some(folder) = told_apart() else {
        return;
    };
    let store = TimelapseStore::open(folder, NO_QUOTA).unwrap();
    let id = new_job(&store);
    let frames: Vec<_> = (0..FRAMES).map(picture).collect();
    while let Err(error) = store.append_all(&id, &frames) {
        eprintln!("refused: {}", TimelapseRefusal::of(&error).name());
        assert_frames(&store, &id, []);
    }
    assert_frames(&store, &id, frames);
    assert_eq!(store.figures().used_bytes, only_job(&store).bytes);
}

/// Runs a program with failing calls, and returns why frames were refused, and all calls.
fn run(program: &str, failures: &[&str]) -> (Vec<String>, Vec<String>) {
    let home = Home::new();
    let log = tempfile::NamedTempFile::new().unwrap();
    let log = log.path().to_str().unwrap();
    let failures: Vec<String> = failures
        .iter()
        .map(|call| format!("inject={call}"))
        .collect();
    let filter = "trace=pwrite64,fdatasync,ftruncate,fsync";
    let mut launcher = vec!["strace", "-f", "-qq", "-y", "-o", log, "-e", filter];
    launcher.extend(failures.iter().flat_map(|failure| ["-e", failure]));
    launcher.push("--");
    let test = format!("failing_disk::{program}");
    let said = pass(apart(&launcher, &test, &home.path()));
    let refused = said
        .lines()
        .filter_map(|line| line.strip_prefix("refused: "));
    let refused = refused.map(str::to_owned).collect();
    let store = home.open();
    assert_frames(&store, &only_job(&store).id, (0..FRAMES).map(picture));
    (
        refused,
        calls(&fs::read_to_string(log).unwrap(), &home.path()),
    )
}

#[test]
fn failed_call_costs_an_append_and_nothing_else() {
    // Each append writes twice, and waits for the disk twice: data, record.
    for (call, reason) in [
        ("pwrite64:error=ENOSPC:when=3", "disk_full"),
        ("pwrite64:error=ENOSPC:when=4", "disk_full"),
        ("pwrite64:error=EDQUOT:when=3", "disk_full"),
        ("pwrite64:error=EIO:when=4", "io"),
        ("fdatasync:error=EIO:when=1", "io"),
        ("fdatasync:error=EIO:when=2", "io"),
        ("fdatasync:error=ENOSPC:when=3", "disk_full"),
        ("fdatasync:error=EIO:when=4", "io"),
    ] {
        let (refused, _) = run(ONE_BY_ONE, &[call]);
        assert_eq!(refused, [reason], "{call}");
    }
}

#[test]
fn failed_call_costs_a_batch_and_nothing_else() {
    // The data of each frame, all records; and what says that there are batches.
    for (call, reason) in [
        ("pwrite64:error=ENOSPC:when=1", "disk_full"),
        ("pwrite64:error=EIO:when=4", "io"),
        ("pwrite64:error=ENOSPC:when=5", "disk_full"),
        ("fdatasync:error=EIO:when=1", "io"),
        ("fdatasync:error=ENOSPC:when=2", "disk_full"),
        ("fsync:error=EIO:when=7", "io"),
        ("fsync:error=EIO:when=8", "io"),
    ] {
        let (refused, _) = run("program_that_tries_a_batch_again", &[call]);
        assert_eq!(refused, [reason], "{call}");
    }
}

/// The record of a refused frame may be on the disk. It must be gone before another frame's data
/// is in the place of that frame's.
#[test]
fn nothing_is_written_before_the_files_are_cut_back() {
    for failure in [
        "ftruncate:error=EIO:when=1",
        "ftruncate:error=EIO:when=2",
        "fsync:error=EIO:when=7",
    ] {
        let (refused, calls) = run(ONE_BY_ONE, &["fdatasync:error=EIO:when=4", failure]);
        assert_eq!(refused, ["io"], "{failure}");
        let second = calls
            .iter()
            .rposition(|call| call == "ftruncate ID/index")
            .unwrap();
        let expected = [
            "ftruncate ID/index",
            "fsync ID/index",
            "ftruncate ID/frames.mjpeg",
            "fsync ID/frames.mjpeg",
            "pwrite64 ID/frames.mjpeg",
        ];
        assert_eq!(calls[second..][..expected.len()], expected, "{failure}");
        let first = calls
            .iter()
            .position(|call| call == "ftruncate ID/index")
            .unwrap();
        assert!(first < second);
        let written = calls[first..second]
            .iter()
            .any(|call| call.starts_with("pwrite64"));
        assert!(!written, "{failure}");
    }
}
