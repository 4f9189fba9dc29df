//! The arguments of `completions`.

use clap::{Args, ValueEnum};

#[derive(Args, Debug)]
#[command(after_help = HELP)]
pub(crate) struct Completions {
    /// The shell that is to read the script
    pub(crate) shell: CompletedShell,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum CompletedShell {
    Bash,
    Zsh,
    Fish,
}

const HELP: &str = "\
Names of streams are asked of the relay that \"mjpeg-server ctl\" would find without --url and \
--socket; MJPEG_CTL_URL and MJPEG_CTL_TOKEN count.

Examples:
  mjpeg-server completions bash > ~/.local/share/bash-completion/completions/mjpeg-server
  mjpeg-server completions zsh > \"${fpath[1]}/_mjpeg-server\"
  mjpeg-server completions fish > ~/.config/fish/completions/mjpeg-server.fish";
