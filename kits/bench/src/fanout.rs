//! The load benchmark of the HTTP fan-out: which runs it makes, in which order, and their outcome.

use anyhow::{Result, bail};
use kit::flags::Fanout;
use kit::workspace::Workspace;

use crate::cases::{self, CASES, Case, Sides};
use crate::circumstances;
use crate::programs::{Programs, Server};
use crate::reference;
use crate::report::{self, Outcome};
use crate::run::Run;

const DEFAULT_PAIRS: usize = 9;
const DEFAULT_SECONDS: u64 = 10;
/// With fewer pairs the result says nothing, because a single reading is off by up to a quarter.
const PAIRS_WORTH_BELIEVING: usize = 9;
/// How often a run is tried. One whose viewers were the bottleneck tells nothing about the server.
const ATTEMPTS: usize = 3;

pub(crate) fn run(flags: &Fanout) -> Result<()> {
    let workspace = Workspace::from_env()?;
    let chosen = cases::chosen(flags.case.as_deref());
    if chosen.is_empty() {
        let names: Vec<&str> = CASES.iter().map(|case| case.name).collect();
        bail!("no such case; there are: {}", names.join(", "));
    }
    let programs = Programs::build(&workspace)?;
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
        println!("== {}: {}", case.name, case.load());
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
        circumstances::record(&workspace, path, &text)?;
    }
    Ok(())
}

/// Runs both sides in turn, so that what changes on the machine meanwhile affects both.
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
        Sides::Requests => (
            Server::ours(extra)
                .called("second")
                .asked_first("/snapshot"),
            Server::ours(extra).called("first"),
        ),
    };
    let mut valid = Vec::new();
    for number in 1..=pairs {
        let turn = |server: &Server| -> Result<Option<Run>> {
            for _ in 0..ATTEMPTS {
                let run = programs.run(case, server, seconds)?;
                println!("   {number}/{pairs} {:<9} {}", server.name, run.line());
                match run.void(case) {
                    None => return Ok(Some(run)),
                    Some(why) => println!("   void: {why}"),
                }
            }
            Ok(None)
        };
        // The second runs in any case: both sides must have the same past.
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

const THREADS_OPTION: &str = "--worker-threads";
