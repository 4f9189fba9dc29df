//! The arguments of `check` and `config`.

use std::path::PathBuf;

use clap::Args;

use super::run::Run;

#[derive(Args, Debug)]
pub(crate) struct Check {
    /// The configuration file [default: ./mjpeg.toml, else /etc/mjpeg-server/mjpeg.toml]
    pub(crate) file: Option<PathBuf>,

    /// Print what was found as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Config {
    /// Print every effective value of the configuration, with where it came from
    #[arg(long, group = "what")]
    pub(crate) show_origin: bool,

    /// Print the JSON schema of the file, for editors
    #[arg(long, group = "what")]
    pub(crate) schema: bool,

    /// Print a file with every key, its default and its meaning
    #[arg(long, group = "what")]
    pub(crate) example: bool,

    /// Print docs/configuration.md
    #[arg(long, group = "what", hide = true)]
    pub(crate) reference: bool,

    // Last, because its help headings would apply to the arguments after it.
    #[command(flatten)]
    pub(crate) run: Run,
}
