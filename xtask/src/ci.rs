//! Defines "checked": the steps, the cheapest first. CI runs the same steps as developers.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use xshell::cmd;

use crate::util::{Workspace, files_with};
use crate::{api, consumers, examples, fuzz, kits, layers, schemathesis, tidy, tools};

/// A step's name, and what it runs.
type Step = (&'static str, fn(&Workspace) -> Result<()>);

const STEPS: &[Step] = &[
    ("fmt", fmt),
    ("tidy", tidy::run),
    ("layers", layers::run),
    ("deny", deny),
    ("clippy, each crate alone", clippy_alone),
    ("clippy, workspace", clippy_workspace),
    ("docs", docs),
    ("api", |workspace| api::run(workspace, false)),
    ("corpus", kits::corpus),
    ("tests", tests),
    ("schemathesis", schemathesis::check),
    ("engines", kits::engines),
    ("faults", kits::faults),
    ("cluster", kits::cluster),
    ("doctests", doctests),
    ("examples", examples::run),
    ("benches", benches),
    ("package", consumers::pack),
    ("consumers", consumers::check),
    ("fuzz", fuzz::smoke),
];

pub(crate) fn run(workspace: &Workspace, install: bool, from: Option<&str>) -> Result<()> {
    let steps = steps_from(from)?;
    tools::ensure(&workspace.sh, install)?;
    let mut times = Vec::new();
    for (name, step) in steps {
        println!("== {name}");
        let start = Instant::now();
        let outcome = step(workspace);
        let took = start.elapsed();
        println!("   {:.1} s", took.as_secs_f64());
        times.push((*name, took));
        if outcome.is_err() {
            println!("\n{}", summary(&times));
        }
        outcome.with_context(|| format!("ci stopped: step `{name}` failed"))?;
    }
    println!("\n{}", summary(&times));
    println!("all {} steps passed", steps.len());
    Ok(())
}

fn steps_from(name: Option<&str>) -> Result<&'static [Step]> {
    let Some(name) = name else {
        return Ok(STEPS);
    };
    let names = || STEPS.iter().map(|(name, _)| *name).collect::<Vec<_>>();
    let at = STEPS.iter().position(|(step, _)| *step == name);
    let at = at.with_context(|| format!("no step `{name}`; there are: {}", names().join("; ")))?;
    Ok(&STEPS[at..])
}

fn summary(times: &[(&str, Duration)]) -> String {
    let total = ("in all", times.iter().map(|(_, took)| *took).sum());
    let lines = times.iter().chain([&total]);
    lines
        .map(|(name, took)| format!("{name:<28}{:>8.1} s\n", took.as_secs_f64()))
        .collect()
}

fn fmt(workspace: &Workspace) -> Result<()> {
    let sh = &workspace.sh;
    cmd!(sh, "cargo fmt --all --check")
        .run()
        .context("fix it with `cargo fmt --all`")?;
    // These are outside the workspace, so `cargo fmt` does not find them.
    let mut outside = files_with(&workspace.root().join("fuzz/fuzz_targets"), "rs")?;
    for consumer in sh.read_dir("kits/consumers")? {
        outside.extend(files_with(&consumer.join("src"), "rs")?);
    }
    if !outside.is_empty() {
        cmd!(sh, "rustfmt --check --edition 2024 {outside...}")
            .quiet()
            .run()
            .context("fix it with `rustfmt --edition 2024` on the files named above")?;
    }
    Ok(())
}

/// Without advisories: their database is on another host and changes daily, so a commit could pass
/// today and fail tomorrow. They belong in a scheduled job.
fn deny(workspace: &Workspace) -> Result<()> {
    let sh = &workspace.sh;
    cmd!(sh, "cargo deny --locked check bans licenses sources").run()?;
    Ok(())
}

/// Checks each crate by itself, with each set of features. In a workspace build, features that
/// another crate enables can hide that a crate does not compile for its users.
///
/// Tests, examples and benches, which users do not compile, are checked with the default features
/// only: with all features, the workspace's check has them. Crates that are not published have no
/// users, so the workspace's check is theirs.
fn clippy_alone(workspace: &Workspace) -> Result<()> {
    let sh = &workspace.sh;
    for package in workspace.published() {
        let name = package.name.as_str();
        for (features, targets) in feature_sets(&package.features) {
            cmd!(
                sh,
                "cargo clippy --quiet --package {name} {features...} {targets...} --locked -- -D warnings"
            )
            .run()?;
        }
    }
    Ok(())
}

type Targets = &'static [&'static str];

/// The arguments of each clippy call, for features and for targets: default features, each feature
/// alone, all features.
fn feature_sets(features: &BTreeMap<String, Vec<String>>) -> Vec<(Vec<String>, Targets)> {
    const EVERYTHING: Targets = &["--all-targets"];
    const OF_USERS: Targets = &[];
    // A name that begins with an underscore is not for users.
    let is_public = |name: &&String| *name != "default" && !name.starts_with('_');
    let names: Vec<&String> = features.keys().filter(is_public).collect();
    let all = match *names {
        [] => None,
        [only] => Some(vec!["--features".to_owned(), only.clone()]),
        _ => Some(vec!["--all-features".to_owned()]),
    };
    let alone = names.iter().filter(|_| names.len() > 1).map(|name| {
        let features = vec!["--features".to_owned(), (*name).clone()];
        (features, OF_USERS)
    });
    let mut sets = vec![(Vec::new(), EVERYTHING)];
    sets.extend(alone);
    sets.extend(all.map(|features| (features, OF_USERS)));
    sets
}

fn clippy_workspace(workspace: &Workspace) -> Result<()> {
    let sh = &workspace.sh;
    cmd!(
        sh,
        "cargo clippy --workspace --all-targets --all-features --locked -- -D warnings"
    )
    .run()?;
    Ok(())
}

fn docs(workspace: &Workspace) -> Result<()> {
    let sh = &workspace.sh;
    cmd!(
        sh,
        "cargo doc --workspace --no-deps --all-features --locked"
    )
    .env("RUSTDOCFLAGS", "-D warnings")
    .run()?;
    Ok(())
}

fn tests(workspace: &Workspace) -> Result<()> {
    let sh = &workspace.sh;
    cmd!(sh, "cargo nextest run --workspace --all-features --locked").run()?;
    Ok(())
}

/// A separate step, because nextest does not run doctests.
fn doctests(workspace: &Workspace) -> Result<()> {
    let sh = &workspace.sh;
    cmd!(sh, "cargo test --doc --workspace --all-features --locked").run()?;
    Ok(())
}

/// Runs each benchmark's body once, for its assertions. Nothing is measured.
fn benches(workspace: &Workspace) -> Result<()> {
    let sh = &workspace.sh;
    cmd!(sh, "cargo test --package benches --benches --locked").run()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn features(names: &[&str]) -> BTreeMap<String, Vec<String>> {
        names
            .iter()
            .map(|name| ((*name).to_owned(), Vec::new()))
            .collect()
    }

    #[test]
    fn each_set_of_features_is_checked() {
        let sets = |names: &[&str]| -> Vec<String> {
            let words = |(features, targets): (Vec<String>, Targets)| {
                [features.join(" "), targets.join(" ")].join("|")
            };
            let sets = feature_sets(&features(names));
            sets.into_iter().map(words).collect()
        };
        assert_eq!(sets(&[]), ["|--all-targets"]);
        assert_eq!(
            sets(&["default", "listener"]),
            ["|--all-targets", "--features listener|"]
        );
        assert_eq!(
            sets(&["a", "b"]),
            [
                "|--all-targets",
                "--features a|",
                "--features b|",
                "--all-features|"
            ]
        );
    }

    #[test]
    fn the_summary_ends_with_the_sum() {
        let times = [
            ("fmt", Duration::from_millis(500)),
            ("tests", Duration::from_secs(2)),
        ];
        let text = summary(&times);
        assert_eq!(text.lines().count(), 3);
        assert!(text.lines().last().unwrap().ends_with(" 2.5 s"));
    }

    #[test]
    fn run_may_begin_at_any_step() {
        assert_eq!(steps_from(None).unwrap().len(), STEPS.len());
        assert_eq!(steps_from(Some("fuzz")).unwrap()[0].0, "fuzz");
        let error = steps_from(Some("fuz")).unwrap_err().to_string();
        assert!(error.contains("no step `fuz`; there are: fmt; "), "{error}");
    }

    #[test]
    fn step_names_are_unique() {
        let mut names: Vec<_> = STEPS.iter().map(|(name, _)| *name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), STEPS.len());
    }
}
