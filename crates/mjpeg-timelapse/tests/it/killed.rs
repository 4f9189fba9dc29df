//! A program that is killed while it appends.

use std::{
    env,
    io::{self, BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, ChildStderr, Stdio},
};

use mjpeg_timelapse::{TimelapseRefusal, TimelapseStore};

use crate::support::{
    Home, NO_QUOTA, apart, assert_frames, new_job, only_job, picture, told_apart,
};

/// A program that appends pictures to the only job of a store, and reports each.
pub(crate) struct Appender {
    folder: PathBuf,
    process: Child,
    reports: BufReader<ChildStderr>,
}

/// What an [`Appender`] reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Report {
    Kept(u64),
    DiskFull,
    /// The program has ended.
    End,
}

impl Appender {
    /// Starts a program that goes on until the job has so many frames.
    pub(crate) fn start(folder: &Path, total: u64) -> Self {
        let mut command = apart(&[], "killed::program_that_appends", folder);
        command.env(TOTAL, total.to_string());
        let mut process = command
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let reports = BufReader::new(process.stderr.take().unwrap());
        Self {
            folder: folder.to_owned(),
            process,
            reports,
        }
    }

    pub(crate) fn next(&mut self) -> Report {
        let mut line = String::new();
        self.reports.read_line(&mut line).unwrap();
        // A line without its end was cut off by the kill.
        match line.strip_suffix('\n') {
            Some("disk_full") => Report::DiskFull,
            Some(line) => Report::Kept(line.strip_prefix("kept ").unwrap().parse().unwrap()),
            None => Report::End,
        }
    }

    /// Reads reports until this frame is kept.
    pub(crate) fn wait_for(&mut self, number: u64) {
        loop {
            match self.next() {
                Report::Kept(kept) if kept >= number => return,
                Report::End => panic!("the program has ended before frame {number}"),
                _ => {}
            }
        }
    }

    /// Kills the program. All frames that it has reported are kept, and those that are kept are
    /// the right ones. Returns how many.
    pub(crate) fn kill(mut self, mut reported: u64) -> u64 {
        self.process.kill().unwrap();
        while let Report::Kept(number) = self.next() {
            reported = number + 1;
        }
        self.process.wait().unwrap();
        assert_kept(&self.folder, reported)
    }

    /// Waits until the program ends by itself.
    pub(crate) fn finish(mut self, total: u64) {
        while self.next() != Report::End {}
        assert!(self.process.wait().unwrap().success());
        assert_eq!(assert_kept(&self.folder, total), total);
    }
}

fn assert_kept(folder: &Path, reported: u64) -> u64 {
    let store = TimelapseStore::open(folder, NO_QUOTA).unwrap();
    let job = only_job(&store);
    // The last one may not have been reported in time.
    assert!((reported..=reported + 1).contains(&job.frames));
    assert_frames(&store, &job.id, (0..job.frames).map(picture));
    job.frames
}

/// Not a test of its own, but the program that others kill.
#[test]
fn program_that_appends() {
    let (Some(folder), Some(total)) = (told_apart(), env::var(TOTAL).ok()) else {
        return;
    };
    let total = total.parse().unwrap();
    let store = TimelapseStore::open(folder, NO_QUOTA).unwrap();
    if store.list().is_empty() {
        new_job(&store);
    }
    let job = only_job(&store);
    let mut next = job.frames;
    while next < total {
        let report = match store.append(&job.id, &picture(next)) {
            Ok(kept) => {
                assert_eq!(kept.number, next);
                next += 1;
                format!("kept {}\n", kept.number)
            }
            Err(error) => format!("{}\n", TimelapseRefusal::of(&error).name()),
        };
        io::stderr().write_all(report.as_bytes()).unwrap();
    }
}

#[test]
fn killed_again_and_again_keeps_every_frame_that_was_reported() {
    let home = Home::new();
    let total = 200;
    let mut random = fastrand::Rng::with_seed(20_261_130);
    let mut kept = 0;
    let mut kills = 0;
    loop {
        let mut appender = Appender::start(&home.path(), total);
        let last = kept + random.u64(5..30);
        if last >= total {
            appender.finish(total);
            break;
        }
        appender.wait_for(last);
        // Any moment of the appends that follow.
        (0..random.u32(..2_000_000)).for_each(|_| std::hint::spin_loop());
        kept = appender.kill(last + 1);
        kills += 1;
    }
    assert!(kills >= 5, "{kills}");
}

const TOTAL: &str = "MJPEG_TIMELAPSE_TEST_TOTAL";
