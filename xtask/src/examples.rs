//! Runs the examples, because they are the first code that users run. The convention: without
//! arguments, an example shows something and ends within ten seconds with exit code 0.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use cargo_metadata::TargetKind;
use xshell::cmd;

use crate::util::{Workspace, targets, verdict};

/// More than the convention's ten seconds, to allow for a busy machine.
const LIMIT: Duration = Duration::from_secs(30);

pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let sh = &workspace.sh;
    cmd!(
        sh,
        "cargo build --workspace --examples --all-features --locked"
    )
    .run()?;
    // Not in the source tree: an example may write files, and must not depend on its folder.
    let scratch = workspace.target("xtask/examples");
    if scratch.exists() {
        fs::remove_dir_all(&scratch)?;
    }
    let mut problems = Vec::new();
    for package in workspace.published() {
        for example in targets(package, TargetKind::Example) {
            let folder = scratch.join(format!("{}-{example}", package.name));
            fs::create_dir_all(&folder)?;
            let program = workspace
                .target("debug/examples")
                .join(format!("{example}{}", std::env::consts::EXE_SUFFIX));
            let start = Instant::now();
            let outcome = run_one(&mut Command::new(program), &folder, LIMIT)?;
            let seconds = start.elapsed().as_secs_f64();
            println!("   {} / {example}: {seconds:.1} s", package.name);
            if let Err(why) = outcome {
                problems.push(format!(
                    "example {example} of {} {why}; without arguments it must end by itself with \
                     exit code 0\n{}",
                    package.name,
                    last_lines(&folder.join(OUTPUT)),
                ));
            }
        }
    }
    verdict("examples", &problems)
}

const OUTPUT: &str = "output.txt";

/// A problem for each name that several examples have. They would overwrite one another in the
/// build directory.
pub(crate) fn clashes<'a>(examples: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<String> {
    let mut owners: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (package, example) in examples {
        owners.entry(example).or_default().push(package);
    }
    owners.retain(|_, packages| packages.len() > 1);
    let line = |(example, packages): (_, Vec<_>)| {
        format!(
            "example `{example}` exists in {}; rename all but one",
            packages.join(" and ")
        )
    };
    owners.into_iter().map(line).collect()
}

/// Runs an example. The inner error says how it failed.
fn run_one(program: &mut Command, folder: &Path, limit: Duration) -> Result<Result<(), String>> {
    let output = File::create(folder.join(OUTPUT))?;
    let mut child = program
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output)
        .spawn()
        .with_context(|| format!("starting {}", program.get_program().display()))?;
    let deadline = Instant::now() + limit;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(if status.success() {
                Ok(())
            } else {
                Err(format!("failed ({status})"))
            });
        }
        if Instant::now() >= deadline {
            child.kill()?;
            child.wait()?;
            return Ok(Err(format!(
                "still ran after {} s and was killed",
                limit.as_secs()
            )));
        }
        thread::sleep(Duration::from_millis(20));
    }
}

fn last_lines(output: &PathBuf) -> String {
    let bytes = fs::read(output).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().collect();
    let from = lines.len().saturating_sub(20);
    lines[from..]
        .iter()
        .map(|line| format!("    {line}\n"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_of_one_name_clash() {
        let examples = [("a", "split"), ("b", "serve"), ("c", "split")];
        let problems = clashes(examples.into_iter());
        assert_eq!(
            problems,
            ["example `split` exists in a and c; rename all but one"]
        );
    }

    #[cfg(unix)]
    #[test]
    fn an_example_that_fails_or_hangs_is_reported() {
        let folder = std::env::temp_dir().join(format!("xtask-examples-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let run = |script: &str| {
            let limit = Duration::from_millis(500);
            run_one(Command::new("sh").args(["-c", script]), &folder, limit).unwrap()
        };
        assert_eq!(run("exit 0"), Ok(()));
        assert!(run("exit 3").unwrap_err().starts_with("failed"));
        assert!(run("exec sleep 60").unwrap_err().starts_with("still ran"));
        fs::remove_dir_all(&folder).unwrap();
    }
}
