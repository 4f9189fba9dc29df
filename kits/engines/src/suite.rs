//! All measurements: each engine, each way to show a stream.

use std::{net::IpAddr, path::PathBuf, time::Duration};

use anyhow::{Context as _, Result, bail};
use futures_util::future::join_all;
use kit::{flags::Engines, workspace::relay_beside_kit};
use tokio::time::timeout;

use crate::{
    browser::Browser,
    case::{self, Stage},
    endurance::{self, Endurance},
    engine::Engine,
    how::How,
    report::Report,
    result::{self, Row},
    wall,
};

/// All measurements, and what they have in common.
pub(crate) struct Suite {
    ip: IpAddr,
    /// The relay.
    server: PathBuf,
    flags: Engines,
    /// Pictures per second, and for how long.
    rates: &'static [(u32, Duration)],
    report: Report,
}

impl Suite {
    /// Serves on `ip`.
    pub(crate) fn new(ip: IpAddr, flags: Engines) -> Result<Self> {
        if flags.minutes.is_some_and(|minutes| minutes > MAX_MINUTES) {
            bail!("--minutes: at most {MAX_MINUTES}, because the pictures' numbers run out");
        }
        Ok(Self {
            ip,
            server: relay_beside_kit()?,
            rates: if flags.short { SHORT_RATES } else { RATES },
            report: Report::open(flags.record.as_deref())?,
            flags,
        })
    }

    /// Measures, and returns whether all requirements hold.
    pub(crate) async fn run(&mut self) -> Result<bool> {
        let mut failures = Vec::new();
        for engine in self.engines()? {
            let (name, missing) = (engine.name(), engine.missing().join(", "));
            if !missing.is_empty() {
                let line = format!("\n{name}: skipped, not installed: {missing}");
                self.report.line(&line)?;
                continue;
            }
            match self.engine(engine).await {
                Ok(more) => failures.extend(more),
                Err(error) => failures.push(format!("{name}: {error:#}")),
            }
        }
        for failure in &failures {
            self.report.line(&format!("\ndoes not hold: {failure}"))?;
        }
        Ok(failures.is_empty())
    }

    fn engines(&self) -> Result<Vec<Engine>> {
        if self.flags.engine.is_empty() {
            return Ok(Engine::ALL.to_vec());
        }
        let named = |name: &String| {
            let found = Engine::ALL.into_iter().find(|engine| engine.name() == name);
            found.with_context(|| format!("--engine {name}: chromium, firefox or webkitgtk"))
        };
        self.flags.engine.iter().map(named).collect()
    }

    /// Measures one engine, and returns the requirements that do not hold.
    async fn engine(&mut self, engine: Engine) -> Result<Vec<String>> {
        let browser = Browser::start(engine).await?;
        let failures = self.rows(engine, &browser).await;
        let page = wall::check(&browser.client, self.ip, &self.server, self.cut()).await;
        browser.close().await;
        let mut failures = failures?;
        match page {
            Ok(said) => self.report.line(&format!("\nThe page: {said}."))?,
            Err(error) => failures.push(format!("{}: the page: {error:#}", engine.name())),
        }
        if let Some(minutes) = self.flags.minutes {
            let length = Duration::from_secs(u64::from(minutes) * 60);
            let mut ways = How::of(engine);
            ways.retain(|how| how.works_in(engine));
            self.report.line("")?;
            for ways in ways.chunks(AT_ONCE) {
                let lasting = ways.iter().map(|how| self.endure(engine, *how, length));
                let outcomes = join_all(lasting).await;
                for (how, outcome) in ways.iter().zip(outcomes) {
                    match outcome {
                        Ok(outcome) => {
                            self.report.line(&outcome.line())?;
                            failures.extend(outcome.failures(engine));
                        }
                        Err(error) => {
                            failures.push(format!("{}, {}: {error:#}", engine.name(), how.name()));
                        }
                    }
                }
            }
        }
        Ok(failures)
    }

    /// Measures all ways to show a stream in one engine, each for some seconds.
    async fn rows(&mut self, engine: Engine, browser: &Browser) -> Result<Vec<String>> {
        let query = match self.query() {
            "" => String::new(),
            query => format!(", asked with `{query}`"),
        };
        let (name, version, ip) = (engine.name(), browser.version(), self.ip);
        let line = format!("\n**{name}** ({version}), served on {ip}{query}\n");
        self.report.line(&line)?;
        let fps = self.rates.iter().map(|rate| rate.0);
        self.report.line(&result::head(fps))?;
        let mut failures = Vec::new();
        for how in How::of(engine) {
            let mut row = self.row(browser, how).await?;
            self.report.line(&row.line())?;
            if !row.failures(engine).is_empty() {
                // A busy machine delays one measurement. A wrong layout delays all.
                row = self.row(browser, how).await?;
                self.report.line(&row.line())?;
            }
            failures.extend(row.failures(engine));
        }
        Ok(failures)
    }

    async fn row(&self, browser: &Browser, how: How) -> Result<Row> {
        let mut stage = self.stage(how).await?;
        let row = case::measure(&browser.client, &mut stage, how, self.rates);
        let length: Duration = self.rates.iter().map(|rate| rate.1).sum();
        let row = timeout(length + STUCK, row).await.context(NO_ANSWER);
        row.and_then(|row| row)
            .with_context(|| how.name().to_owned())
    }

    /// Watches one way to show a stream for long, in a new browser, so that the memory is that of
    /// this page alone.
    async fn endure(&self, engine: Engine, how: How, length: Duration) -> Result<Endurance> {
        let browser = Browser::start(engine).await?;
        let mut stage = self.stage(how).await?;
        let lasting = endurance::run(engine, &browser, &mut stage, how, length);
        let outcome = timeout(length + STUCK, lasting).await;
        browser.close().await;
        outcome.context(NO_ANSWER)?
    }

    async fn stage(&self, how: How) -> Result<Stage> {
        Stage::set(self.ip, &self.server, how, self.query()).await
    }

    /// How long the page's link is cut. After a quarter of a minute of silence the page gives the
    /// connection up.
    fn cut(&self) -> Duration {
        Duration::from_secs(if self.flags.short { 5 } else { 25 })
    }

    fn query(&self) -> &str {
        self.flags.query.as_deref().unwrap_or_default()
    }
}

const SHORT_RATES: &[(u32, Duration)] = &[(5, Duration::from_secs(1))];
const RATES: &[(u32, Duration)] = &[
    (1, Duration::from_secs(10)),
    (5, Duration::from_secs(8)),
    (30, Duration::from_secs(8)),
];
/// 65 535 numbers at 30 fps last for 36 minutes.
const MAX_MINUTES: u16 = 35;
/// How much longer than planned something may take before the browser counts as stuck.
const STUCK: Duration = Duration::from_secs(60);
const NO_ANSWER: &str = "the browser does not answer";
/// How many ways are watched for long at once. Four in Chromium were too many for two cores: its
/// caches of shown pictures were not full after the first minute, which looked like growth.
const AT_ONCE: usize = 2;
