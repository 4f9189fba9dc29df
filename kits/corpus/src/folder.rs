//! `cargo xtask corpus`: runs the splitter over a folder of streams with known truth.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use anyhow::{Context as _, Result, bail};

use crate::frames;
use crate::report;
use crate::scored::Scored;

pub(crate) fn run(dir: &Path) -> Result<()> {
    let mut scored = Vec::new();
    let mut unscored = Vec::new();
    for name in names(dir)? {
        match Scored::load(dir, &name) {
            Ok(stream) => scored.push(stream),
            Err(error) => unscored.push(format!("{error:#}")),
        }
    }
    let text = report::text(&scored, &unscored);
    frames::reached(io::stdout().write_all(text.as_bytes()))?;
    let failed = scored.iter().filter(|stream| stream.fails()).count();
    let unscored = unscored.len();
    if failed + unscored > 0 {
        bail!("corpus: {failed} stream(s) not perfect, {unscored} not scored, listed above");
    }
    Ok(())
}

/// The names of all streams. A file without its partner counts too.
fn names(dir: &Path) -> Result<BTreeSet<OsString>> {
    let expected = || {
        format!(
            "{}: a corpus is a folder of streams NAME.mjpeg, each with its truth NAME.json",
            dir.display()
        )
    };
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(dir).with_context(expected)? {
        let path = entry.with_context(expected)?.path();
        let half = path
            .extension()
            .is_some_and(|e| e == "mjpeg" || e == "json");
        names.extend(path.file_stem().filter(|_| half).map(OsStr::to_owned));
    }
    if names.is_empty() {
        bail!("{}; this folder has none", expected());
    }
    Ok(names)
}
