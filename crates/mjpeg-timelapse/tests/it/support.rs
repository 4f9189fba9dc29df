//! Stores, frames, and files as a job has them.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use mjpeg_testkit::jpeg;
use mjpeg_timelapse::{TimelapseFrame, TimelapseId, TimelapseJob, TimelapseSpec, TimelapseStore};
use tempfile::TempDir;

pub(crate) const NO_QUOTA: u64 = u64::MAX;
pub(crate) const RECORD_BYTES: usize = 32;

/// A folder for a store, which is removed when this is dropped.
pub(crate) struct Home(TempDir);

impl Home {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.0.path().join("store")
    }

    pub(crate) fn open(&self) -> TimelapseStore {
        TimelapseStore::open(self.path(), NO_QUOTA).unwrap()
    }

    /// The path of a file of a job.
    pub(crate) fn file(&self, id: &TimelapseId, name: &str) -> PathBuf {
        self.path().join(id.as_str()).join(name)
    }

    /// The files `index` and `frames.mjpeg` of a job.
    pub(crate) fn files(&self, id: &TimelapseId) -> (Vec<u8>, Vec<u8>) {
        let read = |name| fs::read(self.file(id, name)).unwrap();
        (read("index"), read("frames.mjpeg"))
    }

    pub(crate) fn write_files(&self, id: &TimelapseId, index: &[u8], data: &[u8]) {
        fs::write(self.file(id, "index"), index).unwrap();
        fs::write(self.file(id, "frames.mjpeg"), data).unwrap();
    }
}

/// 2026-11-28 12:00:00.123456 UTC.
pub(crate) fn noon() -> SystemTime {
    UNIX_EPOCH + Duration::from_micros(1_795_867_200_123_456)
}

pub(crate) fn spec() -> TimelapseSpec {
    TimelapseSpec::new("garage").with_every(Duration::from_secs(60))
}

pub(crate) fn new_job(store: &TimelapseStore) -> TimelapseId {
    store.create(&spec(), noon()).unwrap().id
}

/// A real JPEG, a minute after the one before.
pub(crate) fn picture(number: u64) -> TimelapseFrame {
    let at = noon() + Duration::from_secs(60) * u32::try_from(number).unwrap();
    TimelapseFrame::new(jpeg::numbered(number as u32), at, 64, 48)
}

/// A frame of this many bytes, which is no real JPEG.
pub(crate) fn frame_of(number: u64, bytes: usize) -> TimelapseFrame {
    let jpeg: Vec<u8> = (0..bytes as u64)
        .map(|place| (place * 7 + number * 31 + 1) as u8)
        .collect();
    TimelapseFrame::new(Bytes::from(jpeg), picture(number).at, 640, 480)
}

/// The record of a frame in an index, as the documentation describes it.
pub(crate) fn record(number: u64, offset: u64, frame: &TimelapseFrame) -> Vec<u8> {
    let at = frame.at.duration_since(UNIX_EPOCH).unwrap().as_micros();
    let mut bytes = Vec::new();
    bytes.extend(offset.to_le_bytes());
    bytes.extend((at as u64).to_le_bytes());
    bytes.extend((frame.jpeg.len() as u32).to_le_bytes());
    bytes.extend(frame.width.to_le_bytes());
    bytes.extend(frame.height.to_le_bytes());
    bytes.extend(crc32fast::hash(&frame.jpeg).to_le_bytes());
    let signed = [&number.to_le_bytes()[..], &bytes].concat();
    bytes.extend(crc32fast::hash(&signed).to_le_bytes());
    assert_eq!(bytes.len(), RECORD_BYTES);
    bytes
}

/// The job has these frames and no others.
pub(crate) fn assert_frames(
    store: &TimelapseStore,
    id: &TimelapseId,
    frames: impl IntoIterator<Item = TimelapseFrame>,
) {
    let mut number = 0;
    for frame in frames {
        let kept = store.frame(id, number).unwrap();
        assert!(kept == frame, "frame {number} is another one");
        number += 1;
    }
    assert_eq!(store.get(id).unwrap().frames, number);
}

/// The only job of a store.
pub(crate) fn only_job(store: &TimelapseStore) -> TimelapseJob {
    let mut jobs = store.list();
    assert_eq!((jobs.len(), store.damaged().len()), (1, 0));
    jobs.remove(0)
}

/// A command that runs one test of this binary alone, in a process of its own. The test finds
/// `value` in the environment variable [`APART`].
pub(crate) fn apart(launcher: &[&str], test: &str, value: &Path) -> Command {
    let this = env::current_exe().unwrap();
    let mut command = match launcher {
        [] => Command::new(&this),
        [program, arguments @ ..] => {
            let mut command = Command::new(program);
            command.args(arguments).arg(&this);
            command
        }
    };
    command.args([test, "--exact", "--nocapture", "--include-ignored"]);
    command.env(APART, value);
    command
}

/// What [`apart`] has told this process, if it was started so.
pub(crate) fn told_apart() -> Option<PathBuf> {
    env::var_os(APART).map(PathBuf::from)
}

/// Runs a command of [`apart`], whose test must pass.
pub(crate) fn pass(mut command: Command) -> String {
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{out}{err}");
    assert!(out.contains("1 passed"), "not run: {out}");
    err
}

const APART: &str = "MJPEG_TIMELAPSE_TEST_APART";
