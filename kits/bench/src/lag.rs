//! The age of the pictures that viewers on slow links see, and what these viewers cost the others.

mod case;
mod report;
mod scene;
mod watch;

use std::thread;

use anyhow::{Context as _, Result, bail, ensure};
use kit::debian::{install_packages, on_path};
use kit::flags::Lag;
use kit::program::until_signal;
use kit::workspace::Workspace;
use tokio::sync::oneshot;

use crate::circumstances;
use crate::lag::case::{CASES, Case};
use crate::links::NAMESPACES;
use crate::programs::Programs;

pub(crate) fn run(flags: Lag) -> Result<()> {
    let workspace = Workspace::from_env()?;
    let wanted = flags.case.as_deref();
    let chosen = CASES.iter();
    let chosen = chosen.filter(|case| wanted.is_none_or(|name| name == case.name));
    let chosen: Vec<&'static Case> = chosen.collect();
    if chosen.is_empty() {
        let names = CASES.map(|case| case.name);
        bail!("no such case; there are: {}", names.join(", "));
    }
    // Inside, nothing can be downloaded.
    if !NAMESPACES.is_inside() {
        if !(on_path("ip") && on_path("tc")) {
            if !flags.install {
                println!(
                    "bench lag: SKIPPED: `ip` and `tc` are missing; install them with --install (Debian's iproute2)"
                );
                return Ok(());
            }
            install_packages(&workspace.sh, &["iproute2"])?;
        }
        Programs::build(&workspace)?;
    }
    if !NAMESPACES.enter()? {
        println!("bench lag: SKIPPED: no network namespaces here; they need root and `unshare`");
        return Ok(());
    }
    let (done, outcome) = oneshot::channel();
    thread::spawn(move || done.send(measure(&workspace, &chosen, &flags)));
    let outcome = async { outcome.await.context("the measurement panicked")? };
    until_signal(outcome).map(drop)
}

/// Measures, and fails if a requirement does not hold.
fn measure(workspace: &Workspace, cases: &[&'static Case], flags: &Lag) -> Result<bool> {
    let programs = Programs::built(workspace);
    let seconds = flags.seconds.unwrap_or(DEFAULT_SECONDS).max(1);
    let congestion = flags.congestion.as_deref().unwrap_or(DEFAULT_CONGESTION);
    let mut outcomes = Vec::new();
    for case in cases {
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
        circumstances::record(workspace, path, &text)?;
    }
    let problems = report::problems(&outcomes);
    for problem in &problems {
        println!("bench lag: {problem}");
    }
    let count = problems.len();
    ensure!(count == 0, "bench lag: {count} problem(s), listed above");
    println!("bench lag: ok");
    Ok(true)
}

/// Linux's default. The machine's own setting does not count: results with different congestion
/// controls cannot be compared.
const DEFAULT_CONGESTION: &str = "cubic";
const DEFAULT_SECONDS: u64 = 600;
