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

/// A way to run the relay.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) told: &'static str,
    pub(crate) server_args: &'static [&'static str],
    /// Does what is asked hold for it?
    pub(crate) asked: bool,
}

const CASES: [Case; 2] = [
    Case {
        name: "bounded",
        told: "`TCP_NOTSENT_LOWAT` 16 KiB, the relay's default",
        server_args: &[],
        asked: true,
    },
    Case {
        name: "unbounded",
        told: "`TCP_NOTSENT_LOWAT` left to the kernel, by `--notsent-lowat 0`",
        server_args: &["--notsent-lowat", "0"],
        asked: false,
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
    let mut outcomes = Vec::new();
    for case in chosen {
        println!("== {}: {}, {seconds} s", case.name, case.told);
        let outcome = scene::run(&programs, case, seconds, flags.congestion.as_deref())?;
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

const DEFAULT_SECONDS: u64 = 600;
