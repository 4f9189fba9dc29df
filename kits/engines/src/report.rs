//! The report: printed line by line, and appended to a file on request.

use std::{
    fs::{File, OpenOptions},
    io::Write as _,
    path::Path,
};

use anyhow::{Context as _, Result};

pub(crate) struct Report(Option<File>);

impl Report {
    /// Also appends to this file, if one is given.
    pub(crate) fn open(path: Option<&Path>) -> Result<Self> {
        let open = |path: &Path| {
            let file = OpenOptions::new().create(true).append(true).open(path);
            file.with_context(|| format!("opening {}", path.display()))
        };
        Ok(Self(path.map(open).transpose()?))
    }

    /// Adds a line.
    pub(crate) fn line(&mut self, line: &str) -> Result<()> {
        println!("{line}");
        if let Some(file) = &mut self.0 {
            writeln!(file, "{line}").context("writing the record")?;
        }
        Ok(())
    }
}
