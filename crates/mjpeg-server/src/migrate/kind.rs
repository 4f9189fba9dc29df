//! The programs whose configurations are read, and how to tell them apart.

use std::path::Path;

use anyhow::{Result, bail};
use clap::ValueEnum;
use mjpeg_manager::mjpeg_ingest::escaped;

/// A program whose configuration can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum MigrateKind {
    /// crowsnest.conf, as Mainsail and Fluidd use it
    Crowsnest,
    /// Command lines, scripts and systemd units of mjpg-streamer
    MjpgStreamer,
    /// octopi.txt of OctoPi
    Octopi,
    /// Command lines, scripts and systemd units of ustreamer
    Ustreamer,
    /// go2rtc.yaml
    Go2rtc,
    /// The configuration of Frigate, with the go2rtc in it
    Frigate,
}

impl MigrateKind {
    /// What people call the program.
    pub(super) fn program(self) -> &'static str {
        match self {
            Self::Crowsnest => "crowsnest",
            Self::MjpgStreamer => "mjpg-streamer",
            Self::Octopi => "OctoPi",
            Self::Ustreamer => "ustreamer",
            Self::Go2rtc => "go2rtc",
            Self::Frigate => "Frigate",
        }
    }
}

/// Tells by name and content which program reads a file.
///
/// # Errors
///
/// If neither tells.
pub(super) fn detect(name: &str, text: &str) -> Result<MigrateKind> {
    let file = Path::new(name).file_name().and_then(|name| name.to_str());
    let file = file.unwrap_or_default().to_ascii_lowercase();
    let by_name = NAMES.iter().find(|(known, _)| file == *known);
    if let Some((_, kind)) = by_name {
        return Ok(*kind);
    }
    match by_content(text) {
        Some(kind) => Ok(kind),
        None => bail!(
            "{}: cannot tell which program reads this: expected a [cam NAME] of crowsnest, a \
             command line with mjpg_streamer or ustreamer, camera_usb_options of OctoPi, `streams:` \
             of go2rtc or `cameras:` of Frigate; say which with --from PROGRAM",
            escaped(name)
        ),
    }
}

fn by_content(text: &str) -> Option<MigrateKind> {
    let lines = || text.lines().map(str::trim_end);
    // OctoPi comes with all of its settings commented out.
    let is_octopi = |line: &str| {
        let bare = line.trim_start_matches(['#', ' ']);
        OCTOPI.iter().any(|key| bare.starts_with(key)) && bare.contains('=')
    };
    let is_crowsnest = |line: &str| line.starts_with("[cam ") || line.starts_with("[crowsnest]");
    let has_top = |keys: &[&str]| {
        lines().any(|line| {
            let key = line.split_once(':').map(|(key, _)| key);
            key.is_some_and(|key| keys.contains(&key.trim_matches(['"', '\''])))
        })
    };
    let has_command = |program: &str| {
        let mut lines = lines().filter(|line| !line.trim_start().starts_with('#'));
        lines.any(|line| line.contains(program))
    };
    if lines().any(is_crowsnest) {
        Some(MigrateKind::Crowsnest)
    } else if lines().any(is_octopi) {
        Some(MigrateKind::Octopi)
    } else if has_top(&["cameras", "go2rtc"]) {
        Some(MigrateKind::Frigate)
    } else if has_top(&["streams"]) {
        Some(MigrateKind::Go2rtc)
    } else if has_command("mjpg_streamer") {
        Some(MigrateKind::MjpgStreamer)
    } else if has_command("ustreamer") {
        Some(MigrateKind::Ustreamer)
    } else {
        None
    }
}

/// What files are usually called.
const NAMES: [(&str, MigrateKind); 10] = [
    ("crowsnest.conf", MigrateKind::Crowsnest),
    ("octopi.txt", MigrateKind::Octopi),
    ("go2rtc.yaml", MigrateKind::Go2rtc),
    ("go2rtc.yml", MigrateKind::Go2rtc),
    ("frigate.yaml", MigrateKind::Frigate),
    ("frigate.yml", MigrateKind::Frigate),
    ("mjpg-streamer.service", MigrateKind::MjpgStreamer),
    ("mjpg_streamer.service", MigrateKind::MjpgStreamer),
    ("mjpgstreamer.service", MigrateKind::MjpgStreamer),
    ("ustreamer.service", MigrateKind::Ustreamer),
];

const OCTOPI: [&str; 3] = [
    "camera_usb_options",
    "camera_raspi_options",
    "camera_http_options",
];
