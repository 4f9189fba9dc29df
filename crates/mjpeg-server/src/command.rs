//! The `mjpeg-server` command.

use std::{io, process::ExitCode, time::Duration};

use anyhow::{Context, Result};
use mjpeg_manager::{Error, ShutdownReport};
use tokio::runtime::{Builder, Runtime};
use tracing::{info, warn};

use crate::{
    advice::with_advice,
    cert,
    cli::{Cli, Command, demo::Demo, run::Run},
    config::{demo::DEMO_PORT, settings::Settings},
    output::Output,
    relay::{Relay, StartError},
    secrets::masked,
    signals::Signals,
    telemetry,
};

/// Runs the command line of this process, until a signal ends it.
///
/// Returns exit code 0 after a signal, and 1 when the start failed. Exits with code 2 when the
/// command line is not understood.
pub fn main() -> ExitCode {
    let Cli { command, log } = Cli::from_process();
    let terminal = Terminal {
        stdout: Output::stdout(),
        stderr: Output::stderr(),
    };
    telemetry::init(log, terminal.stderr.clone());
    let outcome = runtime(command.worker_threads())
        .context("cannot start the async runtime")
        .and_then(|runtime| {
            let outcome = runtime.block_on(run(command, &terminal));
            // Does not wait for name look-ups, which may hang in the system's resolver.
            runtime.shutdown_background();
            outcome
        });
    let code = match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            terminal.stderr.line(masked(format!("error: {error:#}")));
            ExitCode::FAILURE
        }
    };
    terminal.stdout.flush(FLUSH_TIME);
    terminal.stderr.flush(FLUSH_TIME);
    code
}

/// Where the program writes.
struct Terminal {
    stdout: Output,
    stderr: Output,
}

/// Makes a runtime whose worker threads serve the viewers. A single worker is this thread, so that
/// no wake-up crosses between threads.
fn runtime(workers: u16) -> io::Result<Runtime> {
    let mut builder = match workers {
        1 => Builder::new_current_thread(),
        _ => Builder::new_multi_thread(),
    };
    builder
        .worker_threads(workers.into())
        .thread_keep_alive(BLOCKING_THREAD_REST)
        .enable_all()
        .build()
}

async fn run(command: Command, terminal: &Terminal) -> Result<()> {
    let mut signals = Signals::listen().context("cannot listen for signals")?;
    let starting = async {
        match command {
            Command::Run(args) => start_run(*args).await.map(Some),
            Command::Demo(args) => start_demo(args, terminal).await.map(Some),
            Command::Cert(args) => {
                terminal.stdout.line(cert::make(&args)?.to_string());
                Ok(None)
            }
        }
    };
    let started = tokio::select! {
        started = starting => started?,
        () = signals.next() => return Ok(()),
    };
    let Some(relay) = started else {
        return Ok(());
    };
    print_urls(&relay, terminal);
    signals.next().await;

    info!("ending; a second signal ends at once");
    tokio::select! {
        report = relay.shutdown() => log_cut(report),
        () = signals.next() => {}
    }
    Ok(())
}

async fn start_run(args: Run) -> Result<Relay> {
    let settings = Settings::of_run(args)?;
    start(settings).await.map_err(|e| with_advice(&e))
}

async fn start_demo(args: Demo, terminal: &Terminal) -> Result<Relay> {
    let started = match start(Settings::of_demo(&args)?).await {
        // The user has not chosen the ports, so free ones do as well.
        Err(error) if args.port.is_none() && is_port_in_use(&error) => {
            info!("port {DEMO_PORT} or one after it is taken; using free ports");
            let args = Demo {
                port: Some(0),
                ..args
            };
            start(Settings::of_demo(&args)?).await
        }
        started => started,
    };
    let relay = started.map_err(|e| with_advice(&e))?;
    terminal
        .stderr
        .line("Open a URL in a browser. Ctrl-C ends the demo.");
    Ok(relay)
}

async fn start(settings: Settings) -> Result<Relay, StartError> {
    let Settings {
        specs,
        manager,
        http,
    } = settings;
    Relay::with_http(specs, manager, http).await
}

fn is_port_in_use(error: &StartError) -> bool {
    error
        .errors
        .iter()
        .all(|(_, error)| matches!(error, Error::PortInUse { .. }))
}

fn print_urls(relay: &Relay, terminal: &Terminal) {
    for url in relay.urls() {
        // The relay goes on if standard output is closed, or nobody reads it.
        terminal.stdout.line(url);
    }
}

fn log_cut(report: ShutdownReport) {
    for cut in report.cut {
        let (connections, task) = (cut.connections, cut.task);
        warn!(stream = %cut.name, connections, task, "did not end in time and was cut");
    }
}

/// How long a thread for blocking work rests before it ends. While there is one, the kernel's work
/// for each frame is dearer: see [`crate::output`].
const BLOCKING_THREAD_REST: Duration = Duration::from_millis(100);

/// How long the end waits for what was not written yet to be read.
const FLUSH_TIME: Duration = Duration::from_millis(500);
