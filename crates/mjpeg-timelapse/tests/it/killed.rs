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
    /// How many frames are kept by its reports.
    reported: u64,
    batch: u64,
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
        Self::in_batches(folder, total, 1)
    }

    /// The same, so many frames at once.
    fn in_batches(folder: &Path, total: u64, batch: u64) -> Self {
        let mut command = apart(&[], "killed::program_that_appends", folder);
        command.env(TOTAL, format!("{total} {batch}"));
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
            reported: 0,
            batch,
        }
    }

    pub(crate) fn next(&mut self) -> Report {
        let mut line = String::new();
        self.reports.read_line(&mut line).unwrap();
        // A line without its end was cut off by the kill.
        match line.strip_suffix('\n').map(str::trim_end) {
            Some("disk_full") => Report::DiskFull,
            Some(line) => {
                let number: u64 = line.strip_prefix("kept ").unwrap().parse().unwrap();
                self.reported = number + 1;
                Report::Kept(number)
            }
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
    pub(crate) fn kill(mut self) -> u64 {
        self.process.kill().unwrap();
        while self.next() != Report::End {}
        self.process.wait().unwrap();
        assert_kept(&self.folder, self.reported, self.batch)
    }

    /// Waits until this frame is kept, and kills the program at any moment of the appends that
    /// follow.
    pub(crate) fn kill_after(mut self, number: u64, random: &mut fastrand::Rng) -> u64 {
        self.wait_for(number);
        (0..random.u32(..2_000_000)).for_each(|_| std::hint::spin_loop());
        self.kill()
    }

    /// Waits until the program ends by itself.
    pub(crate) fn finish(mut self, total: u64) {
        while self.next() != Report::End {}
        assert!(self.process.wait().unwrap().success());
        assert_eq!(assert_kept(&self.folder, total, self.batch), total);
    }
}

fn assert_kept(folder: &Path, reported: u64, batch: u64) -> u64 {
    let store = TimelapseStore::open(folder, NO_QUOTA).unwrap();
    let job = only_job(&store);
    // The last ones may not have been reported in time.
    assert!((reported..=reported + batch).contains(&job.frames));
    assert_frames(&store, &job.id, (0..job.frames).map(picture));
    job.frames
}

/// Not a test of its own, but the program that others kill.
#[test]
fn program_that_appends() {
    let (Some(folder), Some(total)) = (told_apart(), env::var(TOTAL).ok()) else {
        return;
    };
    let (total, batch) = total.split_once(' ').unwrap();
    let (total, batch): (u64, u64) = (total.parse().unwrap(), batch.parse().unwrap());
    let store = TimelapseStore::open(folder, NO_QUOTA).unwrap();
    if store.list().is_empty() {
        new_job(&store);
    }
    let job = only_job(&store);
    let mut next = job.frames;
    while next < total {
        let until = total.min(next + batch);
        let frames: Vec<_> = (next..until).map(picture).collect();
        let kept = match &frames[..] {
            [frame] => store.append(&job.id, frame),
            frames => store.append_all(&job.id, frames).map(Option::unwrap),
        };
        let report = match kept {
            Ok(kept) => {
                assert_eq!(kept.number, until - 1);
                next = until;
                format!("kept {}", kept.number)
            }
            Err(error) => TimelapseRefusal::of(&error).name().to_owned(),
        };
        // Long lines, so that a pipe holds few: the program must not be far ahead of its reader.
        let line = format!("{report:<4000}\n");
        io::stderr().write_all(line.as_bytes()).unwrap();
    }
}

#[test]
fn killed_again_and_again_keeps_every_frame_that_was_reported() {
    kill_again_and_again(200, 1);
}

#[test]
fn killed_again_and_again_keeps_every_batch_that_was_reported() {
    kill_again_and_again(1000, 5);
}

fn kill_again_and_again(total: u64, batch: u64) {
    let home = Home::new();
    let mut random = fastrand::Rng::with_seed(20_261_130);
    let mut kept = 0;
    let mut kills = 0;
    loop {
        let appender = Appender::in_batches(&home.path(), total, batch);
        let last = kept + random.u64(5 * batch..30 * batch);
        if last >= total {
            appender.finish(total);
            break;
        }
        kept = appender.kill_after(last, &mut random);
        kills += 1;
    }
    assert!(kills >= 5, "{kills}");
}

/// The long form.
#[test]
#[ignore = "takes a minute or two; run it after a change to what is written"]
fn thousands_of_frames_survive_three_kills() {
    let home = Home::new();
    let mut random = fastrand::Rng::with_seed(5000);
    for last in [1000, 2500, 4000] {
        Appender::start(&home.path(), 5000).kill_after(last, &mut random);
    }
    Appender::start(&home.path(), 5000).finish(5000);
}

const TOTAL: &str = "MJPEG_TIMELAPSE_TEST_TOTAL";
