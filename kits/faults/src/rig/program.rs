//! The program itself, with a bystander.

use std::{fs, path::PathBuf, time::Duration};

use anyhow::{Result, ensure};
use rustix::process::Signal;
use tokio::time::Instant;

use super::{
    Rig,
    judged::{Judged, left_behind},
    watchers::{FIRST_PICTURE, watchers},
};
use crate::{
    camera::Camera,
    launch::Launch,
    setting::Setting,
    subject::{END_LIMIT, Figures, Program},
    watcher::Watcher,
};

/// The program, which relays the bystander and one more good camera.
pub(crate) struct ProgramRig {
    pub(crate) program: Program,
    pub(crate) server: PathBuf,
    pub(crate) cameras: [Camera; 2],
    pub(crate) launch: Launch,
    has_ended: bool,
    watchers: Vec<Watcher>,
    before: Figures,
    before_kib: u64,
    peak_kib: u64,
    counted: Judged,
    log: PathBuf,
}

/// How a case has ended the program.
pub(crate) struct Ended {
    /// `None` if a signal has ended it.
    pub(crate) code: Option<i32>,
    pub(crate) took: Duration,
    /// The healthy viewers.
    pub(crate) viewers: Vec<Watcher>,
}

impl Ended {
    /// Describes how the program has ended. Fails unless that was in order.
    pub(crate) fn in_order(&self) -> Result<String> {
        ensure!(self.code == Some(0), "the exit code is {:?}", self.code);
        let took = self.took.as_secs_f64();
        Ok(format!("exit code 0 after {took:.1} s"))
    }
}

impl ProgramRig {
    /// The program's log so far.
    pub(crate) fn said(&self) -> Result<String> {
        Ok(fs::read_to_string(&self.log)?)
    }

    /// Opens more healthy viewers of its first stream.
    pub(crate) async fn add_watchers(&mut self, more: usize) -> Result<()> {
        let (addr, sequence) = (self.program.addrs[0], &self.cameras[0].sequence);
        for _ in 0..more {
            let mut watcher =
                Watcher::open(addr, sequence, &self.program.process.cpu_waits).await?;
            watcher.reach(1, FIRST_PICTURE).await?;
            self.watchers.push(watcher);
        }
        Ok(())
    }

    /// Counts what the healthy viewers have seen, and ends the program by a signal.
    pub(crate) async fn end_by(&mut self, signal: Signal) -> Result<Ended> {
        self.note_peak()?;
        let mut viewers = std::mem::take(&mut self.watchers);
        self.counted.watch(&mut viewers).await;
        let since = Instant::now();
        self.has_ended = true;
        self.program.process.signal(signal)?;
        Ok(Ended {
            code: self.program.process.ended(ENDS_IN_TIME).await?,
            took: since.elapsed(),
            viewers,
        })
    }

    fn note_peak(&mut self) -> Result<()> {
        self.peak_kib = self.program.process.peak_kib()?;
        Ok(())
    }
}

impl Rig for ProgramRig {
    async fn set(setting: &Setting, name: &str, launch: &Launch) -> Result<Self> {
        let log = setting.dir.join(format!("{name}.log"));
        let cameras = [Camera::good().await?, Camera::good().await?];
        let program = Program::start(&setting.server, &cameras, launch, &log).await?;
        let mut all = Vec::new();
        for (addr, camera) in program.addrs.iter().zip(&cameras) {
            all.extend(watchers(*addr, &camera.sequence, &program.process.cpu_waits).await?);
        }
        let process = &program.process;
        process.forget_peak()?;
        Ok(Self {
            before: process.figures()?,
            before_kib: process.rss_kib()?,
            peak_kib: 0,
            program,
            server: setting.server.clone(),
            cameras,
            launch: launch.clone(),
            has_ended: false,
            watchers: all,
            counted: Judged::default(),
            log,
        })
    }

    async fn judge(mut self) -> Result<Judged> {
        let mut judged = std::mem::take(&mut self.counted);
        judged.watch(&mut self.watchers).await;
        if !self.has_ended {
            let beyond = async || Ok(self.program.process.figures()?.beyond(&self.before));
            judged.others.extend(left_behind(beyond).await?);
            self.note_peak()?;
            self.program.process.signal(Signal::TERM)?;
            let code = self.program.process.ended(END_LIMIT).await?;
            ensure!(code == Some(0), "the program ended with {code:?}");
        }
        judged.waited = self.program.process.cpu_waits.total();
        judged.grown_kib = self.peak_kib.saturating_sub(self.before_kib);
        Ok(judged)
    }
}

/// The grace of 5 s and a margin. If it takes longer, it does not end.
const ENDS_IN_TIME: Duration = Duration::from_secs(7);
