//! The stage with the program itself.

use std::{fs, path::PathBuf};

use anyhow::{Result, ensure};

use super::{
    Play,
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

/// With the program, which relays a bystander and one more good camera.
pub(crate) struct OnProgram {
    pub(crate) program: Program,
    pub(crate) server: PathBuf,
    pub(crate) cameras: [Camera; 2],
    /// Whether the case has ended the program and checked how it ended.
    pub(crate) has_ended: bool,
    watchers: Vec<Watcher>,
    before: Figures,
    before_kib: u64,
    peak_kib: u64,
    counted: Judged,
    log: PathBuf,
}

impl OnProgram {
    /// The program's log so far.
    pub(crate) fn said(&self) -> Result<String> {
        Ok(fs::read_to_string(&self.log)?)
    }

    /// Opens more healthy viewers of its first stream and returns all of them, for a case that ends
    /// the program. What they have seen by then counts.
    pub(crate) async fn take_watchers(&mut self, more: usize) -> Result<Vec<Watcher>> {
        let mut all = std::mem::take(&mut self.watchers);
        let (addr, reel) = (self.program.addrs[0], &self.cameras[0].reel);
        for _ in 0..more {
            all.push(Watcher::open(addr, reel, &self.program.process.turns).await?);
        }
        for watcher in &mut all {
            watcher.reach(1, FIRST_PICTURE).await?;
        }
        Ok(all)
    }

    /// Counts what a healthy viewer has seen.
    pub(crate) fn count(&mut self, watchers: &[Watcher]) {
        for watcher in watchers {
            self.counted.add(&watcher.seen());
        }
    }

    /// Records the peak of memory while the process is running.
    pub(crate) fn note_peak(&mut self) -> Result<()> {
        self.peak_kib = self.program.process.peak_kib()?;
        Ok(())
    }
}

impl Play for OnProgram {
    async fn set(setting: &Setting, name: &str, launch: &Launch) -> Result<Self> {
        let log = setting.dir.join(format!("{name}.log"));
        let cameras = [Camera::good().await?, Camera::good().await?];
        let addrs = [cameras[0].addr, cameras[1].addr];
        let program = Program::start(&setting.server, &addrs, launch, &log).await?;
        let mut all = Vec::new();
        for (addr, camera) in program.addrs.iter().zip(&cameras) {
            all.extend(watchers(*addr, &camera.reel, &program.process.turns).await?);
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
            self.program.process.terminate()?;
            let code = self.program.process.ended(END_LIMIT).await?;
            ensure!(code == Some(0), "the program ended with {code:?}");
        }
        judged.waited = self.program.process.turns.total();
        judged.grown_kib = self.peak_kib.saturating_sub(self.before_kib);
        Ok(judged)
    }
}
