//! Measures how browser engines show the relay's streams. `cargo xtask compat engines` builds the
//! relay and this program, and starts it.

#![allow(clippy::print_stdout, reason = "the kit prints what it finds")]

mod browser;
mod camera;
mod case;
mod endurance;
mod engine;
mod front;
mod how;
mod install;
mod network;
mod options;
mod picture;
mod report;
mod result;
mod seen;

use std::{net::IpAddr, process::ExitCode, time::Duration};

use anyhow::{Context as _, Result};
use futures_util::future::join_all;
use kit::{
    flags::{CompatCmd, Engines, XtaskCmd},
    program, workspace,
};
use tokio::time::timeout;

use crate::{
    browser::Browser, case::Stage, endurance::Endurance, engine::Engine, how::How,
    options::Options, report::Report, result::Row,
};

fn main() -> ExitCode {
    let outcome = match program::command() {
        XtaskCmd::Compat(compat) => match compat.subcommand {
            CompatCmd::Engines(flags) => run(flags),
            CompatCmd::Programs(_) => program::not_ours(),
        },
        _ => program::not_ours(),
    };
    program::exit(outcome)
}

fn run(flags: Engines) -> Result<bool> {
    // In the namespaces nothing can be downloaded.
    if flags.install && !network::NAMESPACES.is_inside() {
        install::run()?;
    }
    let options = Options {
        server: workspace::relay_beside_kit()?,
        flags,
    };
    // Before there are threads: it may start this program again.
    let ip = network::enter()?;
    program::until_signal(all(&options, ip))
}

/// Whether everything holds that must.
async fn all(options: &Options, ip: IpAddr) -> Result<bool> {
    let engines = options.engines()?;
    let mut report = Report::open(options.flags.record.as_deref())?;
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
        match one(options, ip, engine, &mut report).await {
            Ok(more) => failures.extend(more),
            Err(error) => failures.push(format!("{}: {error:#}", engine.name())),
        }
    }
    for failure in &failures {
        report.say(&format!("\ndoes not hold: {failure}"))?;
    }
    Ok(failures.is_empty())
}

/// Measures one engine, and returns what does not hold.
async fn one(
    options: &Options,
    ip: IpAddr,
    engine: Engine,
    report: &mut Report,
) -> Result<Vec<String>> {
    let browser = Browser::start(engine).await?;
    let failures = rows(options, ip, engine, &browser, report).await;
    browser.close().await;
    let mut failures = failures?;
    if let Some(minutes) = options.flags.minutes {
        let length = Duration::from_secs(u64::from(minutes) * 60);
        let mut ways = How::of(engine);
        ways.retain(|how| how.works_in(engine));
        report.say("")?;
        for some in ways.chunks(AT_ONCE) {
            let lasting = some
                .iter()
                .map(|how| last(options, ip, engine, *how, length));
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

/// Watches one way for long, in a browser of its own, so that its memory is that of this page
/// alone.
async fn last(
    options: &Options,
    ip: IpAddr,
    engine: Engine,
    how: How,
    length: Duration,
) -> (How, Result<Endurance>) {
    let lasting = async {
        let browser = Browser::start(engine).await?;
        let mut stage = Stage::set(ip, &options.server, how, options.query()).await?;
        let lasting = endurance::run(engine, &browser, &mut stage, how, length);
        let lasted = timeout(length + STUCK, lasting).await;
        browser.close().await;
        lasted.context("the browser does not answer")?
    };
    (how, lasting.await)
}

async fn rows(
    options: &Options,
    ip: IpAddr,
    engine: Engine,
    browser: &Browser,
    report: &mut Report,
) -> Result<Vec<String>> {
    let rates = options.rates();
    let asked = match options.query() {
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
        let mut row = measure(options, ip, browser, how, &rates).await?;
        report.say(&row.line())?;
        if !row.failures(engine).is_empty() {
            // A busy machine makes one measurement late, a wrong layout all of them.
            row = measure(options, ip, browser, how, &rates).await?;
            report.say(&row.line())?;
        }
        failures.extend(row.failures(engine));
    }
    Ok(failures)
}

async fn measure(
    options: &Options,
    ip: IpAddr,
    browser: &Browser,
    how: How,
    rates: &[(u32, Duration)],
) -> Result<Row> {
    let mut stage = Stage::set(ip, &options.server, how, options.query()).await?;
    let row = case::measure(&browser.client, &mut stage, how, rates);
    let length: Duration = rates.iter().map(|rate| rate.1).sum();
    let row = timeout(length + STUCK, row).await;
    row.context("the browser does not answer")
        .and_then(|row| row)
        .with_context(|| how.name().to_owned())
}

/// How much longer than planned something may take before the browser counts as stuck.
const STUCK: Duration = Duration::from_secs(60);

/// How many ways are watched for long at once. Four in Chromium were too many for two cores: the
/// caches of shown pictures were not full after the first minute, and looked like growth.
const AT_ONCE: usize = 2;
