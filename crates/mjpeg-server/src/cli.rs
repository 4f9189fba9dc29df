//! The command line.

pub(crate) mod camera_args;
pub(crate) mod cert;
pub(crate) mod check;
pub(crate) mod cluster;
pub(crate) mod completions;
pub(crate) mod ctl;
pub(crate) mod demo;
pub(crate) mod devices;
pub(crate) mod hash_password;
pub(crate) mod log_args;
pub(crate) mod migrate;
pub(crate) mod probe;
mod redact;
pub(crate) mod run;
pub(crate) mod stream_arg;
pub(crate) mod viewer_args;

use std::{env, ffi::OsString};

use clap::{Arg, ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand, error::ErrorKind};

use self::{
    cert::Cert,
    check::{Check, Config},
    cluster::ClusterArgs,
    completions::Completions,
    ctl::Ctl,
    demo::Demo,
    devices::Devices,
    hash_password::HashPassword,
    log_args::LogArgs,
    migrate::Migrate,
    probe::Probe,
    run::Run,
};

/// Relays Motion-JPEG cameras: connects to each camera once and serves its pictures over HTTP to
/// any number of viewers.
///
/// To see pictures without a camera: mjpeg-server demo
#[derive(Debug, Parser)]
#[command(name = "mjpeg-server", version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,

    #[command(flatten)]
    pub(crate) log: LogArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Relay cameras
    Run(Box<Run>),
    /// Check a configuration file; warnings leave the exit code 0
    Check(Check),
    /// Print the configuration: effective values, schema, or an example
    Config(Box<Config>),
    /// Show pictures without a camera: simulated cameras, relayed like real ones
    Demo(Demo),
    /// Look at a camera, and say what it is, what is wrong, and how to relay it
    Probe(Probe),
    /// List the cameras of this machine, such as USB webcams, and what they can do (Linux)
    Devices(Devices),
    /// Make a configuration from that of crowsnest, mjpg-streamer, ustreamer, go2rtc or Frigate
    Migrate(Migrate),
    /// Make a certificate for HTTPS that this machine signs itself
    Cert(Cert),
    /// Make the hash of a password or a new token, for a user in the configuration file
    HashPassword(HashPassword),
    /// Control a running relay: list, add, change and remove streams, see and disconnect viewers
    Ctl(Box<Ctl>),
    /// Show and change which node of a cluster reads which camera
    Cluster(Box<ClusterArgs>),
    /// Print a script that completes commands, options and names of streams in a shell
    Completions(Completions),
}

impl Cli {
    /// Parses the arguments of this process. Exits on errors, and after `--help` and the like.
    pub(crate) fn from_process() -> Self {
        Self::parsed(env::args_os()).unwrap_or_else(|error| redact::without_urls(error).exit())
    }

    /// Parses a command line.
    ///
    /// # Errors
    ///
    /// Those of the parser, which may quote a password.
    pub(crate) fn parsed(args: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        // An empty environment variable counts as unset.
        let unless_empty = |arg: Arg| {
            let value = arg.get_env().and_then(env::var_os);
            match value.is_some_and(|value| value.is_empty()) {
                true => arg.env(None::<&str>),
                false => arg,
            }
        };
        let mut command = Self::command()
            .mut_args(unless_empty)
            .mut_subcommands(|command| {
                command.mut_args(|arg| {
                    // The help says once how the variables are called.
                    let is_shown = arg.get_id() == "config";
                    unless_empty(arg).hide_env(!is_shown)
                })
            });
        // Gives the global arguments to the subcommands.
        command.build();
        let matches = command.clone().try_get_matches_from(args)?;
        let mut cli = Self::from_arg_matches(&matches)?;
        if let Some((name, within)) = matches.subcommand() {
            let described = command.find_subcommand(name).unwrap_or(&command);
            cli.command.note_origins(described, within);
        }
        Ok(cli)
    }

    /// Says that an argument is missing or wrong, and exits.
    pub(crate) fn fail(kind: ErrorKind, message: impl std::fmt::Display) -> ! {
        let mut command = Self::command();
        command.error(kind, message).exit()
    }
}

impl Command {
    fn note_origins(&mut self, command: &clap::Command, matches: &ArgMatches) {
        match self {
            Self::Run(run) => run.note_origins(command, matches),
            Self::Config(config) => config.run.note_origins(command, matches),
            Self::Check(_)
            | Self::Demo(_)
            | Self::Probe(_)
            | Self::Devices(_)
            | Self::Migrate(_)
            | Self::Cert(_)
            | Self::HashPassword(_)
            | Self::Ctl(_)
            | Self::Cluster(_)
            | Self::Completions(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definition_is_sound() {
        Cli::command().debug_assert();
    }
}
