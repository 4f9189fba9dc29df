//! Where a case is played: a relay with an undamaged stream and its viewers, of whom nothing may be lost.

use std::{fs, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context as _, Result, bail, ensure};
use fastrand::Rng;
use tokio::time::{Instant, sleep};

use crate::{
    camera::{Camera, Reel},
    case::Setting,
    subject::{END_LIMIT, Figures, Launch, Program, Relay, Status},
    turns::Turns,
    watcher::{Seen, Watcher},
};

/// With the relay that answers questions.
pub(crate) struct Stage {
    pub(crate) relay: Relay,
    pub(crate) random: Rng,
    _bystander: Camera,
    pub(crate) panics_expected: bool,
    watchers: Vec<Watcher>,
    streams: Vec<String>,
    before: Figures,
    before_kib: u64,
    log: PathBuf,
    pub(crate) dir: PathBuf,
}

/// With the program, which relays a bystander and one more good camera.
pub(crate) struct OnProgram {
    pub(crate) program: Program,
    pub(crate) server: PathBuf,
    pub(crate) cameras: [Camera; 2],
    /// The case has ended the program, and looked how.
    pub(crate) has_ended: bool,
    watchers: Vec<Watcher>,
    before: Figures,
    before_kib: u64,
    peak_kib: u64,
    counted: Judged,
    log: PathBuf,
}

/// What must hold everywhere, as it was.
#[derive(Clone, Debug, Default)]
pub(crate) struct Judged {
    /// Of undamaged streams, over all their healthy viewers.
    pub(crate) lost: u64,
    /// While the machine gave the relay no turn.
    pub(crate) held_up: u64,
    pub(crate) pictures: u64,
    pub(crate) disordered: u64,
    pub(crate) longest_gap: Duration,
    /// For how long the machine gave the relay no turn, in all.
    pub(crate) waited: Duration,
    /// Memory, above what it was.
    pub(crate) grown_kib: u64,
    pub(crate) others: Vec<String>,
}

impl Judged {
    pub(crate) fn failures(&self, most_mib: u64) -> Vec<String> {
        let mut failures = self.others.clone();
        if self.lost > 0 {
            failures.push(format!("{} pictures of undamaged streams lost", self.lost));
        }
        if self.disordered > 0 {
            failures.push(format!("{} pictures out of order", self.disordered));
        }
        if self.longest_gap > LONGEST_GAP {
            let gap = self.longest_gap;
            failures.push(format!("an undamaged stream stood still for {gap:.1?}"));
        }
        if self.grown_kib > most_mib << 10 {
            let grown = self.grown_kib >> 10;
            failures.push(format!("memory grew by {grown} MiB, {most_mib} at most"));
        }
        failures
    }

    fn add(&mut self, seen: &Seen) {
        self.lost += seen.lost;
        self.held_up += seen.held_up;
        self.pictures += seen.pictures;
        self.disordered += seen.disordered;
        self.longest_gap = self.longest_gap.max(seen.longest_gap);
    }

    async fn watch(&mut self, watchers: &mut [Watcher]) {
        for watcher in watchers {
            let seen = watcher.settle().await;
            self.add(&seen);
            if seen.placeholders > 0 {
                self.others
                    .push("an undamaged stream has shown its placeholder".into());
            }
            if let Some(why) = seen.ended {
                self.others
                    .push(format!("a healthy viewer's response ended: {why}"));
            }
        }
    }
}

impl Stage {
    pub(crate) async fn set(setting: &Setting, name: &str, launch: &Launch) -> Result<Self> {
        let log = setting.dir.join(format!("{name}.log"));
        let mut relay = Relay::start(launch, &log)?;
        let bystander = Camera::good().await?;
        let addr = relay.stream("bystander", &bystander.url()).await?;
        let watchers = watchers(addr, &bystander.reel, &relay.process.turns).await?;
        let mut stage = Self {
            before: relay.figures().await?,
            relay,
            random: Rng::with_seed(setting.seed),
            _bystander: bystander,
            panics_expected: false,
            watchers,
            streams: Vec::new(),
            before_kib: 0,
            log,
            dir: setting.dir.clone(),
        };
        stage.begin().await?;
        Ok(stage)
    }

    /// Begins to count, from what there is now.
    pub(crate) async fn begin(&mut self) -> Result<()> {
        self.before = self.relay.figures().await?;
        self.before_kib = self.relay.process.rss_kib()?;
        self.relay.process.forget_peak()
    }

    /// Starts a stream under fault.
    pub(crate) async fn stream(&mut self, url: &str) -> Result<SocketAddr> {
        self.streams.push(FAULTY.to_owned());
        self.relay.stream(FAULTY, url).await
    }

    /// The same, with a command of one's own.
    pub(crate) async fn stream_by(&mut self, command: &str) -> Result<SocketAddr> {
        self.streams.push(FAULTY.to_owned());
        self.relay.begin(command).await
    }

    /// Starts an undamaged stream beside the bystander, for bad viewers; its healthy ones are counted too.
    pub(crate) async fn good_stream(&mut self, camera: &Camera) -> Result<SocketAddr> {
        let addr = self.stream(&camera.url()).await?;
        let turns = &self.relay.process.turns;
        self.watchers
            .extend(watchers(addr, &camera.reel, turns).await?);
        Ok(addr)
    }

    /// A viewer of the stream under fault: its response must last, and it tells when pictures come again.
    pub(crate) async fn watch(&self, addr: SocketAddr, camera: &Camera) -> Result<Watcher> {
        self.watch_reel(addr, &camera.reel).await
    }

    /// The same before there is a camera.
    pub(crate) async fn watch_reel(&self, addr: SocketAddr, reel: &Arc<Reel>) -> Result<Watcher> {
        Watcher::open(addr, reel, &self.relay.process.turns).await
    }

    /// What the relay tells of the stream under fault.
    pub(crate) async fn status(&mut self) -> Result<Status> {
        self.relay.status(FAULTY).await
    }

    /// Waits until its status is so.
    pub(crate) async fn until(
        &mut self,
        what: &str,
        limit: Duration,
        is_so: impl Fn(&Status) -> bool,
    ) -> Result<Status> {
        let since = Instant::now();
        loop {
            let status = self.status().await?;
            if is_so(&status) {
                return Ok(status);
            }
            if since.elapsed() > limit {
                bail!("not within {limit:?}: {what}; it is {status:?}");
            }
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until the last error holds one of these words.
    pub(crate) async fn error_says(&mut self, words: &[&str], limit: Duration) -> Result<String> {
        let says = |error: &str| words.iter().any(|word| error.contains(word));
        let what = format!("the last error says {}", words.join(" or "));
        let status = self
            .until(&what, limit, |status| {
                status.last_error.as_deref().is_some_and(says)
            })
            .await?;
        status.last_error.context("it was there just now")
    }

    /// Stops what the case has started, looks whether anything is left, and ends the relay.
    pub(crate) async fn judge(mut self) -> Result<Judged> {
        let mut judged = Judged::default();
        judged.watch(&mut self.watchers).await;
        // The bystander's stay: they were there before.
        self.watchers.truncate(WATCHERS);
        for name in &self.streams {
            // One that never started is no failure of its own.
            let _ = self.relay.ask(&format!("stop {name}")).await;
        }
        let before = self.before;
        let since = Instant::now();
        loop {
            let beyond = self.relay.figures().await?.beyond(&before);
            if beyond.is_empty() {
                break;
            }
            if since.elapsed() > LEFT_LIMIT {
                judged
                    .others
                    .push(format!("left behind: {}", beyond.join(", ")));
                break;
            }
            sleep(Duration::from_millis(50)).await;
        }
        judged.waited = self.relay.process.turns.total();
        let peak = self.relay.process.peak_kib()?;
        judged.grown_kib = peak.saturating_sub(self.before_kib);
        match self.relay.end().await? {
            Some(0) => {}
            code => judged.others.push(format!("the relay ended with {code:?}")),
        }
        let said = fs::read_to_string(&self.log)?;
        if said.contains("panicked") && !self.panics_expected {
            judged.others.push(format!("a panic: {}", said.trim()));
        }
        Ok(judged)
    }
}

impl OnProgram {
    pub(crate) async fn set(setting: &Setting, name: &str, launch: &Launch) -> Result<Self> {
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

    /// What the program has logged so far.
    pub(crate) fn said(&self) -> Result<String> {
        Ok(fs::read_to_string(&self.log)?)
    }

    /// Opens more healthy viewers of its first stream, and gives all of them, for a case that ends the program. What they have seen by then counts.
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

    /// Notes the peak of memory, while there is a process that has one.
    pub(crate) fn note_peak(&mut self) -> Result<()> {
        self.peak_kib = self.program.process.peak_kib()?;
        Ok(())
    }

    /// Looks whether anything is left, and ends the program.
    pub(crate) async fn judge(mut self) -> Result<Judged> {
        let mut judged = std::mem::take(&mut self.counted);
        judged.watch(&mut self.watchers).await;
        if !self.has_ended {
            let since = Instant::now();
            loop {
                let beyond = self.program.process.figures()?.beyond(&self.before);
                if beyond.is_empty() {
                    break;
                }
                if since.elapsed() > LEFT_LIMIT {
                    let left = beyond.join(", ");
                    judged.others.push(format!("left behind: {left}"));
                    break;
                }
                sleep(Duration::from_millis(50)).await;
            }
            self.note_peak()?;
            self.program.process.terminate().await?;
            let code = self.program.process.ended(END_LIMIT).await?;
            ensure!(code == Some(0), "the program ended with {code:?}");
        }
        judged.waited = self.program.process.turns.total();
        judged.grown_kib = self.peak_kib.saturating_sub(self.before_kib);
        Ok(judged)
    }
}

async fn watchers(addr: SocketAddr, reel: &Arc<Reel>, turns: &Arc<Turns>) -> Result<Vec<Watcher>> {
    let mut all = Vec::new();
    for _ in 0..WATCHERS {
        let mut watcher = Watcher::open(addr, reel, turns).await?;
        watcher.fresh(FIRST_PICTURE).await?;
        all.push(watcher);
    }
    Ok(all)
}

/// The name of the stream under fault.
const FAULTY: &str = "faulty";
/// Healthy viewers of each undamaged stream.
const WATCHERS: usize = 2;
const FIRST_PICTURE: Duration = Duration::from_secs(10);
/// What an undamaged stream may stand still for.
const LONGEST_GAP: Duration = Duration::from_secs(1);
/// The runtime keeps a thread for look-ups for ten seconds after its last use.
const LEFT_LIMIT: Duration = Duration::from_secs(15);
