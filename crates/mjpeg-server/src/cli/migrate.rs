//! The arguments of `migrate`.

use std::path::PathBuf;

use clap::Args;

use crate::migrate::kind::MigrateKind;

#[derive(Args, Debug)]
#[command(after_help = HELP)]
pub(crate) struct Migrate {
    /// Configurations of other programs, at most 1 MiB each; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,

    /// The program that reads the files, where their names and contents do not tell
    #[arg(long, value_name = "PROGRAM", value_enum)]
    pub(crate) from: Option<MigrateKind>,
}

// Each paragraph is one line, for clap to wrap; an example is short enough not to be.
const HELP: &str = "\
Examples:
  mjpeg-server migrate ~/printer_data/config/crowsnest.conf > mjpeg.toml
  mjpeg-server migrate /etc/systemd/system/mjpg-streamer.service
  mjpeg-server migrate go2rtc.yaml frigate.yml
  echo 'ustreamer -d /dev/video0 -p 8081' | mjpeg-server migrate -

The result goes to standard output, with comments for what cannot be carried over and why; how many \
cameras were carried over goes to standard error. Nothing is started, no device is opened and no \
camera is connected to.

Passwords of cameras are not in the result: it names an environment variable for each, as \
${env:NAME}, and says what to set. Passwords of viewers are there as hashes.

The exit code is 0 if at least one camera was carried over, 1 if none was or a file cannot be read, \
2 if the command line is wrong. docs/migration.md says what becomes of each setting.";
