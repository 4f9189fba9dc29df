//! The age of the pictures that viewers on slow links see, and what these viewers cost the others.

mod case;
mod report;
mod scene;
mod watch;

use anyhow::{Result, bail, ensure};
use kit::debian::{install_packages, on_path};
use kit::flags::Lag;
use kit::workspace::Workspace;

use crate::circumstances;
use crate::lag::case::{CASES, Case};
use crate::netns;
use crate::programs::Programs;

pub(crate) fn run(flags: &Lag) -> Result<()> {
    let workspace = Workspace::from_env()?;
    let wanted = flags.case.as_deref();
    let chosen = CASES
        .iter()
        .filter(|case| wanted.is_none_or(|name| name == case.name));
    let chosen: Vec<&Case> = chosen.collect();
    if chosen.is_empty() {
        let names = CASES.map(|case| case.name);
        bail!("no such case; there are: {}", names.join(", "));
    }
    if let Some(why) = lacking(&workspace, flags.install)? {
        println!("bench lag: SKIPPED: {why}");
        return Ok(());
    }
    let programs = Programs::build(&workspace)?;
    let seconds = flags.seconds.unwrap_or(DEFAULT_SECONDS).max(1);
    let congestion = flags.congestion.as_deref().unwrap_or(DEFAULT_CONGESTION);
    let mut outcomes = Vec::new();
    for case in chosen {
        println!(
            "== {}: {}, {seconds} s, {congestion}",
            case.name, case.description
        );
        let outcome = scene::run(&programs, case, seconds, congestion)?;
        print!("{}", report::lines(&outcome));
        outcomes.push(outcome);
    }
    let text = report::tables(&outcomes);
    println!("\n{text}");
    if let Some(path) = &flags.record {
        circumstances::record(&workspace, path, &text)?;
    }
    let problems = report::problems(&outcomes);
    for problem in &problems {
        println!("bench lag: {problem}");
    }
    ensure!(
        problems.is_empty(),
        "bench lag: {} problem(s), listed above",
        problems.len()
    );
    println!("bench lag: ok");
    Ok(())
}

/// Why nothing can be measured on this machine, if so.
fn lacking(workspace: &Workspace, install: bool) -> Result<Option<String>> {
    if !(on_path("ip") && on_path("tc")) {
        if !install {
            let how = "`ip` and `tc` are missing; install them with --install (Debian's iproute2)";
            return Ok(Some(how.to_owned()));
        }
        install_packages(&workspace.sh, &["iproute2"])?;
    }
    netns::sweep()?;
    Ok(netns::refused()
        .map(|why| format!("no network namespaces here, for which root is needed: {why}")))
}

/// Linux's own default, whatever this machine's is: figures with different ones do not compare.
const DEFAULT_CONGESTION: &str = "cubic";
const DEFAULT_SECONDS: u64 = 600;
