//! How old the pictures are that viewers on slow links see, and what their slowness costs the others.

mod report;
mod scene;
mod watch;

use std::fs;

use anyhow::{Context as _, Result, bail};

use crate::bench::netns;
use crate::bench::programs::Programs;
use crate::flags::Lag;
use crate::tools::{install_packages, on_path};
use crate::util::Workspace;

/// A server, and what is asked of it.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) told: &'static str,
    pub(crate) server: Server,
    pub(crate) asked: Asked,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Server {
    /// The relay, with more arguments.
    Relay(&'static [&'static str]),
    /// The reference of the load benchmark.
    Bare,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// The ages on slow links, flat memory, and no loss of the fast viewers.
    All,
    /// The fast viewers' part.
    NoLoss,
    Nothing,
}

const CASES: [Case; 3] = [
    Case {
        name: "bounded",
        told: "`TCP_NOTSENT_LOWAT` 16 KiB, the relay's default",
        server: Server::Relay(&[]),
        asked: Asked::All,
    },
    Case {
        name: "bare",
        told: "`fanout_ceiling` in the relay's place, which does nothing but send, with the same 16 KiB: what the machine allows",
        server: Server::Bare,
        asked: Asked::Nothing,
    },
    Case {
        name: "unbounded",
        told: "`TCP_NOTSENT_LOWAT` left to the kernel, by `--notsent-lowat 0`",
        server: Server::Relay(&["--notsent-lowat", "0"]),
        asked: Asked::NoLoss,
    },
];

pub(crate) fn run(workspace: &Workspace, flags: &Lag) -> Result<()> {
    let wanted = flags.case.as_deref();
    let chosen = CASES
        .iter()
        .filter(|case| wanted.is_none_or(|name| name == case.name));
    let chosen: Vec<&Case> = chosen.collect();
    if chosen.is_empty() {
        let names = CASES.map(|case| case.name);
        bail!("no such case; there are: {}", names.join(", "));
    }
    if let Some(why) = lacking(workspace, flags.install)? {
        println!("bench lag: SKIPPED: {why}");
        return Ok(());
    }
    super::build(workspace)?;
    let programs = Programs::new(workspace);
    let seconds = flags.seconds.unwrap_or(DEFAULT_SECONDS).max(1);
    let congestion = flags.congestion.as_deref().unwrap_or(DEFAULT_CONGESTION);
    let mut outcomes = Vec::new();
    for case in chosen {
        println!("== {}: {}, {seconds} s, {congestion}", case.name, case.told);
        let outcome = scene::run(&programs, case, seconds, congestion)?;
        print!("{}", report::told(&outcome));
        outcomes.push(outcome);
    }
    let text = report::tables(&outcomes);
    println!("\n{text}");
    if let Some(path) = &flags.record {
        let text = format!("{}\n{text}", super::circumstances(workspace));
        fs::write(path, text).with_context(|| format!("writing {}", path.display()))?;
        println!("written to {}", path.display());
    }
    crate::util::verdict("bench lag", &report::problems(&outcomes))
}

/// Why it cannot be measured here, if so.
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

/// Linux's own default, whatever this machine's is: figures of one are not those of another.
const DEFAULT_CONGESTION: &str = "cubic";
const DEFAULT_SECONDS: u64 = 600;
