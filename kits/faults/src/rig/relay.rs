//! A rig with the relay that answers questions.

use std::{fs, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context as _, Result, anyhow};
use fastrand::Rng;

use super::{
    Rig,
    judged::{Judged, left_behind},
    watchers::{WATCHERS, watchers},
};
use crate::{
    camera::Camera,
    inside::{Question, Start},
    launch::Launch,
    sequence::Sequence,
    setting::Setting,
    subject::{Figures, Relay, Status},
    wait,
    watcher::Watcher,
};

/// The relay that answers questions, which relays the bystander.
pub(crate) struct RelayRig {
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

impl RelayRig {
    /// Takes the current figures as those before the fault.
    pub(crate) async fn begin(&mut self) -> Result<()> {
        self.before = self.relay.figures().await?;
        self.before_kib = self.relay.process.rss_kib()?;
        self.relay.process.forget_peak()
    }

    /// Starts the faulty stream.
    pub(crate) async fn stream(&mut self, url: &str) -> Result<SocketAddr> {
        self.start_stream(Start::of(FAULTY, url)).await
    }

    /// Starts a faulty stream, with settings or beside others.
    pub(crate) async fn start_stream(&mut self, stream: Start) -> Result<SocketAddr> {
        self.streams.push(stream.name.clone());
        self.relay.start_stream(stream).await
    }

    /// Starts the faulty stream with a reader that panics.
    pub(crate) async fn panicking_stream(&mut self, camera: SocketAddr) -> Result<SocketAddr> {
        let name = FAULTY.to_owned();
        self.streams.push(name.clone());
        let question = Question::StartPanicking { name, camera };
        self.relay.begin(&question).await
    }

    /// Stops a stream of the case.
    pub(crate) async fn stop_stream(&mut self, name: &str) -> Result<()> {
        self.streams.retain(|started| started != name);
        self.relay.stop_stream(name).await
    }

    /// Starts an undamaged stream. It gets healthy viewers, which must lose nothing either.
    pub(crate) async fn good_stream(&mut self, camera: &Camera) -> Result<SocketAddr> {
        let addr = self.stream(&camera.url()).await?;
        let cpu_waits = &self.relay.process.cpu_waits;
        self.watchers
            .extend(watchers(WATCHERS, addr, &camera.sequence, cpu_waits).await?);
        Ok(addr)
    }

    /// Starts the faulty stream and opens a viewer of it, as [`Self::watch`] does.
    pub(crate) async fn watched(&mut self, url: &str, camera: &Camera) -> Result<Watcher> {
        let addr = self.stream(url).await?;
        self.watch(addr, camera).await
    }

    /// Opens a viewer of the faulty stream, whose response must last through the fault.
    pub(crate) async fn watch(&self, addr: SocketAddr, camera: &Camera) -> Result<Watcher> {
        self.watch_sequence(addr, &camera.sequence).await
    }

    /// As [`Self::watch`], for a camera that does not exist yet.
    pub(crate) async fn watch_sequence(
        &self,
        addr: SocketAddr,
        sequence: &Arc<Sequence>,
    ) -> Result<Watcher> {
        Watcher::open(addr, sequence, &self.relay.process.cpu_waits).await
    }

    /// Asks for the status of the faulty stream.
    pub(crate) async fn status(&mut self) -> Result<Status> {
        self.relay.status(FAULTY).await
    }

    /// Waits until the status of the faulty stream satisfies `is_so`, and returns it.
    pub(crate) async fn until(
        &mut self,
        what: &str,
        limit: Duration,
        is_so: impl Fn(&Status) -> bool,
    ) -> Result<Status> {
        let mut last = None;
        let look = async || {
            let status = self.status().await?;
            if is_so(&status) {
                return Ok(Some(status));
            }
            last = Some(status);
            Ok(None)
        };
        let status = wait::until(what, limit, look).await;
        status.map_err(|error| anyhow!("{error:#}; the last status is {last:?}"))
    }

    /// Waits until the last error contains one of these words, and returns it.
    pub(crate) async fn error_says(&mut self, words: &[&str], limit: Duration) -> Result<String> {
        let says = |error: &str| words.iter().any(|word| error.contains(word));
        let what = format!("the last error says {}", words.join(" or "));
        let status = self
            .until(&what, limit, |status| {
                status.last_error.as_deref().is_some_and(says)
            })
            .await?;
        status
            .last_error
            .context("it was there when the wait ended")
    }
}

impl Rig for RelayRig {
    async fn set(setting: &Setting, name: &str, launch: &Launch) -> Result<Self> {
        let log = setting.dir.join(format!("{name}.log"));
        let mut relay = Relay::launch(launch, &log).await?;
        let bystander = Camera::good().await?;
        let stream = Start::of("bystander", bystander.url());
        let addr = relay.start_stream(stream).await?;
        let cpu_waits = &relay.process.cpu_waits;
        let watchers = watchers(WATCHERS, addr, &bystander.sequence, cpu_waits).await?;
        let mut rig = Self {
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
        rig.begin().await?;
        Ok(rig)
    }

    async fn judge(mut self) -> Result<Judged> {
        let mut judged = Judged::default();
        judged.watch(&mut self.watchers).await;
        // The bystander's viewers were there before the fault, and are part of those figures.
        self.watchers.truncate(WATCHERS);
        for name in &self.streams {
            // Fails if the stream never started, which the case has reported.
            let _ = self.relay.stop_stream(name).await;
        }
        let before = self.before;
        let left = left_behind(async || Ok(self.relay.figures().await?.beyond(&before)));
        judged.others.extend(left.await?);
        judged.waited = self.relay.process.cpu_waits.total();
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

/// The usual name of the faulty stream.
pub(crate) const FAULTY: &str = "faulty";
