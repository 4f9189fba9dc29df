//! The order in which things are made safe on the disk, as the system sees it.

use std::{fs, path::Path};

use crate::support::{Home, apart, new_job, noon, pass, picture, told_apart};

/// Not a test of its own, but the program that is watched.
#[test]
fn program_that_is_watched() {
    let Some(folder) = told_apart() else {
        return;
    };
    let store = mjpeg_timelapse::TimelapseStore::open(folder, u64::MAX).unwrap();
    let id = new_job(&store);
    for number in 0..2 {
        store.append(&id, &picture(number)).unwrap();
    }
    for first in [2, 5] {
        let batch: Vec<_> = (first..first + 3).map(picture).collect();
        store.append_all(&id, &batch).unwrap();
    }
    store.finish(&id, "end", noon()).unwrap();
    store.delete(&id).unwrap();
}

/// The calls on files of the store, such as `fdatasync index`. An id is written `ID`.
pub(crate) fn calls(log: &str, folder: &Path) -> Vec<String> {
    let folder = folder.to_str().unwrap();
    let mut calls = Vec::new();
    for line in log.lines().filter(|line| line.contains(folder)) {
        // With `-f`, each line begins with the number of a thread.
        let call = line.split_once(' ').map_or(line, |(_, call)| call).trim();
        let (name, arguments) = call.split_once('(').unwrap();
        let mut targets: Vec<String> = Vec::new();
        for (at, _) in arguments.match_indices(folder) {
            let path = &arguments[at + folder.len()..];
            let path = path.split(['"', '>']).next().unwrap();
            let path = path.replace("1795867200123-0", "ID");
            targets.push(path.trim_start_matches('/').to_owned());
        }
        let targets = targets.join(" ");
        calls.push(format!("{name} {targets}").trim().to_owned());
    }
    calls
}

#[test]
fn each_step_is_safe_on_the_disk_before_the_next() {
    let home = Home::new();
    let log = tempfile::NamedTempFile::new().unwrap();
    let log = log.path().to_str().unwrap();
    let filter = "trace=mkdir,pwrite64,write,fsync,fdatasync,rename,rmdir";
    let launcher = ["strace", "-f", "-qq", "-y", "-e", filter, "-o", log, "--"];
    pass(apart(
        &launcher,
        "syncs::program_that_is_watched",
        &home.path(),
    ));
    let found = calls(&fs::read_to_string(log).unwrap(), &home.path());
    let append = [
        "pwrite64 ID/frames.mjpeg",
        "fdatasync ID/frames.mjpeg",
        "pwrite64 ID/index",
        "fdatasync ID/index",
    ];
    let batch = [&[append[0]; 2][..], &append].concat();
    let replace = [
        "write ID/.job.json.new",
        "fsync ID/.job.json.new",
        "rename ID/.job.json.new ID/job.json",
        "fsync ID",
    ];
    let expected = [
        &[
            "mkdir",
            "mkdir .new-ID",
            "write .new-ID/job.json",
            "fsync .new-ID/job.json",
            "fsync .new-ID/frames.mjpeg",
            "fsync .new-ID/index",
            "fsync .new-ID",
            "rename .new-ID ID",
            "fsync",
        ][..],
        &append,
        &append,
        &replace,
        &batch,
        &batch,
        &replace,
        &["rename ID .deleted-ID", "fsync"],
    ];
    assert_eq!(found, expected.concat());
}
