//! Chooses the cases, runs them and prints what they found.

use std::fs;

use anyhow::{Result, bail};
use futures_util::{StreamExt as _, stream};
use kit::{flags::Faults, record, workspace::relay_beside_kit};
use tokio::time::Instant;

use crate::{
    case::{Case, Needs},
    cases, faketime, inside,
    setting::{Setting, own_dir},
    table,
};

/// Whether every case that ran held.
pub(crate) async fn run(flags: &Faults, has_network: bool) -> Result<bool> {
    let chosen = chosen(flags)?;
    if flags.list {
        for case in chosen {
            println!("{:<28} {}", case.name, case.injected);
        }
        return Ok(true);
    }
    if let Some(what) = flags
        .without
        .as_deref()
        .filter(|what| !inside::LACKS.contains(what))
    {
        bail!("--without {what}: {}", inside::LACKS.join(", "));
    }
    let dir = own_dir()?;
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
    // Sorted by the order of the cases, not by when they ended.
    rows.sort_by_key(|row| cases::all().position(|case| case.name == row.case.name));
    let failed = rows.iter().filter(|row| !row.failures.is_empty()).count();
    let text = table::text(&rows, &skipped, setting.seed, since.elapsed());
    println!("\n{text}");
    if let Some(file) = &flags.record {
        record::write(file, "faults", &text)?;
    }
    if failed == 0 {
        // The relays' logs are useful only if something failed.
        fs::remove_dir_all(&dir)?;
    } else {
        println!("what the relays said is in {}", dir.display());
    }
    Ok(failed == 0)
}

/// What the machine lacks for a case, if anything.
fn lacks(needs: Needs, has_network: bool) -> Option<&'static str> {
    match needs {
        Needs::Network if !has_network => Some("namespaces"),
        Needs::Http if !inside::knows_http() => Some("sources of the kind http:// in the relay"),
        Needs::Faketime if faketime::library().is_none() => {
            Some("faketime (Debian package faketime)")
        }
        _ => None,
    }
}

fn chosen(flags: &Faults) -> Result<Vec<&'static Case>> {
    for name in &flags.case {
        if !cases::all().any(|case| case.name == name) {
            bail!("--case {name}: there is none of that name; --list names them");
        }
    }
    let wanted = |case: &&Case| {
        let named = flags.case.is_empty() || flags.case.iter().any(|name| name == case.name);
        named && (case.short || !flags.short)
    };
    Ok(cases::all().filter(wanted).collect())
}

/// Cases that run at once. Most of them wait most of the time.
const AT_ONCE: usize = 4;
const DEFAULT_SEED: u64 = 1;
