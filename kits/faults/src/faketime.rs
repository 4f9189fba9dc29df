//! Lets the wall clock of a relay jump, by Debian's faketime.

use std::{fs, path::Path, process::Command, sync::OnceLock};

use anyhow::{Context as _, Result};

use crate::launch::Launch;

/// The library to preload into the relay, if faketime is installed.
pub(crate) fn library() -> Option<&'static str> {
    static LIBRARY: OnceLock<Option<String>> = OnceLock::new();
    let find = || {
        let mut command = Command::new("faketime");
        command.args(["-f", "+0d", "sh", "-c", "echo \"$LD_PRELOAD\""]);
        let said = command.output().ok()?.stdout;
        let path = String::from_utf8(said).ok()?.trim().to_owned();
        (!path.is_empty()).then_some(path)
    };
    LIBRARY.get_or_init(find).as_deref()
}

/// Starts the relay with a wall clock that [`jump`] can set.
pub(crate) fn set_up(dir: &Path, launch: &mut Launch) -> Result<()> {
    jump(dir, "+0d")?;
    let library = library().context("faketime is not installed")?;
    launch.env.extend([
        ("LD_PRELOAD", library.to_owned()),
        ("FAKETIME_TIMESTAMP_FILE", file(dir)),
        ("FAKETIME_NO_CACHE", "1".to_owned()),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
    ]);
    Ok(())
}

/// Sets the clock's offset from the machine's own, such as `+1d`.
pub(crate) fn jump(dir: &Path, by: &str) -> Result<()> {
    fs::write(file(dir), format!("{by}\n")).context("setting the clock")
}

fn file(dir: &Path) -> String {
    dir.join("clock").display().to_string()
}
