//! A rig with the program `mjpeg-server`.

use std::{fs, path::PathBuf, time::Duration};

use anyhow::{Result, ensure};
use rustix::process::Signal;
use tokio::time::Instant;

use super::{
    Rig,
    judged::{Judged, left_behind},
    watchers::{WATCHERS, watchers},
};
use crate::{
    camera::Camera,
    launch::Launch,
    setting::Setting,
    subject::{END_LIMIT, Figures, Program},
    table::seconds,
    watcher::Watcher,
};

/// The program, which relays two good cameras. The first one is the bystander.
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

/// How the program has ended.
pub(crate) struct Ended {
    /// `None` if it was killed by a signal.
    pub(crate) code: Option<i32>,
    pub(crate) took: Duration,
    /// The healthy viewers.
    pub(crate) viewers: Vec<Watcher>,
}

impl Ended {
    /// Describes the end of the program. Fails if the exit code is not 0.
    pub(crate) fn in_order(&self) -> Result<String> {
        ensure!(self.code == Some(0), "the exit code is {:?}", self.code);
        Ok(format!("exit code 0 after {}", seconds(self.took)))
    }
}

impl ProgramRig {
    /// The program's log so far.
    pub(crate) fn said(&self) -> Result<String> {
        Ok(fs::read_to_string(&self.log)?)
    }

    /// Opens more healthy viewers of the first stream.
    pub(crate) async fn add_watchers(&mut self, more: usize) -> Result<()> {
        let (addr, sequence) = (self.program.addrs[0], &self.cameras[0].sequence);
        let cpu_waits = &self.program.process.cpu_waits;
        self.watchers
            .extend(watchers(more, addr, sequence, cpu_waits).await?);
        Ok(())
    }

    /// Counts what the healthy viewers have seen, then ends the program by a signal.
    pub(crate) async fn end_by(&mut self, signal: Signal) -> Result<Ended> {
        self.note_peak()?;
        let mut viewers = std::mem::take(&mut self.watchers);
        self.counted.watch(&mut viewers).await;
        let since = Instant::now();
        self.has_ended = true;
        self.program.process.signal(signal)?;
        Ok(Ended {
            code: self.program.process.ended(END_LIMIT).await?,
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
            let cpu_waits = &program.process.cpu_waits;
            all.extend(watchers(WATCHERS, *addr, &camera.sequence, cpu_waits).await?);
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
