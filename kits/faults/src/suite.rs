//! Chooses the cases, runs them, and prints the results.

use std::fs;

use anyhow::{Result, bail};
use futures_util::{StreamExt as _, stream};
use kit::{flags::Faults, folder, record, workspace::relay_beside_kit};
use tokio::time::Instant;

use crate::{
    case::{Case, Needs},
    cases, faketime, inside,
    setting::Setting,
    table,
};

/// Returns whether every case that ran has passed.
pub(crate) async fn run(flags: &Faults, has_network: bool) -> Result<bool> {
    let chosen = chosen(flags)?;
    if flags.list {
        for case in chosen {
            let limit = format!("{:?}", case.limit);
            println!("{:<28} {limit:>5} {}", case.name, case.injected);
        }
        return Ok(true);
    }
    if let Some(what) = flags
        .without
        .as_deref()
        .filter(|what| !inside::LACKS.contains(what))
    {
        bail!("--without {what}: use one of {}", inside::LACKS.join(", "));
    }
    let dir = folder::lasting("mjpeg-faults")?;
    let setting = Setting {
        server: relay_beside_kit()?,
        dir: dir.clone(),
        seed: flags.seed.unwrap_or(DEFAULT_SEED),
        without: flags.without.clone(),
    };
    let since = Instant::now();
    let mut skipped = Vec::new();
    let able = chosen.into_iter().filter(|case| {
        let lacks = lacks(case.needs, has_network);
        if let Some(lacks) = lacks {
            println!("skipped: {}: this needs {lacks}", case.name);
            skipped.push((case.name, lacks));
        }
        lacks.is_none()
    });
    let (alone, together): (Vec<_>, Vec<_>) = able.partition(|case| case.alone);
    let mut rows = Vec::new();
    for (cases, at_once) in [(together, AT_ONCE), (alone, 1)] {
        let running = cases.into_iter().map(|case| case.run(&setting));
        let mut running = stream::iter(running).buffer_unordered(at_once);
        while let Some(row) = running.next().await {
            println!("{}", table::line(&row));
            rows.push(row);
        }
    }
    // In the order of the list, not in that in which they ended.
    rows.sort_by_key(|row| cases::all().position(|case| case.name == row.case.name));
    let failed = rows.iter().filter(|row| !row.failures.is_empty()).count();
    let text = table::text(&rows, &skipped, setting.seed, since.elapsed());
    println!("\n{text}");
    if let Some(file) = &flags.record {
        record::write(file, "faults", &text)?;
    }
    if failed == 0 {
        // The logs are of use only if a case has failed.
        fs::remove_dir_all(&dir)?;
    } else {
        println!("the relays' logs are in {}", dir.display());
    }
    Ok(failed == 0)
}

/// Returns what a case needs and the machine or the build does not have, if anything.
fn lacks(needs: Needs, has_network: bool) -> Option<&'static str> {
    match needs {
        Needs::Network if !has_network => Some("namespaces"),
        Needs::Http if !inside::knows_http() => Some("http:// sources in the relay"),
        Needs::Faketime if faketime::library().is_none() => {
            Some("faketime (Debian package faketime)")
        }
        _ => None,
    }
}

fn chosen(flags: &Faults) -> Result<Vec<&'static Case>> {
    for name in &flags.case {
        if !cases::all().any(|case| case.name == name) {
            bail!("--case {name}: no such case; --list prints their names");
        }
    }
    let wanted = |case: &&Case| {
        let named = flags.case.is_empty() || flags.case.iter().any(|name| name == case.name);
        named && (case.short || !flags.short)
    };
    Ok(cases::all().filter(wanted).collect())
}

/// How many cases run at once. They mostly wait.
const AT_ONCE: usize = 4;
const DEFAULT_SEED: u64 = 1;
