//! Checks what was written, as `mjpeg-server check` does.

use std::{collections::BTreeMap, path::PathBuf};

use anyhow::{Result, ensure};
use mjpeg_manager::mjpeg_ingest::Source;

use crate::config::{
    edits::Edits,
    files::Files,
    load::{Loaded, load_edited},
    resolve::overrides::Overrides,
};

/// Checks a source, with the values of its secrets.
///
/// # Errors
///
/// If it is none.
pub(super) fn source(plain: &str) -> Result<(), String> {
    match plain.parse::<Source>() {
        Ok(_) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

/// Checks a configuration, with the values of its secrets.
///
/// # Errors
///
/// If it has errors.
pub(super) fn check(plain: &str) -> Result<()> {
    let path = PathBuf::from("the result");
    let texts = BTreeMap::from([(path.clone(), plain.to_owned())]);
    let edits = Edits {
        files: Files(Some(texts)),
        ..Edits::default()
    };
    let Loaded { report, .. } = load_edited(Some(&path), &Overrides::default(), &edits);
    ensure!(
        !report.has_errors(),
        "the result has errors, so it is not printed; please report this\n{}",
        report.rendered()
    );
    Ok(())
}
