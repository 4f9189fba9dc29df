//! A case: a fault, what must hold, and how the outcome is judged.

use std::{path::Path, time::Duration};

use anyhow::{Context as _, Result, anyhow};
use futures_util::future::LocalBoxFuture;
use tokio::time::{Instant, timeout};

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
    /// How long it may take, from the start of the relay to its end.
    pub(crate) limit: Duration,
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
            limit: LIMIT,
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

    /// Raises the limit of a case that takes 30 s or longer even if it passes.
    pub(crate) const fn long(mut self) -> Self {
        self.limit = LONG_LIMIT;
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

    /// Runs the case, at most until its limit.
    pub(crate) async fn run(&'static self, setting: &Setting) -> Row {
        match self.run {
            Run::Relay(run) => self.run_within_limit(setting, run).await,
            Run::Program(run) => self.run_within_limit(setting, run).await,
        }
    }

    async fn run_within_limit<R: Rig>(&'static self, setting: &Setting, run: OnRig<R>) -> Row {
        let since = Instant::now();
        let mut failures = Vec::new();
        // If the limit is reached, the rig is dropped, which kills its processes.
        let outcome = timeout(self.limit, self.run_on(setting, run, &mut failures)).await;
        let outcome = outcome.unwrap_or_else(|_| {
            let limit = self.limit;
            Err(anyhow!(
                "not over within {limit:?}, the limit of the case; its processes were killed"
            ))
        });
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

/// The limit of most cases. They take up to about 15 s. A case that fails may reach several shorter
/// limits of its own first, and should have the time to say which.
const LIMIT: Duration = Duration::from_secs(90);
/// The limit of a case that takes 30 s or longer even if it passes.
const LONG_LIMIT: Duration = Duration::from_secs(180);

#[cfg(test)]
mod tests {
    use std::{env, fs, future::pending, process::Command};

    use kit::{child::Child, folder::Temporary, proc};

    use super::*;

    /// A rig whose relay is a process that does nothing.
    struct Sleeper(Child);

    impl Rig for Sleeper {
        async fn set(setting: &Setting, name: &str, _: &Launch) -> Result<Self> {
            let sleep = Child::start(Command::new("sleep").arg("600"), "sleep")?;
            fs::write(setting.dir.join(name), sleep.id().to_string())?;
            Ok(Self(sleep))
        }

        async fn judge(self) -> Result<Judged> {
            Ok(Judged::default())
        }
    }

    #[tokio::test]
    async fn a_case_that_never_ends_fails_at_its_limit_and_its_process_ends() {
        static ENDLESS: Case = {
            let unused = Run::Relay(|_| Box::pin(pending()));
            let mut case = Case::new("endless", "", "", unused);
            case.limit = Duration::from_millis(300);
            case
        };
        let dir = Temporary::new(&format!("mjpeg-faults-limit-{}", std::process::id())).unwrap();
        let setting = Setting {
            server: env::current_exe().unwrap(),
            dir: dir.path().into(),
            seed: 1,
            without: None,
        };
        let row = ENDLESS.run_within_limit::<Sleeper>(&setting, |_| Box::pin(pending()));
        let failures = row.await.failures;
        assert_eq!(failures.len(), 1, "{failures:?}");
        assert!(
            failures[0].contains("300ms, the limit of the case"),
            "{failures:?}"
        );
        let id = fs::read_to_string(dir.path().join("endless")).unwrap();
        assert!(!proc::is_running(id.parse().unwrap()));
        // The next case runs as if nothing had happened.
        let next = ENDLESS.run_within_limit::<Sleeper>(&setting, |rig| {
            Box::pin(async { Ok(Findings::seen(rig.0.id().to_string())) })
        });
        assert_eq!(next.await.failures, Vec::<String>::new());
    }
}
