//! The `mjpeg-server` command.

use std::{
    io::{self, Write, stdout},
    net::Ipv4Addr,
    process::ExitCode,
};

use anyhow::{Context, Result};
use clap::{
    Parser,
    error::{ContextKind, ContextValue},
};
use mjpeg_manager::{Error, ManagerConfig, StartMode, StreamName, StreamSpec};
use tokio::runtime::{Builder, Runtime};
use tracing::{info, warn};

use crate::{
    Relay, StartError,
    advice::explained,
    cli::{Cli, Command, Demo, Run},
    signals::Signals,
    telemetry,
};

/// Runs the command line of this process to its end. Exit code 0 after a signal, 1 when the start failed, 2 for a command line that is not
/// understood.
pub fn main() -> ExitCode {
    let Cli { command, log } =
        Cli::try_parse().unwrap_or_else(|error| without_secrets(error).exit());
    telemetry::init(log);
    let outcome = runtime(&command)
        .context("cannot start the async runtime")
        .and_then(|runtime| {
            let outcome = runtime.block_on(run(command));
            // A name look-up may hang in the system's resolver; do not wait for it.
            runtime.shutdown_background();
            outcome
        });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The error without the URL of a stream, which may hold a password: clap would repeat it. What is wrong with it is told without.
fn without_secrets(mut error: clap::Error) -> clap::Error {
    for kind in [ContextKind::InvalidValue, ContextKind::InvalidArg] {
        let Some(ContextValue::String(value)) = error.get(kind) else {
            continue;
        };
        if !value.contains("://") {
            continue;
        }
        let name = value.split_once('=').map(|(name, _)| name);
        let shown = match name.filter(|name| name.parse::<StreamName>().is_ok()) {
            Some(name) => format!("{name}=…"),
            None => "…".into(),
        };
        error.insert(kind, ContextValue::String(shown));
    }
    error
}

/// Viewers are served by the worker threads. With one, all runs on this thread: no wake-up crosses from thread to thread.
fn runtime(command: &Command) -> io::Result<Runtime> {
    let workers = match command {
        Command::Run(args) => args.worker_threads,
        Command::Demo(_) => 1,
    };
    let mut builder = match workers {
        1 => Builder::new_current_thread(),
        _ => Builder::new_multi_thread(),
    };
    builder.worker_threads(workers.into()).enable_all().build()
}

async fn run(command: Command) -> Result<()> {
    let mut signals = Signals::take().context("cannot listen for signals")?;
    let starting = async {
        match command {
            Command::Run(args) => start_run(*args).await,
            Command::Demo(args) => start_demo(args).await,
        }
    };
    let relay = tokio::select! {
        started = starting => started?,
        () = signals.next() => return Ok(()),
    };
    print_urls(&relay);
    signals.next().await;

    info!("ending; a second signal ends at once");
    let report = tokio::select! {
        report = relay.shutdown() => report,
        () = signals.next() => return Ok(()),
    };
    for cut in report.cut {
        let (connections, task) = (cut.connections, cut.task);
        warn!(stream = %cut.name, connections, task, "did not end in time and was cut");
    }
    Ok(())
}

async fn start_run(args: Run) -> Result<Relay> {
    let mode = if args.require_cameras {
        StartMode::Require
    } else {
        StartMode::Retry
    };
    let repairs = args.repairs();
    let config = ManagerConfig::default()
        // All of them are meant.
        .with_max_streams(args.streams.len())
        .with_max_viewers(args.viewers.max_viewers_total)
        .with_http(args.viewers.config());
    let specs = args
        .streams
        .into_iter()
        .map(|stream| stream.into_spec().with_mode(mode).with_repair(repairs));
    let mut specs: Vec<_> = specs.collect();
    args.cameras.apply(&mut specs)?;
    Relay::start(specs, config).await.map_err(|e| explained(&e))
}

async fn start_demo(args: Demo) -> Result<Relay> {
    let mut specs = Vec::new();
    let first = args.port.unwrap_or(DEMO_PORT);
    for n in 0..args.cameras {
        let name = format!("camera{}", n + 1);
        let port = match first {
            0 => 0,
            first => first
                .checked_add(n)
                .context("the last camera's port would be above 65535; choose a lower --port")?,
        };
        specs.push(
            StreamSpec::parse(&name, &format!("test:?name={name}"))?
                .with_listen((Ipv4Addr::LOCALHOST, port).into()),
        );
    }
    let relay = match Relay::start(specs.clone(), ManagerConfig::default()).await {
        // Nobody asked for these ports, so others are as good.
        Err(error) if args.port.is_none() && is_port_in_use(&error) => {
            info!("port {DEMO_PORT} or one after it is taken; using free ports");
            let free = specs
                .into_iter()
                .map(|spec| spec.with_listen((Ipv4Addr::LOCALHOST, 0).into()));
            Relay::start(free, ManagerConfig::default())
                .await
                .map_err(|e| explained(&e))?
        }
        started => started.map_err(|e| explained(&e))?,
    };
    eprintln!("Open a URL in a browser. Ctrl-C ends the demo.");
    Ok(relay)
}

fn is_port_in_use(error: &StartError) -> bool {
    error
        .errors
        .iter()
        .all(|(_, error)| matches!(error, Error::PortInUse { .. }))
}

fn print_urls(relay: &Relay) {
    let mut out = stdout().lock();
    for url in relay.urls() {
        // Whoever closed our standard output does not want the URLs; the relay goes on.
        let _ = writeln!(out, "{url}");
    }
    let _ = out.flush();
}

/// The first port of the demo where none is asked for; the one after the web's usual second port.
const DEMO_PORT: u16 = 8081;
