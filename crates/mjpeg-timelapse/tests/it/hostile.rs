//! Files that somebody else has written, or that are gone.

use std::{fs, os::unix::fs::symlink, process::Command};

use mjpeg_timelapse::{Error, TimelapseId, TimelapseStore};

use crate::support::{Home, assert_frames, new_job, noon, picture};

/// A store with a job that is fine, and one to damage.
fn two_jobs() -> (Home, TimelapseId, TimelapseId) {
    let home = Home::new();
    let store = home.open();
    let [fine, other] = [new_job(&store), new_job(&store)];
    store.append(&fine, &picture(0)).unwrap();
    store.append(&other, &picture(1)).unwrap();
    (home, fine, other)
}

/// The second job is damaged, the first one fine. Returns what is wrong.
fn assert_damaged(home: &Home, fine: &TimelapseId, other: &TimelapseId) -> String {
    let store = home.open();
    assert_frames(&store, fine, [picture(0)]);
    let damaged = store.damaged();
    assert_eq!((store.list().len(), damaged.len()), (1, 1));
    assert_eq!(damaged[0].id, *other);
    let reason = damaged[0].reason.clone();
    for refused in [
        store.get(other).err(),
        store.append(other, &picture(2)).err(),
        store.finish(other, "end", noon()).err(),
        store.frame(other, 0).err(),
    ] {
        assert!(matches!(refused, Some(Error::DamagedJob { reason: r }) if r == reason));
    }
    let used: u64 = store.list()[0].bytes + damaged[0].bytes;
    assert_eq!(store.figures().used_bytes, used);
    reason
}

#[test]
fn damaged_job_file_costs_its_job_alone() {
    let (home, fine, other) = two_jobs();
    let path = home.file(&other, "job.json");
    let whole = fs::read_to_string(&path).unwrap();
    let long = " ".repeat(TimelapseStore::JOB_BYTES as usize + 1);
    let cases = [
        (String::new(), "job.json: EOF"),
        (whole[..whole.len() - 1].to_owned(), "job.json: EOF"),
        (format!("{whole}x"), "job.json: trailing characters"),
        (long, "job.json: more than 4096 bytes"),
        (
            whole.replace("\"version\":1", "\"version\":2"),
            "job.json: made by another version of the program (format 2)",
        ),
        (
            whole.replace("\"fps\":25", "\"fps\":0"),
            "job.json: fps must be from 1 to 120",
        ),
        (
            whole.replace("garage", "gar\\u001bage"),
            "job.json: stream must be at most",
        ),
        (
            whole.replace(
                "\"ended\":null",
                "\"ended\":{\"reason\":\"\\u001b\",\"at_us\":0}",
            ),
            "job.json: reason must be at most",
        ),
        (
            whole.replace("\"fps\"", "\"speed\":1,\"fps\""),
            "job.json: unknown field",
        ),
        (
            whole.replace("\"fps\"", "\"\\u001b[31m\":1,\"fps\""),
            "job.json: unknown field `\u{FFFD}[31m`",
        ),
    ];
    for (text, reason) in cases {
        assert_ne!(text, whole);
        fs::write(&path, text).unwrap();
        let found = assert_damaged(&home, &fine, &other);
        assert!(found.starts_with(reason), "{found}");
    }
    // Nothing was touched.
    fs::write(&path, whole).unwrap();
    assert_frames(&home.open(), &other, [picture(1)]);
}

#[test]
fn job_file_of_exactly_the_limit_is_read() {
    let (home, _, other) = two_jobs();
    let path = home.file(&other, "job.json");
    let mut bytes = fs::read(&path).unwrap();
    bytes.resize(TimelapseStore::JOB_BYTES as usize, b' ');
    fs::write(&path, bytes).unwrap();
    assert_frames(&home.open(), &other, [picture(1)]);
}

#[test]
fn missing_file_costs_its_job_alone() {
    for name in ["job.json", "index", "frames.mjpeg"] {
        let (home, fine, other) = two_jobs();
        fs::remove_file(home.file(&other, name)).unwrap();
        let found = assert_damaged(&home, &fine, &other);
        assert!(
            found.starts_with(&format!("{name}: No such file")),
            "{found}"
        );
    }
}

/// What a file of a job is replaced with is neither followed nor waited for.
#[test]
fn links_pipes_and_folders_are_no_files_of_a_job() {
    for name in ["job.json", "index", "frames.mjpeg"] {
        let (home, fine, other) = two_jobs();
        let path = home.file(&other, name);
        let away = home.path().join("away");
        fs::rename(&path, &away).unwrap();
        symlink(&away, &path).unwrap();
        assert_damaged(&home, &fine, &other);
        fs::remove_file(&path).unwrap();
        let made = Command::new("mkfifo").arg(&path).status().unwrap();
        assert!(made.success());
        assert_damaged(&home, &fine, &other);
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert_damaged(&home, &fine, &other);
    }
}

#[test]
fn damaged_job_can_be_deleted() {
    let (home, fine, other) = two_jobs();
    fs::write(home.file(&other, "job.json"), "{}").unwrap();
    let store = home.open();
    store.delete(&other).unwrap();
    assert!(store.damaged().is_empty());
    assert_eq!(store.figures().used_bytes, store.get(&fine).unwrap().bytes);
    assert!(!home.path().join(other.as_str()).exists());
}

/// A deleted job is removed, and not what a link in it points to.
#[test]
fn deleting_follows_no_link() {
    let (home, _, other) = two_jobs();
    let outside = tempfile::tempdir().unwrap();
    let precious = outside.path().join("precious");
    fs::write(&precious, "mine").unwrap();
    symlink(outside.path(), home.file(&other, "link")).unwrap();
    symlink(outside.path(), home.path().join(".deleted-link")).unwrap();
    let store = home.open();
    assert!(!home.path().join(".deleted-link").is_symlink());
    store.delete(&other).unwrap();
    assert_eq!(fs::read(precious).unwrap(), b"mine");
}
