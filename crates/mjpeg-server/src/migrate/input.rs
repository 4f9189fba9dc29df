//! Files to read, of limited size.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::Path,
};

use anyhow::{Context, Result, ensure};
use mjpeg_manager::mjpeg_ingest::escaped;

/// Reads a file, or standard input for `-`. Returns what it is called, and its text.
///
/// # Errors
///
/// If it cannot be read, is too large or is no UTF-8.
pub(super) fn read(path: &Path) -> Result<(String, String)> {
    if path == Path::new("-") {
        let text = text(io::stdin().lock()).context("standard input")?;
        return Ok(("standard input".into(), text));
    }
    let name = path.display().to_string();
    let shown = escaped(&name).into_owned();
    let opened = || {
        // A folder opens too.
        ensure!(
            !fs::metadata(path)?.is_dir(),
            "is a folder; name a file in it"
        );
        Ok(File::open(path)?)
    };
    let file = opened().with_context(|| shown.clone())?;
    let text = text(file).with_context(|| shown)?;
    Ok((name, text))
}

fn text(from: impl Read) -> Result<String> {
    let mut bytes = Vec::new();
    from.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    ensure!(
        bytes.len() as u64 <= MOST_BYTES,
        "is larger than 1 MiB, so it is no configuration of a camera program"
    );
    let text = String::from_utf8(bytes);
    let text = text.context("is no text in UTF-8, so it is no configuration")?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(&text).into())
}

/// The largest file.
const MOST_BYTES: u64 = 1 << 20;
