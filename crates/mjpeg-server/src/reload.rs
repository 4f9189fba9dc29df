//! Reading the configuration again while the relay runs.

pub(crate) mod difference;
mod keys;
mod watch;

use std::{
    collections::BTreeSet,
    future::pending,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::{sync::watch::Receiver, time::Instant};
use tracing::{error, info, warn};

use self::{
    difference::{Configuration, Difference},
    watch::{Watcher, fingerprint},
};
use crate::{
    assembly,
    background::in_background,
    config::{
        edits::Edits,
        load::{Loaded, load_edited},
        registry::RegistryStreams,
        report::{Level, Report},
        resolve::overrides::Overrides,
    },
    relay::{Relay, StartError, change::RelayChange},
    telemetry::FilterHandle,
};

/// Reads the configuration again and changes the relay accordingly.
pub(crate) struct Reloader {
    source: Arc<ConfigurationSource>,
    running: Arc<Configuration>,
    read: ReadFiles,
    filter: FilterHandle,
    /// `None` if nobody asks to watch the files.
    watcher: Option<Watcher>,
    /// The streams that a cluster has for all its nodes, if there is one.
    registry: Option<Receiver<RegistryStreams>>,
}

/// The files that were read, and what they held.
#[derive(Clone, Default, PartialEq)]
pub(crate) struct ReadFiles {
    paths: BTreeSet<PathBuf>,
    fingerprint: u64,
}

/// Where a configuration is read.
pub(crate) struct ConfigurationSource {
    /// `None` if the command line is all there is.
    pub(crate) file: Option<PathBuf>,
    pub(crate) overrides: Overrides,
}

/// What a reload would do.
pub(crate) struct Proposal {
    pub(crate) difference: Difference,
    pub(crate) warnings: Vec<String>,
    pub(crate) configuration: Configuration,
}

/// Why nothing has changed.
pub(crate) enum ReloadError {
    /// The configuration has errors.
    Invalid(Box<Report>),
    /// A port cannot be had, or a new stream does not start.
    Start(StartError),
}

impl Reloader {
    /// Makes a reloader for a relay that runs what was read.
    pub(crate) fn new(
        source: ConfigurationSource,
        running: Arc<Configuration>,
        read: ReadFiles,
        filter: FilterHandle,
        registry: Option<Receiver<RegistryStreams>>,
    ) -> Self {
        let mut this = Self {
            source: Arc::new(source),
            running,
            read,
            filter,
            watcher: None,
            registry,
        };
        this.watch();
        this
    }

    /// Watches the files that were read last, if that is asked for.
    fn watch(&mut self) {
        let is_wanted = self.running.settings.process.watch;
        self.watcher = is_wanted.then(|| Watcher::new(&self.read.paths));
    }

    /// Waits until the files that were read hold something else, if that is asked for, or the
    /// registry of the cluster does.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub(crate) async fn changed(&mut self) {
        let mut registry = self.registry.clone();
        let known = self.running.written.registry.clone();
        let of_registry = async {
            let Some(registry) = &mut registry else {
                return pending().await;
            };
            // An error means that the cluster has ended, and the relay with it.
            if registry.wait_for(|now| *now != known).await.is_err() {
                pending().await
            }
        };
        tokio::select! {
            () = self.files_changed() => {}
            () = of_registry => {}
        }
    }

    async fn files_changed(&mut self) {
        let Some(watcher) = &mut self.watcher else {
            return pending().await;
        };
        loop {
            watcher.changed().await;
            let paths = self.read.paths.clone();
            let now = in_background(move || fingerprint(&paths)).await;
            if now != self.read.fingerprint {
                return;
            }
            watcher.compared();
        }
    }

    /// Reads the configuration, and says what would change. Changes nothing.
    ///
    /// # Errors
    ///
    /// [`ReloadError::Invalid`].
    pub(crate) async fn propose(&self) -> (ReadFiles, Result<Proposal, ReloadError>) {
        let (source, running) = (Arc::clone(&self.source), Arc::clone(&self.running));
        let known = self.read.clone();
        let registry = self.registry.as_ref();
        let registry = registry.map(|registry| registry.borrow().clone());
        let registry = registry.unwrap_or_default();
        in_background(move || {
            let edits = Edits {
                run: running.written.run.clone(),
                registry,
                ..Edits::default()
            };
            let (loaded, read) = source.load(known, &edits);
            (read, Proposal::of(loaded, &running))
        })
        .await
    }

    /// Reads the configuration as it was last read, with these changes, and says what would change.
    /// Changes nothing. What was changed on the disk since then is left to the next reload.
    ///
    /// # Errors
    ///
    /// [`ReloadError::Invalid`].
    pub(crate) async fn propose_edited(&self, edits: Edits) -> Result<Proposal, ReloadError> {
        let (source, running) = (Arc::clone(&self.source), Arc::clone(&self.running));
        in_background(move || {
            let loaded = load_edited(source.file.as_deref(), &source.overrides, &edits);
            Proposal::of(loaded, &running)
        })
        .await
    }

    /// The file that is read, if any: the one that includes the others.
    pub(crate) fn main_file(&self) -> Option<&Path> {
        self.source.file.as_deref()
    }

    /// What is in effect.
    pub(crate) fn running(&self) -> &Arc<Configuration> {
        &self.running
    }

    /// Reads the configuration and applies it, and logs what has changed or why nothing has.
    ///
    /// # Errors
    ///
    /// [`ReloadError`]. Nothing has changed then.
    ///
    /// # Cancel safety
    ///
    /// As [`Relay::change`].
    pub(crate) async fn reload(&mut self, relay: &mut Relay) -> Result<Difference, ReloadError> {
        let since = Instant::now();
        let outcome = self.try_reload(relay).await;
        match &outcome {
            Ok(difference) if difference.is_empty() => {
                info!("configuration reloaded: nothing has changed");
            }
            Ok(difference) => log_changes(difference, since.elapsed()),
            Err(error) => {
                for error in error.lines() {
                    error!(error, "the reload is refused");
                }
                error!("configuration not reloaded: nothing has changed");
            }
        }
        // After these lines, which would else be missed where the log becomes shorter.
        self.filter.set(&self.running.settings.process.log.0);
        outcome
    }

    async fn try_reload(&mut self, relay: &mut Relay) -> Result<Difference, ReloadError> {
        let (read, proposal) = self.propose().await;
        // Errors are told once, also if the files are watched.
        if read != self.read || self.watcher.is_none() {
            self.read = read;
            self.watch();
        }
        let proposal = proposal?;
        log_warnings(&proposal.warnings);
        self.apply(relay, proposal, |_| {}).await
    }

    /// Makes the relay what is proposed. `adjust` may change how streams are started.
    ///
    /// # Errors
    ///
    /// [`ReloadError::Start`]. Nothing has changed then.
    ///
    /// # Cancel safety
    ///
    /// As [`Relay::change`].
    pub(crate) async fn apply(
        &mut self,
        relay: &mut Relay,
        proposal: Proposal,
        adjust: impl FnOnce(&mut RelayChange),
    ) -> Result<Difference, ReloadError> {
        let Proposal {
            difference,
            mut configuration,
            ..
        } = proposal;
        let mut change = assembly::change(&self.running.plan, &configuration.plan);
        adjust(&mut change);
        relay.change(change).await.map_err(ReloadError::Start)?;
        // What needs a restart is told again by the next reload.
        let process = &mut configuration.settings.process;
        process.worker_threads = self.running.settings.process.worker_threads;
        process
            .state_dir
            .clone_from(&self.running.settings.process.state_dir);
        process.log_format = self.running.settings.process.log_format;
        configuration
            .settings
            .cluster
            .clone_from(&self.running.settings.cluster);
        let watched = self.running.settings.process.watch;
        self.running = Arc::new(configuration);
        if self.running.settings.process.watch != watched {
            self.watch();
        }
        Ok(difference)
    }
}

impl ConfigurationSource {
    /// Reads the configuration. The fingerprint is of what its files held before that, so that no
    /// later change is missed.
    pub(crate) fn load(&self, known: ReadFiles, edits: &Edits) -> (Loaded, ReadFiles) {
        let mut paths = known.paths;
        let mut attempt = 0;
        loop {
            let fingerprint = fingerprint(&paths);
            let loaded = load_edited(self.file.as_deref(), &self.overrides, edits);
            let is_same = loaded.report.watched == paths;
            let is_watched = loaded.resolved.settings.process.watch;
            attempt += 1;
            if is_same || !is_watched || attempt == MOST_ATTEMPTS {
                return (loaded, ReadFiles { paths, fingerprint });
            }
            paths = loaded.report.watched;
        }
    }
}

impl Proposal {
    fn of(loaded: Loaded, running: &Configuration) -> Result<Self, ReloadError> {
        let Some(plan) = loaded.plan else {
            return Err(ReloadError::Invalid(Box::new(loaded.report)));
        };
        let configuration = Configuration {
            settings: loaded.resolved.settings,
            plan,
            written: loaded.written,
        };
        Ok(Self {
            difference: Difference::between(running, &configuration),
            warnings: loaded.report.lines(Level::Warning),
            configuration,
        })
    }
}

impl ReloadError {
    /// What is wrong, a line each.
    pub(crate) fn lines(&self) -> Vec<String> {
        match self {
            Self::Invalid(report) => report.lines(Level::Error),
            Self::Start(error) => error.lines().collect(),
        }
    }
}

/// Logs what is not wrong with a configuration, but not right either.
pub(crate) fn log_warnings(warnings: &[String]) {
    for warning in warnings {
        warn!(warning, "warning about the configuration");
    }
}

/// Logs what a reload has changed.
fn log_changes(difference: &Difference, took: Duration) {
    let mut lines = difference.lines();
    for change in lines.by_ref().take(MOST_LINES) {
        info!(change, "changed by the reload");
    }
    let more = lines.count();
    if more > 0 {
        info!(more, "more was changed by the reload");
    }
    let [changed, added, removed] = difference.counts();
    let (summary, took_ms) = (difference.summary(), took.as_millis() as u64);
    // Last, where it is seen.
    info!(
        changed,
        added, removed, took_ms, "configuration reloaded: {summary} in {took_ms} ms"
    );
}

/// How often the configuration is read when the list of its files changes each time.
const MOST_ATTEMPTS: usize = 3;

/// The most changes that are logged one by one.
const MOST_LINES: usize = 200;
