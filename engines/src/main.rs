//! Measures how browser engines show the relay's streams. `cargo xtask compat engines` builds the relay and runs this.

#![allow(clippy::print_stdout, reason = "what it finds is printed")]

mod browser;
mod camera;
mod case;
mod engine;
mod flags;
mod front;
mod network;
mod picture;
mod relay;
mod result;

use std::{net::IpAddr, process::ExitCode};

use anyhow::{Context as _, Result, bail};
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    browser::Browser,
    case::{How, Stage},
    engine::Engine,
    flags::Engines,
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
    let mut failures = Vec::new();
    for engine in flags.engines()? {
        let missing = engine.missing();
        if !missing.is_empty() {
            println!(
                "{}: skipped, not installed: {}",
                engine.name(),
                missing.join(", ")
            );
            continue;
        }
        failures.extend(
            one(flags, ip, engine)
                .await
                .with_context(|| engine.name().to_owned())?,
        );
    }
    for failure in &failures {
        println!("does not hold: {failure}");
    }
    Ok(failures.is_empty())
}

async fn one(flags: &Engines, ip: IpAddr, engine: Engine) -> Result<Vec<String>> {
    let mut failures = Vec::new();
    println!("\n{}, served on {ip}\n", engine.version());
    let rates = flags.rates();
    println!("{}", result::head(rates.iter().map(|rate| rate.0)));
    let browser = Browser::start(engine).await?;
    for how in How::ALL {
        let mut stage = Stage::set(ip, &flags.server).await?;
        let row = case::measure(&browser.client, &mut stage, how, &rates).await;
        let row = row.with_context(|| how.name().to_owned())?;
        println!("{}", row.line());
        failures.extend(row.failures(engine));
    }
    browser.close().await;
    Ok(failures)
}
