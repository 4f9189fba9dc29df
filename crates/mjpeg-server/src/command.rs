//! The `mjpeg-server` command.

mod check;
mod configurable;
mod migrate;

use std::{future::pending, io, process::ExitCode, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use mjpeg_manager::{HttpOutlet, ManagerConfig, ShutdownReport, mjpeg_ingest::escaped};
use tokio::runtime::{Builder, Runtime};
use tracing::{info, warn};

use self::configurable::{Configurable, Wanted};
use crate::{
    advice::with_advice,
    assembly,
    cli::{Cli, Command, cluster::ClusterCommand, demo::Demo, log_args::LogArgs, run::Run},
    cluster::RelayNode,
    config::{
        demo::{DEMO_PORT, gateways, streams},
        edits::Edits,
        files::shown,
        report::{Level, Report},
        value::{choice::LogFormat, log_filter::LogFilter},
    },
    control::editor::Editor,
    ctl,
    gateway::control_socket,
    output::Output,
    probe,
    relay::Relay,
    reload::{ConfigurationSource, ReadFiles, Reloader, difference::Configuration, log_warnings},
    secrets::masked,
    signals::{Asked, Signals},
    systemd,
    telemetry::{self, FilterHandle, json},
};

/// Runs the command line of this process, until a signal ends it.
///
/// Returns exit code 0 after a signal, and 1 when the start failed or a configuration has errors.
/// Exits with code 2 when the command line is not understood.
pub fn main() -> ExitCode {
    #[cfg(unix)]
    systemd::take_sockets();
    let Cli { command, log } = Cli::from_process();
    let work = match command {
        Command::Check(args) => return check::check(&args),
        Command::Config(args) => return check::config(&args, &log),
        Command::Migrate(args) => return migrate::run(&args),
        Command::Cert(args) => return check::cert(&args),
        Command::HashPassword(args) => return check::hash_password(&args),
        Command::Ctl(args) => return ctl::run(&args),
        Command::Cluster(args) => {
            return match &args.command {
                ClusterCommand::JoinCheck { file } => check::join(file.clone(), args.json),
                _ => ctl::run_cluster(&args),
            };
        }
        Command::Completions(args) => return check::completions(&args),
        Command::Devices(args) => return check::devices(&args),
        Command::Probe(args) => return probe::run(&args),
        Command::Run(args) => match configured(&args, &log) {
            Ok(configured) => Job::Run(Box::new(configured)),
            Err(report) => return check::refuse(&report),
        },
        Command::Demo(args) => Job::Demo(args),
    };
    let (filter, format) = work.log(log);
    let terminal = Terminal {
        stdout: Output::stdout(),
        stderr: Output::stderr(format),
        format,
    };
    let filter = telemetry::init(&filter, format, terminal.stderr.clone());
    let outcome = runtime(work.worker_threads())
        .context("cannot start the async runtime")
        .and_then(|runtime| {
            let outcome = runtime.block_on(run(work, &terminal, filter));
            // Does not wait for name look-ups, which may hang in the system's resolver.
            runtime.shutdown_background();
            outcome
        });
    let code = match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            terminal.fail(&error);
            ExitCode::FAILURE
        }
    };
    terminal.stdout.flush(FLUSH_TIME);
    terminal.stderr.flush(FLUSH_TIME);
    code
}

/// What there is to do after the arguments and the configuration were read.
enum Job {
    Run(Box<Configured>),
    Demo(Demo),
}

impl Job {
    /// Whether there is a configuration to read again.
    fn reloads(&self) -> bool {
        matches!(self, Self::Run(configured) if configured.source.file.is_some())
    }

    /// What is logged, and how.
    fn log(&self, args: LogArgs) -> (LogFilter, LogFormat) {
        match self {
            Self::Run(configured) => {
                let process = &configured.configuration.settings.process;
                (process.log.0.clone(), process.log_format)
            }
            Self::Demo(_) => (
                args.log.map(|filter| filter.0).unwrap_or_default(),
                args.log_format.unwrap_or_default(),
            ),
        }
    }

    /// How many threads serve viewers.
    fn worker_threads(&self) -> u16 {
        match self {
            Self::Run(configured) => configured.configuration.plan.worker_threads,
            Self::Demo(_) => 1,
        }
    }
}

struct Configured {
    configuration: Arc<Configuration>,
    /// Where it is read again.
    source: ConfigurationSource,
    read: ReadFiles,
    /// Lines for the log, which is not open yet when they arise.
    warnings: Vec<String>,
}

/// Reads the configuration of `run`. Where nothing says what to relay, it exits.
fn configured(args: &Run, log: &LogArgs) -> Result<Configured, Report> {
    let file = check::file(args.config.clone(), args.streams.is_empty());
    let overrides = check::overrides(args, log);
    let source = ConfigurationSource { file, overrides };
    let (loaded, read) = source.load(ReadFiles::default(), &Edits::default());
    let Some(plan) = loaded.plan else {
        return Err(loaded.report);
    };
    Ok(Configured {
        configuration: Arc::new(Configuration {
            settings: loaded.resolved.settings,
            plan,
            written: loaded.written,
        }),
        source,
        read,
        warnings: loaded.report.lines(Level::Warning),
    })
}

/// Where the program writes.
struct Terminal {
    stdout: Output,
    stderr: Output,
    /// Of what is written to standard error.
    format: LogFormat,
}

impl Terminal {
    /// Says why the program ends, whatever is logged.
    fn fail(&self, error: &anyhow::Error) {
        let text = format!("{error:#}");
        self.stderr.line(match self.format {
            LogFormat::Json => {
                let (target, message) = (module_path!(), "the program has failed");
                json::line("ERROR", target, message, ("error", text.into()))
            }
            LogFormat::Text => {
                let text = masked(format!("error: {text}"));
                let lines: Vec<_> = text.lines().map(escaped).collect();
                lines.join("\n")
            }
        });
    }
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

async fn run(work: Job, terminal: &Terminal, filter: FilterHandle) -> Result<()> {
    let mut signals = Signals::listen(work.reloads()).context("cannot listen for signals")?;
    let starting = async {
        match work {
            Job::Run(configured) => {
                let (relay, configurable) = start_run(*configured, filter).await?;
                anyhow::Ok((relay, Some(configurable)))
            }
            Job::Demo(args) => Ok((start_demo(args, terminal).await?, None)),
        }
    };
    let (mut relay, mut configurable) = tokio::select! {
        started = starting => started?,
        () = signals.end() => return Ok(()),
    };
    print_urls(&relay, terminal);
    systemd::serves();
    loop {
        let wanted = async {
            match &mut configurable {
                Some(configurable) => configurable.wanted().await,
                None => pending().await,
            }
        };
        let wanted = tokio::select! {
            asked = signals.next() => match asked {
                Asked::End => break,
                Asked::Reload => Wanted::Reload,
            },
            wanted = wanted => wanted,
        };
        let Some(configurable) = &mut configurable else {
            break;
        };
        tokio::select! {
            () = configurable.change(wanted, &mut relay) => {}
            () = signals.end() => break,
        }
    }

    // Whoever waits for a change is told that the relay is ending.
    drop(configurable);
    systemd::ends();
    info!("ending; a second signal ends at once");
    tokio::select! {
        report = relay.shutdown() => log_cut(report),
        () = signals.end() => {}
    }
    Ok(())
}

async fn start_run(configured: Configured, filter: FilterHandle) -> Result<(Relay, Configurable)> {
    let Configured {
        configuration,
        source,
        read,
        warnings,
    } = configured;
    if let Some(file) = &source.file {
        info!(file = %shown(file), "the configuration is in a file");
    }
    log_warnings(&warnings);
    let plan = &configuration.plan;
    let (requests, editor) = Editor::new(&configuration);
    let mut relay = assembly::start(plan, Arc::new(requests)).await?;
    if let Some(path) = control_socket::path() {
        relay.open_control_socket(path);
    }
    let registry = relay.cluster().map(RelayNode::registry);
    let reloader = Reloader::new(source, configuration, read, filter, registry);
    Ok((relay, Configurable { reloader, editor }))
}

async fn start_demo(args: Demo, terminal: &Terminal) -> Result<Relay> {
    let start = async |port| {
        let specs = streams(args.cameras, port)?;
        let gateways = gateways(&specs, port);
        let (manager, http) = (ManagerConfig::default(), HttpOutlet::default());
        anyhow::Ok(Relay::with_gateways(specs, manager, http, gateways).await)
    };
    let started = match start(args.port.unwrap_or(DEMO_PORT)).await? {
        // The user has not chosen the ports, so free ones do as well.
        Err(error) if args.port.is_none() && error.is_port_in_use() => {
            info!(
                port = DEMO_PORT,
                "this port or one after it is taken; using free ports"
            );
            start(0).await?
        }
        started => started,
    };
    let relay = started.map_err(|e| with_advice(&e))?;
    if terminal.format == LogFormat::Text {
        let hint = "Open a URL in a browser: the first shows all cameras. Ctrl-C ends the demo.";
        terminal.stderr.line(hint);
    }
    Ok(relay)
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
        warn!(stream = %cut.name, connections, task, "the stream did not end in time and was cut");
    }
}

/// How long a thread for blocking work rests before it ends. While there is one, the kernel's work
/// for each frame is dearer: see [`crate::output`].
const BLOCKING_THREAD_REST: Duration = Duration::from_millis(100);

/// How long the end waits for what was not written yet to be read.
const FLUSH_TIME: Duration = Duration::from_millis(500);
