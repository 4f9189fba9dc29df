//! What streams that keep their last pictures cost.

mod beside;
mod clips;
mod memory;
mod rate;
mod row;
mod scene;

use anyhow::{Result, bail, ensure};
use kit::flags::Replay;
use kit::workspace::Workspace;

use crate::circumstances;
use crate::programs::Programs;
use crate::replay::row::table;

pub(crate) fn run(flags: &Replay) -> Result<()> {
    let wanted = flags.case.as_deref();
    if let Some(name) = wanted.filter(|name| !CASES.contains(name)) {
        bail!("no case {name}; there are: {}", CASES.join(", "));
    }
    let workspace = Workspace::from_env()?;
    let programs = Programs::build(&workspace)?;
    let mut rows = Vec::new();
    for case in CASES {
        if wanted.is_some_and(|name| name != case) {
            continue;
        }
        println!("== {case}");
        rows.extend(match case {
            "memory" => memory::measure(&programs)?,
            "rate" => rate::measure(&programs)?,
            _ => beside::measure(&programs, flags.pairs.unwrap_or(DEFAULT_PAIRS).max(1))?,
        });
    }
    let text = table(&rows);
    println!("\n{text}");
    if let Some(path) = &flags.record {
        circumstances::record(&workspace, path, &text)?;
    }
    let missed = rows.iter().filter(|row| !row.holds()).count();
    ensure!(
        missed == 0,
        "{missed} requirement(s) do not hold, see above"
    );
    Ok(())
}

const CASES: [&str; 3] = ["memory", "rate", "beside"];
const DEFAULT_PAIRS: usize = 7;
