//! A case: a fault, injected again and again, and the limits of what is measured.

use std::time::Duration;

use anyhow::{Context as _, Result};
use futures_util::future::LocalBoxFuture;
use tokio::time::{Instant, timeout};

use crate::{
    measure::Limit,
    rig::{AT_ONCE, Rig, parts::Plan, setting::Setting, tally::Tally},
};

/// A fault, and what must hold during and after it.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// What happens in each round.
    pub(crate) injected: &'static str,
    /// How many rounds a run has, unless it is told.
    pub(crate) rounds: u32,
    /// Whether more rounds may be asked for.
    pub(crate) repeats: bool,
    /// How the short form uses it.
    pub(crate) short: Short,
    pub(crate) limits: &'static [Limit],
    /// How long a round may take.
    limit: Duration,
    how: How,
}

#[derive(Clone, Copy, Debug)]
enum How {
    /// Rounds on a rig, which the camera may have this many connections of at once.
    Rounds {
        plan: Plan,
        round: Round,
        at_once: f64,
    },
    /// A measurement that sets up what it needs, once.
    Alone(Alone),
}

/// One round on a rig that runs.
type Round = for<'a> fn(&'a mut Rig) -> LocalBoxFuture<'a, Result<()>>;

/// A measurement.
type Alone = for<'a> fn(&'a Setting, &'a mut Tally) -> LocalBoxFuture<'a, Result<()>>;

/// Whether the short form has a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Short {
    No,
    /// One of those that kill a node, by the seed.
    Kill,
    /// One of those that cut links, by the seed.
    Cut,
}

/// The outcome of a case.
pub(crate) struct Outcome {
    pub(crate) case: &'static Case,
    pub(crate) rounds: u32,
    pub(crate) limits: Vec<Limit>,
    pub(crate) tally: Tally,
    pub(crate) took: Duration,
}

impl Case {
    /// A case of 50 rounds with the usual rig, in which the camera never has two connections.
    pub(crate) const fn new(
        name: &'static str,
        injected: &'static str,
        limits: &'static [Limit],
        round: Round,
    ) -> Self {
        Self {
            name,
            injected,
            rounds: 50,
            repeats: true,
            short: Short::No,
            limits,
            limit: Duration::from_secs(120),
            how: How::Rounds {
                plan: Plan::USUAL,
                round,
                at_once: 1.0,
            },
        }
    }

    /// A measurement that sets up what it needs.
    pub(crate) const fn alone(
        name: &'static str,
        measured: &'static str,
        limits: &'static [Limit],
        run: Alone,
    ) -> Self {
        Self {
            name,
            injected: measured,
            rounds: 1,
            repeats: false,
            short: Short::No,
            limits,
            limit: Duration::from_secs(300),
            how: How::Alone(run),
        }
    }

    /// Has this many rounds unless it is told otherwise.
    pub(crate) const fn rounds(mut self, rounds: u32) -> Self {
        self.rounds = rounds;
        self
    }

    /// Has one round only, which lasts up to this long.
    pub(crate) const fn once(mut self, limit: Duration) -> Self {
        self.rounds = 1;
        self.repeats = false;
        self.limit = limit;
        self
    }

    pub(crate) const fn short(mut self, short: Short) -> Self {
        self.short = short;
        self
    }

    /// Has another rig than the usual one.
    pub(crate) const fn plan(mut self, other: Plan) -> Self {
        if let How::Rounds { plan, .. } = &mut self.how {
            *plan = other;
        }
        self
    }

    /// Lets the camera have this many connections at once.
    pub(crate) const fn at_once(mut self, connections: f64) -> Self {
        if let How::Rounds { at_once, .. } = &mut self.how {
            *at_once = connections;
        }
        self
    }

    /// All limits: those of the case, and of what every round counts.
    fn all_limits(&self, slack: f64) -> Vec<Limit> {
        let connections = match self.how {
            How::Rounds { at_once, .. } => Some(Limit::count(AT_ONCE, at_once)),
            How::Alone(_) => None,
        };
        let all = self.limits.iter().copied().chain(connections);
        all.map(|limit| limit.relaxed(slack)).collect()
    }

    /// Runs the rounds. After one that fails, the next has a new rig.
    pub(crate) async fn run(&'static self, setting: &Setting, rounds: u32) -> Outcome {
        let since = Instant::now();
        let mut tally = Tally::default();
        match self.how {
            How::Rounds { plan, round, .. } => {
                let runner = Runner {
                    case: self,
                    setting,
                    plan,
                    round,
                };
                runner.run(rounds, &mut tally).await;
            }
            How::Alone(run) => {
                // If the limit is reached, the future is dropped, which kills its processes.
                let outcome = timeout(self.limit, run(setting, &mut tally)).await;
                let outcome = outcome.context("not over within its limit");
                if let Err(error) = outcome.and_then(|outcome| outcome) {
                    tally.failures.push(format!("{error:#}"));
                }
            }
        }
        Outcome {
            case: self,
            rounds,
            limits: self.all_limits(setting.slack),
            tally,
            took: since.elapsed(),
        }
    }
}

/// Runs the rounds of a case.
struct Runner<'a> {
    case: &'static Case,
    setting: &'a Setting,
    plan: Plan,
    round: Round,
}

impl Runner<'_> {
    async fn run(&self, rounds: u32, tally: &mut Tally) {
        let mut rig = None;
        for number in 0..rounds {
            let seed = self.setting.seed.wrapping_add(u64::from(number));
            // If the limit is reached, the rig is dropped, which kills its processes.
            let round = timeout(self.case.limit, self.round(seed, &mut rig, tally, number));
            let outcome = round.await.context("not over within its limit");
            let Err(error) = outcome.and_then(|outcome| outcome) else {
                continue;
            };
            println!(
                "       {} FAILED with seed {seed}: {error:#}",
                self.case.name
            );
            tally.failures.push(format!("seed {seed}: {error:#}"));
            if let Some(broken) = rig.take() {
                broken.report(seed).await;
                end(broken, tally);
            }
        }
        if let Some(rig) = rig {
            end(rig, tally);
        }
    }

    async fn round(
        &self,
        seed: u64,
        rig: &mut Option<Rig>,
        tally: &mut Tally,
        number: u32,
    ) -> Result<()> {
        if rig.is_none() {
            let new = Rig::set(self.setting, self.case.name, self.plan).await;
            let mut new = new.context("setting up the rig")?;
            std::mem::swap(&mut new.tally, tally);
            *rig = Some(new);
        }
        let rig = rig.as_mut().expect("it was just set");
        rig.rng = fastrand::Rng::with_seed(seed);
        rig.begin(number).await?;
        (self.round)(rig).await?;
        rig.count_connections();
        rig.compare_tags().await
    }
}

/// Ends a rig, and takes back what it has counted.
fn end(rig: Rig, tally: &mut Tally) {
    let failures = std::mem::take(&mut tally.failures);
    *tally = rig.end();
    tally.failures.extend(failures);
    tally.next_rig();
}

impl Outcome {
    /// What was not as it must be, besides figures beyond their limits.
    pub(crate) fn failures(&self) -> Vec<String> {
        let Tally {
            failures,
            backwards,
            ended,
            differing,
            ..
        } = &self.tally;
        let beyond = self.limits.iter().filter_map(|limit| {
            let measured = limit.measured(&self.tally);
            let text = measured.map_or("not measured".to_owned(), |value| limit.text(value));
            (!limit.holds(measured)).then(|| format!("{}: {text}", limit.name()))
        });
        let kinds = [
            ("", failures),
            ("went backwards: ", backwards),
            ("a response ended: ", ended),
            ("differs: ", differing),
        ];
        let noted = kinds.into_iter().flat_map(|(kind, notes)| {
            let notes = notes.iter().take(MOST_NOTES);
            notes.map(move |note| format!("{kind}{note}"))
        });
        beyond.chain(noted).collect()
    }
}

/// Of each kind, so many are shown.
const MOST_NOTES: usize = 5;
