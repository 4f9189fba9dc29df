//! The commands `check`, `config`, `cert`, `devices`, `hash-password` and `completions`: they
//! print, and start nothing.

use std::{
    io::{self, BufRead, IsTerminal, Read, Write},
    path::PathBuf,
    process::ExitCode,
};

use clap::{CommandFactory, error::ErrorKind};
#[cfg(all(feature = "v4l2", target_os = "linux"))]
use mjpeg_manager::mjpeg_ingest::V4l2Device;
use serde_json::json;

#[cfg(all(feature = "v4l2", target_os = "linux"))]
use crate::devices;
use crate::{
    cert::make,
    cli::{
        Cli,
        cert::Cert,
        check::{Check, Config},
        completions::Completions,
        devices::Devices,
        hash_password::HashPassword,
        log_args::LogArgs,
        run::Run,
    },
    cluster::join::join_checks,
    completions::script,
    config::{
        files::shown,
        load::{Loaded, SEARCHED, found, load},
        report::{Level, Report, counted},
        resolve::overrides::Overrides,
        schema::root::schema,
        write::{example::example, origin::origins, reference::reference},
    },
    prompt,
    secrets::masked,
};

/// Checks a file. The exit code is 1 if there are errors.
pub(super) fn check(args: &Check) -> ExitCode {
    let file = args
        .file
        .clone()
        .or_else(found)
        .unwrap_or_else(|| no_file());
    let Loaded {
        report,
        resolved,
        plan,
        ..
    } = load(Some(&file), &Overrides::default());
    if args.json {
        let listed = json!({
            "errors": report.listed(Level::Error),
            "warnings": report.listed(Level::Warning),
        });
        print(&masked(format!("{listed:#}\n")));
    } else {
        let mut text = report.rendered();
        if !text.is_empty() {
            text += "\n\n";
        }
        text += &format!("{}: {}", shown(&file), report.summary());
        if plan.is_some() {
            let settings = &resolved.settings;
            let streams = counted(settings.streams.len(), "stream");
            let listeners = counted(settings.listens.len(), "listener");
            text += &format!("; {streams}, {listeners}");
        }
        print(&(text + "\n"));
    }
    match report.has_errors() {
        true => ExitCode::FAILURE,
        false => ExitCode::SUCCESS,
    }
}

/// Checks whether a node can join its cluster. The exit code is 1 if it cannot.
pub(super) fn join(named: Option<PathBuf>, is_json: bool) -> ExitCode {
    let file = named.or_else(found).unwrap_or_else(|| no_file());
    let Loaded { report, plan, .. } = load(Some(&file), &Overrides::default());
    let Some(plan) = plan else {
        return refuse(&report);
    };
    let checks = match join_checks(&plan) {
        Ok(Some(checks)) => checks,
        Ok(None) => return complain(&format!("error: {} has no [cluster]", shown(&file))),
        Err(error) => return complain(&format!("error: nothing can be checked: {error}")),
    };
    let printed = match is_json {
        true => print(&format!("{:#}\n", json!(checks))),
        false => print(&checks.to_string()),
    };
    match checks.are_fine() {
        true => printed,
        false => ExitCode::FAILURE,
    }
}

/// Prints what is known of the configuration.
pub(super) fn config(args: &Config, log: &LogArgs) -> ExitCode {
    if args.schema {
        return print(&format!("{:#}\n", schema()));
    }
    if args.example {
        return print(&example());
    }
    if args.reference {
        return print(&reference());
    }
    if !args.show_origin {
        let message = "say what to print: --show-origin, --schema or --example";
        Cli::fail(ErrorKind::MissingRequiredArgument, message);
    }
    let file = file(args.run.config.clone(), args.run.streams.is_empty());
    let loaded = load(file.as_deref(), &overrides(&args.run, log));
    match loaded.plan {
        Some(_) => print(&origins(&loaded.resolved, &loaded.report)),
        None => refuse(&loaded.report),
    }
}

/// Makes a certificate, and says where it is.
pub(super) fn cert(args: &Cert) -> ExitCode {
    match make(args) {
        Ok(made) => print(&format!("{made}\n")),
        Err(error) => complain(&format!("error: {error:#}")),
    }
}

/// Lists the cameras of this machine.
#[cfg(all(feature = "v4l2", target_os = "linux"))]
pub(super) fn devices(args: &Devices) -> ExitCode {
    let all = V4l2Device::all();
    match args.json {
        true => print(&format!("{:#}\n", devices::as_json(&all))),
        false => print(&devices::as_text(&all)),
    }
}

/// Says that there is no such list.
#[cfg(not(all(feature = "v4l2", target_os = "linux")))]
pub(super) fn devices(_: &Devices) -> ExitCode {
    complain(
        "error: this program cannot list the cameras of this machine: that needs Linux, and a build \
         with the feature v4l2",
    )
}

/// Prints what a shell reads to complete command lines.
pub(super) fn completions(args: &Completions) -> ExitCode {
    print(&script(args.shell, &mut Cli::command()))
}

/// Makes the hash of a password, or a token.
pub(super) fn hash_password(args: &HashPassword) -> ExitCode {
    if args.token {
        let token = mjpeg_auth::new_token();
        let hash = mjpeg_auth::hash_token(&token);
        return print(&format!("token: {token}\ntoken_hash = \"{hash}\"\n"));
    }
    match new_password() {
        Ok(password) => {
            let hash = mjpeg_auth::hash_password(&password);
            print(&format!("password_hash = \"{hash}\"\n"))
        }
        Err(error) => complain(&format!("error: {error}")),
    }
}

/// Asks for a new password, or reads it.
fn new_password() -> io::Result<String> {
    let password = match io::stdin().is_terminal() {
        true => {
            let password = prompt::ask("New password")?;
            if prompt::ask("Once more")? != password {
                return Err(io::Error::other("the two passwords differ"));
            }
            password
        }
        false => {
            let mut line = String::new();
            io::stdin()
                .lock()
                .take(MOST_PASSWORD)
                .read_line(&mut line)?;
            line.trim_end_matches(['\r', '\n']).to_owned()
        }
    };
    match password.is_empty() {
        true => Err(io::Error::other("the password is empty")),
        false => Ok(password),
    }
}

/// Says what is wrong with the configuration.
pub(super) fn refuse(report: &Report) -> ExitCode {
    complain(&format!("{}\n\n{}", report.rendered(), report.summary()))
}

pub(super) fn complain(text: &str) -> ExitCode {
    // Nobody may be there to read it.
    let _ = writeln!(io::stderr(), "{text}");
    ExitCode::FAILURE
}

/// The file to read: the one that is named; else, if there are no streams either, the first that is
/// found.
pub(super) fn file(named: Option<PathBuf>, is_searched: bool) -> Option<PathBuf> {
    match named {
        None if is_searched => Some(found().unwrap_or_else(|| no_file())),
        named => named,
    }
}

/// What flags and environment set. Exits if a value is out of bounds.
pub(super) fn overrides(args: &Run, log: &LogArgs) -> Overrides {
    let overrides = args.overrides(log);
    if let Some(problem) = overrides.out_of_bounds() {
        Cli::fail(ErrorKind::ValueValidation, problem);
    }
    overrides
}

fn no_file() -> ! {
    let [here, system] = SEARCHED;
    let message = format!(
        "nothing to relay: give --stream NAME=URL or --config FILE, or write {here} or {system}"
    );
    Cli::fail(ErrorKind::MissingRequiredArgument, message)
}

/// Prints directly: unlike logs, this may wait for its reader, and all of it is wanted.
pub(super) fn print(text: &str) -> ExitCode {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => ExitCode::SUCCESS,
        // The reader has seen enough and closed the pipe, as `head` does.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// The longest password, in bytes.
const MOST_PASSWORD: u64 = 1024;
