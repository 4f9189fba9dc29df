//! Dependencies point one way. Two checks ensure this: of the direct edges between workspace
//! crates, and of crates that some of ours must not reach by any path, with default features.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};
use cargo_metadata::{Dependency, DependencyKind};
use xshell::cmd;

use crate::layers::rules::{EDGES, SANS_IO, SansIo, TESTKIT, TOOLING, UNREACHABLE, XTASK};
use crate::util::{Workspace, verdict};

mod rules;

/// A dependency of one workspace crate on another.
struct Edge<'a> {
    from: &'a str,
    to: &'a str,
    dev: bool,
    optional: bool,
}

pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let members = workspace.members();
    let names: BTreeSet<&str> = members.iter().map(|p| p.name.as_str()).collect();
    let mut problems = missing_rules(&names);
    for package in &members {
        for dependency in &package.dependencies {
            if let Some(problem) = check_sans_io(&package.name, dependency) {
                problems.push(problem);
            }
            if dependency.path.is_none() || !names.contains(dependency.name.as_str()) {
                continue;
            }
            let edge = Edge {
                from: &package.name,
                to: &dependency.name,
                dev: dependency.kind == DependencyKind::Development,
                optional: dependency.optional,
            };
            problems.extend(check_edge(&edge));
        }
    }
    for rule in UNREACHABLE {
        for &from in rule.from.iter().filter(|from| names.contains(*from)) {
            let tree = tree(workspace, from)?;
            for forbidden in reached(&tree, rule.forbidden) {
                // The inverted tree is the shortest proof. It starts at the forbidden crate.
                let sh = &workspace.sh;
                let path = cmd!(
                    sh,
                    "cargo tree --locked --target all -e normal -p {from} -i {forbidden}"
                )
                .quiet()
                .read()
                .unwrap_or_else(|error| format!("({error})"));
                problems.push(format!(
                    "{from} reaches {forbidden}\n  why not: {}\n  the path, from {forbidden} up:\n{}",
                    rule.why,
                    indent(&path),
                ));
            }
        }
    }
    verdict("layers", &problems)
}

/// A problem for each member that is not in the table of edges.
fn missing_rules(names: &BTreeSet<&str>) -> Vec<String> {
    let placed = |name: &str| TOOLING.contains(&name) || EDGES.iter().any(|e| e.of == name);
    let unplaced = names.iter().filter(|name| !placed(name));
    unplaced
        .map(|name| {
            format!(
                "{name} has no place in the table EDGES of xtask/src/layers/rules.rs; give it one"
            )
        })
        .collect()
}

/// The problem with a direct edge. `None` if it is allowed.
fn check_edge(edge: &Edge<'_>) -> Option<String> {
    let Edge { from, to, .. } = *edge;
    let tests = edge.dev && to == TESTKIT && ![TESTKIT, XTASK].contains(&from);
    if TOOLING.contains(&from) || tests {
        return None;
    }
    let rule = EDGES.iter().find(|rule| rule.of == from)?;
    if rule.always.contains(&to) {
        return None;
    }
    // Tests and examples may use what one of the crate's features enables, and nothing else. Else
    // they could depend on a layer above.
    if rule.optional.contains(&to) && (edge.optional || edge.dev) {
        return None;
    }
    let how = if edge.dev {
        "dev-dependency"
    } else {
        "dependency"
    };
    let allowed = match (rule.always, rule.optional) {
        ([], []) => "no workspace crate".to_owned(),
        (always, []) => always.join(", "),
        (always, optional) => format!("{}; optional: {}", always.join(", "), optional.join(", ")),
    };
    Some(format!(
        "{from} has a {how} on {to}\n  why not: {}\n  allowed: {allowed}",
        rule.why
    ))
}

/// The problem with a dependency of the crate that does no IO. `None` if it is allowed.
fn check_sans_io(from: &str, dependency: &Dependency) -> Option<String> {
    let dev = dependency.kind == DependencyKind::Development;
    if from != SANS_IO.of || dev {
        return None;
    }
    sans_io_refuses(dependency.name.as_str(), dependency.optional)
}

/// Why [`SANS_IO`] does not allow a dependency. `None` if it does.
fn sans_io_refuses(name: &str, optional: bool) -> Option<String> {
    let SansIo {
        of,
        always,
        optional: by_feature,
    } = SANS_IO;
    if always.contains(&name) || (optional && by_feature.contains(&name)) {
        return None;
    }
    Some(format!(
        "{of} has a dependency on {name}\n  why not: it stays sans-IO by its list of dependencies\n  allowed: {}; optional: {}",
        always.join(", "),
        by_feature.join(", ")
    ))
}

/// The names of all dependencies of `package` with default features, on all platforms.
fn tree(workspace: &Workspace, package: &str) -> Result<String> {
    let sh = &workspace.sh;
    cmd!(
        sh,
        "cargo tree --locked --target all -e normal --prefix none -p {package}"
    )
    .quiet()
    .read()
    .with_context(|| format!("listing what {package} depends on"))
}

/// The `forbidden` crates that occur in the output of `cargo tree --prefix none` ("name v1.2.3 …").
fn reached<'f>(tree: &str, forbidden: &[&'f str]) -> Vec<&'f str> {
    let names: BTreeSet<&str> = tree.lines().filter_map(|l| l.split(' ').next()).collect();
    let found = forbidden.iter().filter(|name| names.contains(*name));
    found.copied().collect()
}

fn indent(text: &str) -> String {
    text.lines().map(|line| format!("    {line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge(from: &'static str, to: &'static str) -> Edge<'static> {
        Edge {
            from,
            to,
            dev: false,
            optional: false,
        }
    }

    #[test]
    fn the_codec_takes_tokio_util_only_as_an_option() {
        assert!(sans_io_refuses("bytes", false).is_none());
        assert!(sans_io_refuses("tokio-util", true).is_none());
        assert!(sans_io_refuses("tokio-util", false).is_some());
        assert!(sans_io_refuses("tokio", true).is_some());
    }

    #[test]
    fn edges_that_point_down_are_allowed() {
        for (from, to) in [
            ("mjpeg-fanout", "mjpeg-codec"),
            ("mjpeg-http", "mjpeg-fanout"),
            ("mjpeg-manager", "mjpeg-ingest"),
            ("mjpeg-server", "mjpeg-picture"),
            ("benches", "mjpeg-http"),
            ("corpus", "mjpeg-codec"),
            ("faults", "kit"),
        ] {
            assert!(check_edge(&edge(from, to)).is_none(), "{from} -> {to}");
        }
    }

    #[test]
    fn edges_that_point_up_or_sideways_are_refused_with_the_reason() {
        for (from, to) in [
            ("mjpeg-codec", "mjpeg-fanout"),
            ("mjpeg-http", "mjpeg-ingest"),
            ("mjpeg-ingest", "mjpeg-http"),
            ("mjpeg-ingest", "mjpeg-fanout"),
            ("mjpeg-manager", "mjpeg-picture"),
            ("mjpeg-server", "mjpeg-testkit"),
            ("mjpeg-testkit", "mjpeg-codec"),
            ("xtask", "mjpeg-codec"),
            ("xtask", "kit"),
            ("kit", "mjpeg-testkit"),
        ] {
            let problem = check_edge(&edge(from, to)).unwrap();
            assert!(problem.contains(from) && problem.contains(to), "{problem}");
            assert!(problem.contains("why not: "), "{problem}");
        }
    }

    #[test]
    fn the_manager_takes_http_only_as_an_option() {
        let firm = edge("mjpeg-manager", "mjpeg-http");
        assert!(check_edge(&firm).is_some());
        assert!(
            check_edge(&Edge {
                optional: true,
                ..firm
            })
            .is_none()
        );
    }

    #[test]
    fn tests_may_use_the_test_kit_but_no_foreign_layer() {
        let dev = |from, to| Edge {
            dev: true,
            ..edge(from, to)
        };
        assert!(check_edge(&dev("mjpeg-codec", "mjpeg-testkit")).is_none());
        assert!(check_edge(&dev("mjpeg-http", "mjpeg-ingest")).is_some());
        assert!(check_edge(&dev("mjpeg-testkit", "mjpeg-codec")).is_some());
        assert!(check_edge(&dev("xtask", "mjpeg-testkit")).is_some());
    }

    #[test]
    fn a_crate_without_a_place_is_named() {
        let names = BTreeSet::from(["mjpeg-codec", "xtask", "mjpeg-new"]);
        let problems = missing_rules(&names);
        assert_eq!(problems.len(), 1);
        assert!(problems[0].starts_with("mjpeg-new "));
    }

    #[test]
    fn names_are_matched_whole() {
        let tree = "mjpeg-codec v0.1.0 (/x)\ntokio-macros v2.0.0 (proc-macro)\nbytes v1.0.0 (*)";
        assert!(reached(tree, &["tokio", "byte"]).is_empty());
        assert_eq!(reached(tree, &["bytes", "tokio"]), ["bytes"]);
    }

    #[test]
    fn rules_name_only_crates_that_have_a_place() {
        for from in UNREACHABLE.iter().flat_map(|rule| rule.from) {
            assert!(EDGES.iter().any(|e| e.of == *from), "{from}");
        }
    }
}
