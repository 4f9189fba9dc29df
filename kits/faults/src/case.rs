//! What a case is, and how it is judged.

use std::{path::Path, time::Duration};

use anyhow::{Context as _, Result};
use futures_util::future::LocalBoxFuture;
use tokio::time::Instant;

use crate::{
    inside,
    launch::Launch,
    rig::{Rig, judged::Judged, program::ProgramRig, relay::RelayRig},
    setting::Setting,
};

/// A fault, and what must hold while it lasts and afterwards.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) injected: &'static str,
    /// What must hold, besides what must hold in every case.
    pub(crate) holds: &'static str,
    /// Whether it is part of the short form.
    pub(crate) short: bool,
    /// Whether it runs alone because it keeps the machine busy.
    pub(crate) alone: bool,
    pub(crate) needs: Needs,
    /// How far the peak of the relay's memory may exceed what it was before, in MiB.
    pub(crate) most_mib: u64,
    set_up: SetUp,
    run: Run,
}

/// What a case requires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Needs {
    Nothing,
    /// Namespaces.
    Network,
    /// Sources `http://` in the relay.
    Http,
    /// Debian's faketime.
    Faketime,
}

/// How a case is run.
#[derive(Clone, Copy)]
pub(crate) enum Run {
    /// Against the relay that answers questions.
    Relay(OnRig<RelayRig>),
    /// Against the program.
    Program(OnRig<ProgramRig>),
}

/// Changes how the relay is started. The folder is the suite's own.
type SetUp = fn(&Path, &mut Launch) -> Result<()>;
type OnRig<R> = for<'a> fn(&'a mut R) -> LocalBoxFuture<'a, Result<Findings>>;

/// What a case reports, if everything that it checked holds.
#[derive(Default)]
pub(crate) struct Findings {
    /// The time from the fault's end to the first good picture at a viewer of that stream, and its
    /// limit.
    pub(crate) recovered: Option<(Duration, Duration)>,
    /// What was seen of the stream under fault.
    pub(crate) seen: String,
}

impl Findings {
    pub(crate) fn seen(seen: impl Into<String>) -> Self {
        Self {
            recovered: None,
            seen: seen.into(),
        }
    }

    pub(crate) fn recovered(mut self, took: Duration, limit: Duration) -> Self {
        self.recovered = Some((took, limit));
        self
    }
}

/// The outcome of a case.
pub(crate) struct Row {
    pub(crate) case: &'static Case,
    pub(crate) findings: Findings,
    pub(crate) judged: Judged,
    pub(crate) failures: Vec<String>,
    pub(crate) took: Duration,
}

impl Case {
    /// A case that waits most of the time, requires nothing, and is not part of the short form.
    pub(crate) const fn new(
        name: &'static str,
        injected: &'static str,
        holds: &'static str,
        run: Run,
    ) -> Self {
        Self {
            name,
            injected,
            holds,
            short: false,
            alone: false,
            needs: Needs::Nothing,
            most_mib: 8,
            set_up: |_, _| Ok(()),
            run,
        }
    }

    pub(crate) const fn short(mut self) -> Self {
        self.short = true;
        self
    }

    pub(crate) const fn alone(mut self) -> Self {
        self.alone = true;
        self
    }

    pub(crate) const fn needs(mut self, needs: Needs) -> Self {
        self.needs = needs;
        self
    }

    pub(crate) const fn set_up(mut self, set_up: SetUp) -> Self {
        self.set_up = set_up;
        self
    }

    pub(crate) const fn most_mib(mut self, most: u64) -> Self {
        self.most_mib = most;
        self
    }

    /// Runs the case.
    pub(crate) async fn run(&'static self, setting: &Setting) -> Row {
        let since = Instant::now();
        let mut failures = Vec::new();
        let outcome = match self.run {
            Run::Relay(run) => self.run_on(setting, run, &mut failures).await,
            Run::Program(run) => self.run_on(setting, run, &mut failures).await,
        };
        let (findings, judged) = outcome.unwrap_or_else(|error| {
            failures.push(format!("{error:#}"));
            Default::default()
        });
        if let Some((took, limit)) = findings.recovered
            && took.saturating_sub(judged.waited) > limit
        {
            failures.push(format!("recovered in {took:.1?}, {limit:?} at most"));
        }
        failures.extend(judged.failures(self.most_mib));
        Row {
            case: self,
            findings,
            judged,
            failures,
            took: since.elapsed(),
        }
    }

    fn launch(&self, setting: &Setting) -> Result<Launch> {
        let mut launch = Launch::default();
        (self.set_up)(&setting.dir, &mut launch)?;
        if let Some(what) = &setting.without {
            launch.env.insert(inside::WITHOUT, what.clone());
        }
        Ok(launch)
    }

    /// Starts the relay, runs the case on it, and judges.
    async fn run_on<R: Rig>(
        &self,
        setting: &Setting,
        run: OnRig<R>,
        failures: &mut Vec<String>,
    ) -> Result<(Findings, Judged)> {
        let launch = self.launch(setting)?;
        let rig = R::set(setting, self.name, &launch).await;
        let mut rig = rig.context("starting the relay")?;
        let findings = run(&mut rig).await;
        let findings = findings.unwrap_or_else(|error| {
            failures.push(format!("{error:#}"));
            Findings::default()
        });
        Ok((findings, rig.judge().await?))
    }
}
