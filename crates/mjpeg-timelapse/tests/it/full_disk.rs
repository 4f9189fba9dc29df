//! A disk that is full, and has room again: a small one in memory, which vanishes with the process.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use mjpeg_timelapse::{Error, TimelapseRefusal, TimelapseState, TimelapseStore};

use crate::{
    killed::{Appender, Report},
    support::{
        NO_QUOTA, apart, assert_frames, frame_of, new_job, noon, only_job, pass, spec, told_apart,
    },
};

/// Starts a program that may mount disks which nobody else sees.
const LAUNCHER: [&str; 4] = ["unshare", "--map-root-user", "--mount", "--"];
const PAGE: u64 = 4096;

/// Returns a folder with a disk of this size, if this process is one that may mount it. If not, the
/// named test has been run in a process that may, or a message says why it cannot be run here.
fn small_disk(test: &str, size: &str) -> Option<PathBuf> {
    if let Some(folder) = told_apart() {
        let status = mount(&[], size, &folder).status().unwrap();
        assert!(status.success());
        return Some(folder);
    }
    let folder = tempfile::tempdir().unwrap();
    let mut probe = mount(&LAUNCHER, size, folder.path());
    probe.stdout(Stdio::null()).stderr(Stdio::null());
    if probe.status().is_ok_and(|status| status.success()) {
        pass(apart(&LAUNCHER, test, folder.path()));
    } else {
        println!("skipped: no mount namespaces here (`unshare` and `mount` are needed)");
    }
    None
}

fn mount(launcher: &[&str], size: &str, folder: &Path) -> Command {
    let size = format!("size={size}");
    let arguments = ["mount", "-t", "tmpfs", "-o", &size, "tmpfs"];
    let all = [launcher, &arguments].concat();
    let mut command = Command::new(all[0]);
    command.args(&all[1..]).arg(folder);
    command
}

/// Takes all the room that a disk has left, but for some bytes.
fn fill(disk: &Path, left_bytes: u64) -> PathBuf {
    let path = disk.join("filler");
    let mut file = File::create(&path).unwrap();
    let full = loop {
        if let Err(error) = file.write_all(&[0; PAGE as usize]) {
            break error;
        }
    };
    assert_eq!(full.kind(), io::ErrorKind::StorageFull);
    let bytes = file.metadata().unwrap().len();
    file.set_len(bytes.checked_sub(left_bytes).unwrap())
        .unwrap();
    path
}

#[test]
fn full_disk_refuses_frames_until_there_is_room() {
    let Some(disk) = small_disk(
        "full_disk::full_disk_refuses_frames_until_there_is_room",
        "256k",
    ) else {
        return;
    };
    let folder = disk.join("store");
    let store = TimelapseStore::open(&folder, NO_QUOTA).unwrap();
    let id = new_job(&store);
    // What another program takes, until it ends.
    fill(&disk, 40 * PAGE);
    let mut kept = 0;
    let error = loop {
        match store.append(&id, &frame_of(kept, 10_000)) {
            Ok(_) => kept += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, Error::DiskFull(_)) && kept > 10, "{error}");
    let frames = |count| (0..count).map(|number| frame_of(number, 10_000));
    assert_frames(&store, &id, frames(kept));
    let length = |name| {
        fs::metadata(folder.join(id.as_str()).join(name))
            .unwrap()
            .len()
    };
    assert_eq!(length("frames.mjpeg"), kept * 10_000);
    assert_eq!(length("index"), kept * 32);
    assert_eq!(store.figures().used_bytes, only_job(&store).bytes);

    // Then the disk is quite full, and only deleting goes on.
    fill(&disk, 0);
    for _ in 0..3 {
        let refused = store.append(&id, &frame_of(kept, 10_000));
        assert!(matches!(refused, Err(Error::DiskFull(_))));
    }
    let refused = store.finish(&id, "until", noon());
    assert!(matches!(refused, Err(Error::DiskFull(_))));
    assert!(matches!(
        store.create(&spec(), noon()),
        Err(Error::DiskFull(_))
    ));
    let job = only_job(&store);
    assert_eq!((job.state, job.refused), (TimelapseState::Running, 4));
    let figures = store.figures();
    assert_eq!(figures.refused(TimelapseRefusal::DiskFull), 4);
    assert_eq!(figures.used_bytes, job.bytes);
    drop(store);
    let store = TimelapseStore::open(&folder, NO_QUOTA).unwrap();
    assert_frames(&store, &id, frames(kept));

    fs::remove_file(disk.join("filler")).unwrap();
    store.append(&id, &frame_of(kept, 3_000)).unwrap();
    store.finish(&id, "until", noon()).unwrap();
    drop(store);
    let store = TimelapseStore::open(&folder, NO_QUOTA).unwrap();
    assert_frames(&store, &id, frames(kept).chain([frame_of(kept, 3_000)]));
    fill(&disk, 0);
    store.delete(&id).unwrap();
    assert!(store.list().is_empty() && !folder.join(id.as_str()).exists());
}

/// The disk has room for the data of a frame, and not for its record.
#[test]
fn frame_whose_record_has_no_room_leaves_nothing() {
    let Some(disk) = small_disk(
        "full_disk::frame_whose_record_has_no_room_leaves_nothing",
        "256k",
    ) else {
        return;
    };
    let folder = disk.join("store");
    let store = TimelapseStore::open(&folder, NO_QUOTA).unwrap();
    let id = new_job(&store);
    // Both files have exactly a page.
    let page = 128;
    for number in 0..page {
        store.append(&id, &frame_of(number, 32)).unwrap();
    }
    fill(&disk, PAGE);
    let refused = store.append(&id, &frame_of(page, 32));
    assert!(matches!(refused, Err(Error::DiskFull(_))));
    for name in ["index", "frames.mjpeg"] {
        let metadata = fs::metadata(folder.join(id.as_str()).join(name));
        assert_eq!(metadata.unwrap().len(), PAGE, "{name}");
    }
    fs::remove_file(disk.join("filler")).unwrap();
    fill(&disk, 2 * PAGE);
    store.append(&id, &frame_of(page, 40)).unwrap();
    drop(store);
    let store = TimelapseStore::open(&folder, NO_QUOTA).unwrap();
    let frames = (0..page).map(|number| frame_of(number, 32));
    assert_frames(&store, &id, frames.chain([frame_of(page, 40)]));
}

/// The long form.
#[test]
#[ignore = "takes half a minute; run it after a change to what is written"]
fn thousands_of_frames_survive_three_kills_and_a_full_disk() {
    let test = "full_disk::thousands_of_frames_survive_three_kills_and_a_full_disk";
    let Some(disk) = small_disk(test, "32m") else {
        return;
    };
    let folder = disk.join("store");
    let total = 5000;
    let mut random = fastrand::Rng::with_seed(5000);
    for last in [1000, 2000] {
        Appender::start(&folder, total).kill_after(last, &mut random);
    }
    let mut appender = Appender::start(&folder, total);
    appender.wait_for(2500);
    fill(&disk, 0);
    while appender.next() != Report::DiskFull {}
    let kept = appender.kill();
    assert!((2500..total).contains(&kept), "{kept}");
    let mut appender = Appender::start(&folder, total);
    assert_eq!(appender.next(), Report::DiskFull);
    fs::remove_file(disk.join("filler")).unwrap();
    appender.finish(total);
}
