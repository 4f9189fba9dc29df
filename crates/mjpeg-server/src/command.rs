//! The `mjpeg-server` command.

use std::{io, net::Ipv4Addr, process::ExitCode, time::Duration};

use anyhow::{Context, Result, bail};
use mjpeg_manager::{ShutdownReport, StreamSpec, mjpeg_http::is_reserved_name};
use tokio::runtime::{Builder, Runtime};
use tracing::{info, warn};

use crate::{
    advice::with_advice,
    cli::{Cli, Command, demo::Demo, run::Run},
    config::settings::Settings,
    gateway::{
        config::{GatewayAddress, GatewayConfig},
        routes::Routes,
    },
    output::Output,
    relay::{GATEWAY_PORT, Gateways, Relay, StartError},
    secrets::masked,
    signals::Signals,
    systemd, telemetry,
};

/// Runs the command line of this process, until a signal ends it.
///
/// Returns exit code 0 after a signal, and 1 when the start failed. Exits with code 2 when the
/// command line is not understood.
pub fn main() -> ExitCode {
    #[cfg(unix)]
    systemd::take_sockets();
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
            Command::Run(args) => start_run(*args).await,
            Command::Demo(args) => start_demo(args, terminal).await,
        }
    };
    let relay = tokio::select! {
        started = starting => started?,
        () = signals.next() => return Ok(()),
    };
    print_urls(&relay, terminal);
    systemd::serves();
    signals.next().await;

    systemd::ends();
    info!("ending; a second signal ends at once");
    tokio::select! {
        report = relay.shutdown() => log_cut(report),
        () = signals.next() => {}
    }
    Ok(())
}

async fn start_run(args: Run) -> Result<Relay> {
    let settings = Settings::of_run(args)?;
    let gateways = Gateways::implied(&settings.specs, settings.http.listener());
    refuse_reserved_names(&settings.specs, &gateways)?;
    start(settings, gateways).await.map_err(|e| with_advice(&e))
}

async fn start_demo(args: Demo, terminal: &Terminal) -> Result<Relay> {
    let started = match start_demo_at(&args, args.port.unwrap_or(GATEWAY_PORT)).await? {
        // The user has not chosen the ports, so free ones do as well.
        Err(error) if args.port.is_none() && error.is_port_in_use() => {
            info!("port {GATEWAY_PORT} or one after it is taken; using free ports");
            start_demo_at(&args, 0).await?
        }
        started => started,
    };
    let relay = started.map_err(|e| with_advice(&e))?;
    terminal
        .stderr
        .line("Open a URL in a browser: the first shows all cameras. Ctrl-C ends the demo.");
    Ok(relay)
}

/// Starts the demo with this port for all cameras, and the ports after it for each; 0 takes free
/// ones.
async fn start_demo_at(args: &Demo, port: u16) -> Result<Result<Relay, StartError>> {
    let first_camera = match port {
        0 => 0,
        port => port
            .checked_add(1)
            .context("the cameras' own ports would be above 65535; choose a lower --port")?,
    };
    let settings = Settings::of_demo(&Demo {
        port: Some(first_camera),
        ..*args
    })?;
    let address = GatewayAddress::Tcp((Ipv4Addr::LOCALHOST, port).into());
    let order = settings.specs.iter().map(|spec| spec.name().clone());
    let gateways = Gateways::new([GatewayConfig::new("demo", address)], Routes::new(order));
    Ok(start(settings, gateways).await)
}

async fn start(settings: Settings, gateways: Gateways) -> Result<Relay, StartError> {
    let Settings {
        specs,
        manager,
        http,
    } = settings;
    Relay::with_gateways(specs, manager, http, gateways).await
}

/// Fails if a stream could not be found on a gateway by its name.
fn refuse_reserved_names(specs: &[StreamSpec], gateways: &Gateways) -> Result<()> {
    let mut names = specs.iter().map(StreamSpec::name);
    match names.find(|name| is_reserved_name(name.as_str())) {
        Some(name) if !gateways.open.is_empty() => bail!(
            "the name {name} is used by the relay itself where streams share a port; choose \
             another, or give every stream a port of its own (@PORT)"
        ),
        _ => Ok(()),
    }
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
