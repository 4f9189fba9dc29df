//! A case: a fault, what must hold, and how the outcome is judged.

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

/// A fault, and what must hold during and after it.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) injected: &'static str,
    /// What must hold in addition to what must hold in every case.
    pub(crate) holds: &'static str,
    /// Whether it is part of the short form.
    pub(crate) short: bool,
    /// Whether it runs alone, because it keeps the machine busy.
    pub(crate) alone: bool,
    pub(crate) needs: Needs,
    /// By how many MiB the relay's memory may grow at its peak.
    pub(crate) most_mib: u64,
    set_up: SetUp,
    run: Run,
}

/// What a case needs that not every machine or build has.
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

/// The relay that a case runs against, and the function that injects the fault.
#[derive(Clone, Copy)]
pub(crate) enum Run {
    /// The relay that answers questions.
    Relay(OnRig<RelayRig>),
    /// The program `mjpeg-server`.
    Program(OnRig<ProgramRig>),
}

/// Changes how the relay is started. May put files into the suite's folder.
type SetUp = fn(&Path, &mut Launch) -> Result<()>;
type OnRig<R> = for<'a> fn(&'a mut R) -> LocalBoxFuture<'a, Result<Findings>>;

/// What a case reports if all its checks have passed.
#[derive(Default)]
pub(crate) struct Findings {
    /// The time from the end of the fault to the first good picture at a viewer of the faulty
    /// stream, and the limit for it.
    pub(crate) recovered: Option<(Duration, Duration)>,
    /// What was seen of the faulty stream.
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
    /// Creates a case that mostly waits, needs nothing, and is not part of the short form.
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
        match self.run {
            Run::Relay(run) => self.run_and_judge(setting, run).await,
            Run::Program(run) => self.run_and_judge(setting, run).await,
        }
    }

    async fn run_and_judge<R: Rig>(&'static self, setting: &Setting, run: OnRig<R>) -> Row {
        let since = Instant::now();
        let mut failures = Vec::new();
        let outcome = self.run_on(setting, run, &mut failures).await;
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

    /// Starts the relay, injects the fault, and judges.
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

    fn launch(&self, setting: &Setting) -> Result<Launch> {
        let mut launch = Launch::default();
        (self.set_up)(&setting.dir, &mut launch)?;
        if let Some(what) = &setting.without {
            launch.env.insert(inside::WITHOUT, what.clone());
        }
        Ok(launch)
    }
}
