//! Records results, with the place and time of their measurement.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use kit::debian::output;
use kit::workspace::Workspace;

/// Writes the tables to a file, below a line on the circumstances.
pub(crate) fn record(workspace: &Workspace, file: &Path, tables: &str) -> Result<()> {
    let text = format!("{}\n{tables}", circumstances(workspace));
    fs::write(file, text).with_context(|| format!("writing {}", file.display()))?;
    println!("written to {}", file.display());
    Ok(())
}

fn circumstances(workspace: &Workspace) -> String {
    let said = |program: &str, arguments: &[&str]| {
        output(&workspace.sh, program, arguments)
            .map_or_else(|| "unknown".to_owned(), |text| text.trim().to_owned())
    };
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    format!(
        "{}, commit {}, Linux {}, {} cores, by `cargo xtask {}`\n",
        said("date", &["-u", "+%Y-%m-%d %H:%M UTC"]),
        said("git", &["describe", "--always", "--dirty"]),
        said("uname", &["-r"]),
        said("nproc", &[]),
        arguments.join(" ")
    )
}
