//! The load benchmark of the HTTP fan-out: which runs it makes, and in which order.

use anyhow::{Result, bail, ensure};
use kit::flags::Fanout;
use kit::workspace::Workspace;

use crate::cases::{self, CASES, Case, Sides};
use crate::circumstances;
use crate::figures::Pair;
use crate::programs::{Programs, Server};
use crate::reference;
use crate::report::{self, Outcome};
use crate::run::Run;
use crate::side::Side;

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
    let extra = flags.server_args.as_deref().unwrap_or_default();
    let extra: Vec<&str> = extra.split_whitespace().collect();
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
    if pairs < DEFAULT_PAIRS {
        println!("With fewer than {DEFAULT_PAIRS} pairs, this is only a rough look, not a result.");
    }
    if let Some(path) = &flags.record {
        circumstances::record(&workspace, path, &text)?;
    }
    Ok(())
}

/// Runs both sides in turn, so that changes on the machine affect both. Returns the valid pairs.
fn measure(
    programs: &Programs,
    case: &Case,
    pairs: usize,
    seconds: u64,
    extra: &[&str],
) -> Result<Vec<Pair>> {
    let (two, one) = (threads("2", extra), threads("1", extra));
    let (our_name, other_name) = case.sides.names();
    let ours = Side::new(our_name, Server::Relay(extra));
    let other = Side::new(other_name, Server::Relay(extra));
    let (ours, other) = match case.sides {
        Sides::Reference => (ours, Side::REFERENCE),
        Sides::Threads => (
            Side::new(our_name, Server::Relay(&two)),
            Side::new(other_name, Server::Relay(&one)),
        ),
        Sides::Requests => {
            let first = Some("/snapshot");
            (Side { first, ..ours }, other)
        }
        Sides::Gateway | Sides::GatewayRequests => {
            let (server, path) = (Server::Gateway(extra), "/load1/");
            let (mut ours, mut other) = (
                Side {
                    server,
                    path,
                    ..ours
                },
                other,
            );
            if case.sides == Sides::GatewayRequests {
                (ours.first, other.first) = (Some("/load1/snapshot"), Some("/snapshot"));
            }
            (ours, other)
        }
        Sides::Cameras => {
            let (server, path) = (Server::Gateway(extra), "/load{n}/");
            (
                Side {
                    server,
                    path,
                    ..ours
                },
                other,
            )
        }
    };
    let mut valid = Vec::new();
    for number in 1..=pairs {
        let turn = |side: &Side<'_>| -> Result<Option<Run>> {
            for _ in 0..ATTEMPTS {
                let run = side.run(programs, case, seconds)?;
                println!("   {number}/{pairs} {:<9} {}", side.name, run.line());
                match run.void(case.fps) {
                    None => return Ok(Some(run)),
                    Some(why) => println!("   void: {why}"),
                }
            }
            Ok(None)
        };
        // Run the second side even if the first gave nothing: both must have the same past.
        if let (Some(ours), Some(other)) = (turn(&ours)?, turn(&other)?) {
            let (our_bytes, other_bytes) = (ours.counts.part_bytes, other.counts.part_bytes);
            ensure!(
                our_bytes == other_bytes,
                "a part has {our_bytes} bytes from {our_name}, {other_bytes} from {other_name}; \
                 they do not do the same work"
            );
            valid.push((ours, other));
        }
    }
    Ok(valid)
}

fn threads<'a>(count: &'a str, extra: &[&'a str]) -> Vec<&'a str> {
    [&[THREADS_OPTION, count], extra].concat()
}

const THREADS_OPTION: &str = "--worker-threads";
/// With fewer pairs the result means little, because a single run is off by up to a quarter.
const DEFAULT_PAIRS: usize = 9;
const DEFAULT_SECONDS: u64 = 10;
/// How often a run is tried until it is valid.
const ATTEMPTS: usize = 3;
