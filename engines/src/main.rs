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
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    browser::Browser,
    case::{How, Stage},
    engine::Engine,
    flags::Engines,
    report::Report,
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
        if missing.is_empty() {
            let measured = one(flags, ip, engine, &mut report).await;
            failures.extend(measured.with_context(|| engine.name().to_owned())?);
        } else {
            let missing = missing.join(", ");
            report.say(&format!(
                "\n{}: skipped, not installed: {missing}",
                engine.name()
            ))?;
        }
    }
    for failure in &failures {
        report.say(&format!("\ndoes not hold: {failure}"))?;
    }
    Ok(failures.is_empty())
}

async fn one(
    flags: &Engines,
    ip: IpAddr,
    engine: Engine,
    report: &mut Report,
) -> Result<Vec<String>> {
    let browser = Browser::start(engine).await?;
    let query = flags.query.as_deref().unwrap_or_default();
    let rates = flags.rates();
    let asked = if query.is_empty() {
        String::new()
    } else {
        format!(", asked with `{query}`")
    };
    report.say(&format!(
        "\n**{}**, served on {ip}{asked}\n",
        browser.version()
    ))?;
    report.say(&result::head(rates.iter().map(|rate| rate.0)))?;
    let mut failures = Vec::new();
    for how in How::ALL {
        let mut stage = Stage::set(ip, &flags.server, query).await?;
        let row = case::measure(&browser.client, &mut stage, how, &rates).await;
        let row = row.with_context(|| how.name().to_owned())?;
        report.say(&row.line())?;
        failures.extend(row.failures(engine));
    }
    browser.close().await;
    if let Some(minutes) = flags.minutes {
        let length = Duration::from_secs(u64::from(minutes) * 60);
        let lasted = endurance::run(engine, ip, &flags.server, query, length).await?;
        report.say(&format!("\n{}", lasted.line()))?;
        failures.extend(lasted.failures(engine));
    }
    Ok(failures)
}
