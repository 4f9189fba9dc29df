//! The stage with the relay that answers questions.

use std::{fs, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context as _, Result, bail};
use fastrand::Rng;
use tokio::time::{Instant, sleep};

use super::{
    Play,
    judged::{Judged, left_behind},
    watchers::{WATCHERS, watchers},
};
use crate::{
    camera::{Camera, Reel},
    launch::Launch,
    setting::Setting,
    subject::{Figures, Relay, Status},
    watcher::Watcher,
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

impl Stage {
    /// Begins to count, from the present figures.
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

    /// Starts a stream under fault by this command.
    pub(crate) async fn stream_by(&mut self, command: &str) -> Result<SocketAddr> {
        self.streams.push(FAULTY.to_owned());
        self.relay.begin(command).await
    }

    /// Starts another undamaged stream, for bad viewers. Its healthy viewers are counted too.
    pub(crate) async fn good_stream(&mut self, camera: &Camera) -> Result<SocketAddr> {
        let addr = self.stream(&camera.url()).await?;
        let turns = &self.relay.process.turns;
        self.watchers
            .extend(watchers(addr, &camera.reel, turns).await?);
        Ok(addr)
    }

    /// Opens a viewer of the stream under fault. Its response must last, and it shows when pictures
    /// come again.
    pub(crate) async fn watch(&self, addr: SocketAddr, camera: &Camera) -> Result<Watcher> {
        self.watch_reel(addr, &camera.reel).await
    }

    /// As [`Self::watch`], before the camera exists.
    pub(crate) async fn watch_reel(&self, addr: SocketAddr, reel: &Arc<Reel>) -> Result<Watcher> {
        Watcher::open(addr, reel, &self.relay.process.turns).await
    }

    /// The relay's status of the stream under fault.
    pub(crate) async fn status(&mut self) -> Result<Status> {
        self.relay.status(FAULTY).await
    }

    /// Waits until the status satisfies `is_so`.
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

    /// Waits until the last error contains one of these words.
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
}

impl Play for Stage {
    async fn set(setting: &Setting, name: &str, launch: &Launch) -> Result<Self> {
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

    /// Stops what the case has started, looks whether anything is left, and ends the relay.
    async fn judge(mut self) -> Result<Judged> {
        let mut judged = Judged::default();
        judged.watch(&mut self.watchers).await;
        // The bystander's viewers stay: they were counted before.
        self.watchers.truncate(WATCHERS);
        for name in &self.streams {
            // A stream that never started is not a failure by itself.
            let _ = self.relay.ask(&format!("stop {name}")).await;
        }
        let before = self.before;
        let left = left_behind(async || Ok(self.relay.figures().await?.beyond(&before)));
        judged.others.extend(left.await?);
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

/// The name of the stream under fault.
const FAULTY: &str = "faulty";
