//! Chooses the cases, runs them, and prints the results.

use std::{env, fs};

use anyhow::{Result, bail};
use kit::{debian::on_path, flags::Cluster, folder, record, workspace::relay_beside_kit};
use tokio::time::Instant;

use crate::{
    case::{Case, Short},
    cases,
    rig::setting::{LACKS, Setting},
    table,
};

/// Returns whether every figure of every case that ran is within its limit.
pub(crate) async fn run(flags: &Cluster, has_network: bool) -> Result<bool> {
    let seed = flags.seed.unwrap_or(DEFAULT_SEED);
    let chosen = chosen(flags, seed)?;
    if flags.list {
        for case in chosen {
            println!("{:<24} {:>3} {}", case.name, case.rounds, case.injected);
        }
        return Ok(true);
    }
    if let Some(what) = flags
        .without
        .as_deref()
        .filter(|what| !LACKS.contains(what))
    {
        bail!("--without {what}: use one of {}", LACKS.join(", "));
    }
    let folder = folder::lasting("mjpeg-cluster")?;
    let setting = Setting {
        server: relay_beside_kit()?,
        folder: folder.clone(),
        seed,
        without: flags.without.clone(),
        // A debug build, on a machine that runs the checks of several changes at once.
        slack: if flags.short { 2.0 } else { 1.0 },
    };
    let since = Instant::now();
    let (mut outcomes, mut skipped) = (Vec::new(), Vec::new());
    for case in chosen {
        if let Some(lacks) = lacks(has_network) {
            println!("skipped: {}: this needs {lacks}", case.name);
            skipped.push((case.name, lacks.to_owned()));
            continue;
        }
        let outcome = case.run(&setting, rounds(flags, case)).await;
        println!("{}", table::lines(&outcome));
        outcomes.push(outcome);
    }
    let text = table::text(&outcomes, &skipped, seed, since.elapsed());
    println!("\n{text}");
    if let Some(file) = &flags.record {
        record::write(file, "cluster", &text)?;
    }
    let has_failed = outcomes
        .iter()
        .any(|outcome| !outcome.failures().is_empty());
    if has_failed {
        println!("the logs are in {}", folder.display());
    } else {
        fs::remove_dir_all(&folder)?;
    }
    // A machine of CI has all that is needed; if not, nothing has been checked there.
    let must_run = env::var_os("CI").is_some();
    Ok(!has_failed && (skipped.is_empty() || !must_run))
}

/// What the machine does not have, if anything.
fn lacks(has_network: bool) -> Option<&'static str> {
    if !has_network {
        return Some("namespaces (root)");
    }
    (!on_path("etcd")).then_some("etcd (Debian package etcd-server)")
}

fn rounds(flags: &Cluster, case: &Case) -> u32 {
    match flags.rounds {
        _ if flags.short => 1,
        Some(rounds) if case.repeats => rounds.max(1),
        _ => case.rounds,
    }
}

fn chosen(flags: &Cluster, seed: u64) -> Result<Vec<&'static Case>> {
    for name in &flags.case {
        if !cases::all().any(|case| case.name == name) {
            bail!("--case {name}: no such case; --list prints their names");
        }
    }
    let is_named =
        |case: &&Case| flags.case.is_empty() || flags.case.iter().any(|name| name == case.name);
    let named: Vec<_> = cases::all().filter(is_named).collect();
    if !flags.short {
        return Ok(named);
    }
    Ok(short(&named, seed))
}

/// One case that kills and one that cuts, by the seed.
fn short(cases: &[&'static Case], seed: u64) -> Vec<&'static Case> {
    let mut rng = fastrand::Rng::with_seed(seed);
    let kinds = [Short::Kill, Short::Cut];
    let of_kind = |kind| {
        let able: Vec<_> = cases.iter().filter(|case| case.short == kind).collect();
        rng.choice(able).copied()
    };
    kinds.into_iter().filter_map(of_kind).collect()
}

const DEFAULT_SEED: u64 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_form_has_one_kill_and_one_cut_and_seeds_differ() {
        let all: Vec<_> = cases::all().collect();
        let mut seen = Vec::new();
        for seed in 0..32 {
            let short = short(&all, seed);
            let kinds: Vec<_> = short.iter().map(|case| case.short).collect();
            assert_eq!(kinds, [Short::Kill, Short::Cut]);
            seen.extend(short.iter().map(|case| case.name));
        }
        seen.sort_unstable();
        seen.dedup();
        let able = all.iter().filter(|case| case.short != Short::No).count();
        assert_eq!(seen.len(), able, "{seen:?}");
    }

    #[test]
    fn names_of_cases_are_unique() {
        let mut names: Vec<_> = cases::all().map(|case| case.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), cases::all().count());
    }
}
