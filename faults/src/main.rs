//! Injects faults into a running relay and counts what is lost. `cargo xtask faults` and `cargo xtask soak` build the relay and run this.

#![allow(clippy::print_stdout, reason = "what it finds is printed")]

mod camera;
mod case;
mod cases;
mod faketime;
mod flags;
mod inside;
mod network;
mod soak;
mod stage;
mod subject;
mod suite;
mod table;
mod turns;
mod watcher;

use std::process::ExitCode;

use anyhow::{Result, bail};
use tokio::signal::unix::{SignalKind, signal};

use crate::flags::{Faults, FaultsCmd};

fn main() -> ExitCode {
    let flags = Faults::from_env_or_exit();
    let run = || -> Result<bool> {
        if let FaultsCmd::Relay(_) = flags.subcommand {
            return inside::main().map(|()| true);
        }
        // Before there are threads: it may start this program again.
        let has_network = network::enter()?;
        let runtime = tokio::runtime::Runtime::new()?;
        runtime.block_on(async {
            // In a namespace of its own this is process 1, which no signal ends by itself.
            let mut terminate = signal(SignalKind::terminate())?;
            tokio::select! {
                done = chosen(&flags, has_network) => done,
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
async fn chosen(flags: &Faults, has_network: bool) -> Result<bool> {
    match &flags.subcommand {
        FaultsCmd::Run(flags) => suite::run(flags, has_network).await,
        FaultsCmd::Soak(flags) => soak::run(flags).await,
        FaultsCmd::Relay(_) => bail!("the relay runs without a suite"),
    }
}
