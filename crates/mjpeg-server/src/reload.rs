//! Reading the configuration again while the relay runs.

pub(crate) mod difference;
mod keys;

use std::{path::PathBuf, sync::Arc};

use tokio::{task::spawn_blocking, time::Instant};
use tracing::{error, info, warn};

use self::difference::{Configuration, Difference};
use crate::{
    assembly,
    config::{
        load::load,
        report::{Level, Report},
        resolve::overrides::Overrides,
    },
    relay::{Relay, StartError},
};

/// Reads the configuration again and changes the relay accordingly.
pub(crate) struct Reloader {
    source: Arc<ConfigurationSource>,
    running: Arc<Configuration>,
}

/// Where a configuration is read.
pub(crate) struct ConfigurationSource {
    pub(crate) file: PathBuf,
    pub(crate) overrides: Overrides,
}

/// What a reload would do.
pub(crate) struct Proposal {
    pub(crate) difference: Difference,
    pub(crate) warnings: Vec<String>,
    configuration: Configuration,
}

/// Why nothing has changed.
pub(crate) enum ReloadError {
    /// The configuration has errors.
    Invalid(Box<Report>),
    /// It asks for what is not there yet.
    Refused(String),
    /// A port cannot be had, or a new stream does not start.
    Start(StartError),
}

impl Reloader {
    pub(crate) fn new(source: ConfigurationSource, running: Arc<Configuration>) -> Self {
        Self {
            source: Arc::new(source),
            running,
        }
    }

    /// Reads the configuration, and says what would change.
    ///
    /// # Errors
    ///
    /// [`ReloadError::Invalid`].
    pub(crate) async fn propose(&self) -> Result<Proposal, ReloadError> {
        let (source, running) = (Arc::clone(&self.source), Arc::clone(&self.running));
        // On a thread of its own: viewers are served meanwhile.
        let read = spawn_blocking(move || source.read(&running)).await;
        read.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
    }

    /// Reads the configuration and applies it, and logs what has changed or why nothing has.
    ///
    /// # Cancel safety
    ///
    /// As [`Relay::change`].
    pub(crate) async fn reload(&mut self, relay: &mut Relay) {
        let since = Instant::now();
        match self.try_reload(relay).await {
            Ok(difference) if difference.is_empty() => {
                info!("configuration reloaded: nothing has changed");
            }
            Ok(difference) => {
                let (summary, took) = (difference.summary(), since.elapsed().as_millis());
                let mut lines = difference.lines();
                lines
                    .by_ref()
                    .take(MOST_LINES)
                    .for_each(|line| info!("{line}"));
                let more = lines.count();
                if more > 0 {
                    info!("and {more} more");
                }
                // Last, where it is seen.
                info!("configuration reloaded: {summary} in {took} ms");
            }
            Err(error) => {
                error.lines().iter().for_each(|line| error!("{line}"));
                error!("configuration not reloaded: nothing has changed");
            }
        }
    }

    async fn try_reload(&mut self, relay: &mut Relay) -> Result<Difference, ReloadError> {
        let Proposal {
            difference,
            warnings,
            mut configuration,
        } = self.propose().await?;
        warnings.iter().for_each(|warning| warn!("{warning}"));
        let change = assembly::change(&self.running.plan, &configuration.plan);
        relay.change(change).await.map_err(ReloadError::Start)?;
        // What needs a restart is told again by the next reload.
        let process = &mut configuration.settings.process;
        process.worker_threads = self.running.settings.process.worker_threads;
        self.running = Arc::new(configuration);
        Ok(difference)
    }
}

impl ConfigurationSource {
    fn read(&self, running: &Configuration) -> Result<Proposal, ReloadError> {
        let loaded = load(Some(&self.file), &self.overrides);
        let Some(plan) = loaded.plan else {
            return Err(ReloadError::Invalid(Box::new(loaded.report)));
        };
        assembly::refused(&plan).map_err(ReloadError::Refused)?;
        let configuration = Configuration {
            settings: loaded.resolved.settings,
            plan,
        };
        Ok(Proposal {
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
            Self::Refused(why) => vec![why.clone()],
            Self::Start(error) => error.lines().collect(),
        }
    }
}

/// The most changes that are logged one by one.
const MOST_LINES: usize = 200;
