//! Measures how browser engines show the relay's streams. `cargo xtask compat engines` builds the relay and runs this.

#![allow(clippy::print_stdout, reason = "what it finds is printed")]

mod browser;
mod camera;
mod case;
mod endurance;
mod engine;
mod flags;
mod front;
mod network;
mod picture;
mod relay;
mod report;
mod result;

use std::{net::IpAddr, process::ExitCode, time::Duration};

use anyhow::{Context as _, Result, bail};
use futures_util::future::join_all;
use tokio::{
    signal::unix::{SignalKind, signal},
    time::timeout,
};

use crate::{
    browser::Browser,
    case::{How, Stage},
    endurance::Endurance,
    engine::Engine,
    flags::Engines,
    report::Report,
    result::Row,
};

fn main() -> ExitCode {
    let flags = Engines::from_env_or_exit();
    let run = || -> Result<bool> {
        // Before there are threads: it may start this program again.
        let ip = network::enter()?;
        let runtime = tokio::runtime::Runtime::new()?;
        runtime.block_on(async {
            // In a namespace of its own this is process 1, which no signal ends by itself.
            let mut terminate = signal(SignalKind::terminate())?;
            tokio::select! {
                done = all(&flags, ip) => done,
                _ = terminate.recv() => bail!("ended by a signal"),
                _ = tokio::signal::ctrl_c() => bail!("ended by a signal"),
            }
        })
    };
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether everything holds that must.
async fn all(flags: &Engines, ip: IpAddr) -> Result<bool> {
    let engines = flags.engines()?;
    let mut report = Report::open(flags.record.as_deref())?;
    let mut failures = Vec::new();
    for engine in engines {
        let missing = engine.missing();
        if !missing.is_empty() {
            let missing = missing.join(", ");
            report.say(&format!(
                "\n{}: skipped, not installed: {missing}",
                engine.name()
            ))?;
            continue;
        }
        match one(flags, ip, engine, &mut report).await {
            Ok(more) => failures.extend(more),
            Err(error) => failures.push(format!("{}: {error:#}", engine.name())),
        }
    }
    for failure in &failures {
        report.say(&format!("\ndoes not hold: {failure}"))?;
    }
    Ok(failures.is_empty())
}

/// Measures one engine, and gives what does not hold.
async fn one(
    flags: &Engines,
    ip: IpAddr,
    engine: Engine,
    report: &mut Report,
) -> Result<Vec<String>> {
    let browser = Browser::start(engine).await?;
    let failures = rows(flags, ip, engine, &browser, report).await;
    browser.close().await;
    let mut failures = failures?;
    if let Some(minutes) = flags.minutes {
        let length = Duration::from_secs(u64::from(minutes) * 60);
        let mut ways = How::of(engine);
        ways.retain(|how| result::can(engine, *how));
        report.say("")?;
        for some in ways.chunks(AT_ONCE) {
            let lasting = some.iter().map(|how| last(flags, ip, engine, *how, length));
            for (how, lasted) in join_all(lasting).await {
                match lasted {
                    Ok(lasted) => {
                        report.say(&lasted.line())?;
                        failures.extend(lasted.failures(engine));
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

/// Watches one way for long, in a browser of its own: its memory is that of this page alone.
async fn last(
    flags: &Engines,
    ip: IpAddr,
    engine: Engine,
    how: How,
    length: Duration,
) -> (How, Result<Endurance>) {
    let lasting = async {
        let browser = Browser::start(engine).await?;
        let mut stage = Stage::set(ip, &flags.server, how, flags.query()).await?;
        let lasting = endurance::run(engine, &browser, &mut stage, how, length);
        let lasted = timeout(length + STUCK, lasting).await;
        browser.close().await;
        lasted.context("the browser does not answer")?
    };
    (how, lasting.await)
}

async fn rows(
    flags: &Engines,
    ip: IpAddr,
    engine: Engine,
    browser: &Browser,
    report: &mut Report,
) -> Result<Vec<String>> {
    let rates = flags.rates();
    let asked = match flags.query() {
        "" => String::new(),
        query => format!(", asked with `{query}`"),
    };
    let version = browser.version();
    report.say(&format!(
        "\n**{}** ({version}), served on {ip}{asked}\n",
        engine.name()
    ))?;
    report.say(&result::head(rates.iter().map(|rate| rate.0)))?;
    let mut failures = Vec::new();
    for how in How::of(engine) {
        let mut row = measure(flags, ip, browser, how, &rates).await?;
        report.say(&row.line())?;
        if !row.failures(engine).is_empty() {
            // A busy machine makes one measurement late, a wrong layout every one.
            row = measure(flags, ip, browser, how, &rates).await?;
            report.say(&row.line())?;
        }
        failures.extend(row.failures(engine));
    }
    Ok(failures)
}

async fn measure(
    flags: &Engines,
    ip: IpAddr,
    browser: &Browser,
    how: How,
    rates: &[(u32, Duration)],
) -> Result<Row> {
    let mut stage = Stage::set(ip, &flags.server, how, flags.query()).await?;
    let row = case::measure(&browser.client, &mut stage, how, rates);
    let length: Duration = rates.iter().map(|rate| rate.1).sum();
    let row = timeout(length + STUCK, row).await;
    row.context("the browser does not answer")
        .and_then(|row| row)
        .with_context(|| how.name().to_owned())
}

/// How much longer than planned something may take; then the browser hangs.
const STUCK: Duration = Duration::from_secs(60);

/// How many ways are watched for long at once. Four of Chromium's were too many for two cores: caches that fill with the pictures shown were not full
/// after the first minute, and looked like growth.
const AT_ONCE: usize = 2;
