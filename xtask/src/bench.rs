//! The load benchmark of the HTTP fan-out: which runs, in which order, and what comes of them. Beside it, [`lag`]: viewers on slow links.

mod cases;
pub(crate) mod lag;
mod netns;
mod process;
mod programs;
mod reference;
mod report;
mod run;
mod stats;

use std::fs;

use anyhow::{Context as _, Result, bail};
use xshell::cmd;

use crate::bench::cases::{CASES, Case, Sides};
use crate::bench::programs::{Programs, Server};
use crate::bench::report::Outcome;
use crate::bench::run::Run;
use crate::flags::Fanout;
use crate::tools::output;
use crate::util::Workspace;

const DEFAULT_PAIRS: usize = 9;
const DEFAULT_SECONDS: u64 = 10;
/// Fewer say nothing where a single reading is worth a quarter more or less.
const PAIRS_WORTH_BELIEVING: usize = 9;
/// A run whose viewers were the bottleneck tells nothing of the server; so often it is tried.
const ATTEMPTS: usize = 3;

pub(crate) fn run(workspace: &Workspace, flags: &Fanout) -> Result<()> {
    let chosen = cases::chosen(flags.case.as_deref());
    if chosen.is_empty() {
        let names: Vec<&str> = CASES.iter().map(|case| case.name).collect();
        bail!("no such case; there are: {}", names.join(", "));
    }
    build(workspace)?;
    let programs = Programs::new(workspace);
    if flags.verify_reference {
        return reference::verify(&programs);
    }
    let pairs = flags.pairs.unwrap_or(DEFAULT_PAIRS).max(1);
    let seconds = flags.seconds.unwrap_or(DEFAULT_SECONDS).max(1);
    let extra: Vec<&str> = flags
        .server_args
        .as_deref()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    let mut outcomes = Vec::new();
    for case in chosen {
        println!("== {}: {}", case.name, case.told());
        if case.sides == Sides::Threads && !programs.server_knows(THREADS_OPTION)? {
            println!("   SKIPPED: mjpeg-server has no {THREADS_OPTION}");
            continue;
        }
        let pairs = measure(&programs, case, pairs, seconds, &extra)?;
        if pairs.is_empty() {
            println!("   VOID: in no pair were both runs valid");
            continue;
        }
        outcomes.push(Outcome { case, pairs });
    }
    let text = report::tables(&outcomes);
    println!("\n{text}");
    if pairs < PAIRS_WORTH_BELIEVING {
        println!("With fewer than {PAIRS_WORTH_BELIEVING} pairs, this is a glance, no result.");
    }
    if let Some(path) = &flags.record {
        let text = format!("{}\n{text}", circumstances(workspace));
        fs::write(path, text).with_context(|| format!("writing {}", path.display()))?;
        println!("written to {}", path.display());
    }
    Ok(())
}

/// Apart, so that the relay is built with its own features and no more.
fn build(workspace: &Workspace) -> Result<()> {
    let sh = &workspace.sh;
    cmd!(sh, "cargo build --release --locked -p mjpeg-server").run()?;
    cmd!(sh, "cargo build --release --locked -p benches --bins").run()?;
    Ok(())
}

/// Runs of both sides in turn, so that what changes on the machine meanwhile meets both.
fn measure(
    programs: &Programs,
    case: &Case,
    pairs: usize,
    seconds: u64,
    extra: &[&str],
) -> Result<Vec<(Run, Run)>> {
    let (ours, other) = match case.sides {
        Sides::Reference => (Server::ours(extra), Server::ceiling()),
        Sides::Threads => (threads("2", extra), threads("1", extra)),
    };
    let mut valid = Vec::new();
    for number in 1..=pairs {
        let turn = |server: &Server| -> Result<Option<Run>> {
            for _ in 0..ATTEMPTS {
                let run = programs.run(case, server, seconds)?;
                println!("   {number}/{pairs} {:<9} {}", server.name, run.told());
                match run.void(case) {
                    None => return Ok(Some(run)),
                    Some(why) => println!("   void: {why}"),
                }
            }
            Ok(None)
        };
        // The second has its turn in any case: both sides must have the same past.
        let pair = (turn(&ours)?, turn(&other)?);
        if let (Some(ours), Some(other)) = pair {
            if ours.part_bytes != other.part_bytes {
                bail!(
                    "a part has {} bytes from {}, {} from {}; they do not do the same work",
                    ours.part_bytes,
                    case.sides.names().0,
                    other.part_bytes,
                    case.sides.names().1
                );
            }
            valid.push((ours, other));
        }
    }
    Ok(valid)
}

fn threads(count: &str, extra: &[&str]) -> Server {
    let arguments = [&[THREADS_OPTION, count], extra].concat();
    let name = if count == "1" { "one" } else { "two" };
    Server::ours(&arguments).called(name)
}

/// Where and when it was, for who reads the record.
fn circumstances(workspace: &Workspace) -> String {
    let sh = &workspace.sh;
    let said = |program: &str, arguments: &[&str]| {
        output(sh, program, arguments)
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

const THREADS_OPTION: &str = "--worker-threads";
