//! Reads configurations of other programs, and writes one of ours (`mjpeg-server migrate`).
//!
//! What is read is not trusted. It is bounded in size, YAML also in what its aliases stand for.
//! What is written runs no program and reads no file that the other configuration does not name for
//! that.

mod checked;
mod command_line;
mod crowsnest;
mod flags;
mod found;
mod frigate;
mod go2rtc;
mod input;
pub(crate) mod kind;
mod listens;
mod marks;
mod mjpg_streamer;
mod names;
mod octopi;
mod secrets;
mod sources;
mod ustreamer;
mod uvc;
mod write;
mod yaml;

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use mjpeg_manager::mjpeg_ingest::escaped;

use self::{
    found::Inventory,
    kind::MigrateKind,
    marks::Marks,
    write::{Migration, written},
};
use crate::config::report::counted;

/// Makes a configuration of these files; `-` is standard input. Returns its text, and a summary for
/// people.
///
/// # Errors
///
/// If a file cannot be read or understood, or no camera of all of them can be relayed.
pub(crate) fn migrate(files: &[PathBuf], from: Option<MigrateKind>) -> Result<(String, String)> {
    let (mut all, mut marks) = (Inventory::default(), Marks::default());
    for path in files {
        let (name, text) = input::read(path)?;
        let kind = match from {
            Some(kind) => kind,
            None => kind::detect(&name, &text)?,
        };
        all.add(&name, kind, found(kind, &name, &text, &mut marks)?);
    }
    let migration = written(&all, &marks);
    let summary = summary(&all, &migration);
    if migration.carried == 0 {
        bail!("{summary}");
    }
    checked::check(&migration.plain)?;
    Ok((migration.text, summary))
}

/// What a text of this kind says.
fn found(kind: MigrateKind, name: &str, text: &str, marks: &mut Marks) -> Result<Inventory> {
    match kind {
        MigrateKind::Crowsnest => Ok(crowsnest::read(text)),
        MigrateKind::MjpgStreamer => mjpg_streamer::read(text, stem(name)),
        MigrateKind::Octopi => Ok(octopi::read(text)),
        MigrateKind::Ustreamer => ustreamer::read(text, stem(name)),
        MigrateKind::Go2rtc => go2rtc::read(text, marks),
        MigrateKind::Frigate => frigate::read(text, marks),
    }
}

/// The name of a unit of systemd, without its ending, which its cameras are called by.
fn stem(name: &str) -> Option<&str> {
    let name = Path::new(name).file_name()?.to_str()?;
    name.strip_suffix(".service")
}

fn summary(all: &Inventory, migration: &Migration) -> String {
    let mut text = match migration.carried {
        0 => "no camera can be carried over".into(),
        carried => format!("{} carried over", counted(carried, "camera")),
    };
    match migration.conditional {
        0 => {}
        some if some == migration.carried => text += ", on a condition (see the comments)",
        some => text += &format!(", {some} of them on a condition (see the comments)"),
    }
    match migration.lost.len() {
        0 => {}
        lost => text += &format!("; {lost} not"),
    }
    for (camera, why) in &migration.lost {
        text += &format!("\n  {}: {}", escaped(camera), escaped(why));
    }
    if migration.carried == 0 && migration.lost.is_empty() {
        text += &format!(": there is none in {}", all.file_names());
    }
    text
}
