//! Dependencies point one way. Two checks hold it: the direct edges between workspace crates, and
//! what a crate must not reach through any path, counted with its default features.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};
use cargo_metadata::{Dependency, DependencyKind};
use xshell::cmd;

use crate::util::{Workspace, verdict};

/// Which workspace crates one may name in `[dependencies]`.
struct Edges {
    of: &'static str,
    always: &'static [&'static str],
    /// Only as an optional dependency, so that default features do without.
    optional: &'static [&'static str],
    why: &'static str,
}

const TESTKIT: &str = "mjpeg-testkit";
/// Tooling, bound by no layer.
const TOOLING: &[&str] = &["benches", "engines", "faults", "xtask"];

const EDGES: &[Edges] = &[
    Edges {
        of: "mjpeg-codec",
        always: &[],
        optional: &[],
        why: "the codec is the ground floor: pure, usable alone in any capture pipeline",
    },
    Edges {
        of: "mjpeg-picture",
        always: &[],
        optional: &[],
        why: "drawing pictures needs nothing of the relay",
    },
    Edges {
        of: TESTKIT,
        always: &[],
        optional: &[],
        why: "a test kit that uses our crates makes their types appear twice in unit tests",
    },
    Edges {
        of: "mjpeg-fanout",
        always: &["mjpeg-codec"],
        optional: &[],
        why: "the fan-out hands on frames; where they come from and who looks is not its business",
    },
    Edges {
        of: "mjpeg-ingest",
        always: &["mjpeg-codec"],
        optional: &["mjpeg-picture"],
        why: "ingest ends where a frame is captured; it knows no viewers, and draws only by its feature `test-picture`",
    },
    Edges {
        of: "mjpeg-http",
        always: &["mjpeg-codec", "mjpeg-fanout"],
        optional: &[],
        why: "serving frames must work for any source of frames, not only for our ingest",
    },
    Edges {
        of: "mjpeg-manager",
        always: &["mjpeg-codec", "mjpeg-fanout", "mjpeg-ingest"],
        optional: &["mjpeg-http", "mjpeg-picture"],
        why: "the registry runs without HTTP unless its feature `listener` asks for it, and draws only by its feature `placeholder`",
    },
    Edges {
        of: "mjpeg-server",
        always: &[
            "mjpeg-codec",
            "mjpeg-fanout",
            "mjpeg-http",
            "mjpeg-ingest",
            "mjpeg-manager",
            "mjpeg-picture",
        ],
        optional: &[],
        why: "the server wires everything that is published, and only that",
    },
];

/// Everything that the codec may depend on. With nothing else in it, it can do IO only through the
/// standard library, whose clocks and sleep its `clippy.toml` bans.
const SANS_IO: SansIo = SansIo {
    of: "mjpeg-codec",
    always: &["bytes", "memchr", "thiserror"],
    optional: &["tokio-util"],
};

/// The dependencies of a crate that does no IO.
struct SansIo {
    of: &'static str,
    always: &'static [&'static str],
    /// Only as an optional dependency: a feature that implements another crate's trait.
    optional: &'static [&'static str],
}

/// Crates that some of ours must not reach, through whatever path, with default features.
struct Unreachable {
    from: &'static [&'static str],
    forbidden: &'static [&'static str],
    why: &'static str,
}

const UNREACHABLE: &[Unreachable] = &[
    Unreachable {
        from: &["mjpeg-codec"],
        forbidden: &[
            "tokio",
            "mio",
            "hyper",
            "socket2",
            "async-trait",
            "futures-util",
            "http",
            "fastrand",
            "rand",
            "getrandom",
        ],
        why: "the codec is sans-IO: no runtime, no sockets, no randomness",
    },
    Unreachable {
        from: &["mjpeg-fanout"],
        forbidden: &[
            "mio",
            "socket2",
            "hyper",
            "http",
            "mjpeg-ingest",
            "mjpeg-http",
        ],
        why: "the fan-out knows neither sockets nor HTTP nor where frames come from",
    },
    Unreachable {
        from: &["mjpeg-ingest"],
        forbidden: &["hyper", "http", "mjpeg-fanout", "mjpeg-http"],
        why: "ingest and HTTP do not know one another; ingest knows no viewers",
    },
    Unreachable {
        from: &["mjpeg-http"],
        forbidden: &["mjpeg-ingest"],
        why: "ingest and HTTP do not know one another; the manager brings them together",
    },
    Unreachable {
        from: &["mjpeg-manager"],
        forbidden: &["hyper", "http", "mjpeg-http"],
        why: "HTTP comes into the manager only by its feature `listener`",
    },
    Unreachable {
        from: &[
            "mjpeg-codec",
            "mjpeg-fanout",
            "mjpeg-ingest",
            "mjpeg-http",
            "mjpeg-manager",
        ],
        forbidden: &["mjpeg-picture"],
        why: "relaying a camera's frames needs no picture of our own",
    },
    Unreachable {
        from: &[
            "mjpeg-codec",
            "mjpeg-fanout",
            "mjpeg-ingest",
            "mjpeg-http",
            "mjpeg-manager",
            "mjpeg-picture",
        ],
        forbidden: &["clap", "anyhow", "serde", "tracing-subscriber"],
        why: "command line, untyped errors, serialisation and log output belong to the program; \
              only mjpeg-server may bring them",
    },
];

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
                // An inverted tree is the shortest proof: it starts at the intruder and ends at us.
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

/// A new member must be placed in the table before it may have edges.
fn missing_rules(names: &BTreeSet<&str>) -> Vec<String> {
    let placed = |name: &str| TOOLING.contains(&name) || EDGES.iter().any(|e| e.of == name);
    let unplaced = names.iter().filter(|name| !placed(name));
    unplaced
        .map(|name| {
            format!("{name} has no place in the table EDGES of xtask/src/layers.rs; give it one")
        })
        .collect()
}

/// The rule for one direct edge; `None` when the edge is allowed.
fn check_edge(edge: &Edge<'_>) -> Option<String> {
    let Edge { from, to, .. } = *edge;
    if TOOLING.contains(&from) || (edge.dev && to == TESTKIT && from != TESTKIT) {
        return None;
    }
    let rule = EDGES.iter().find(|rule| rule.of == from)?;
    if rule.always.contains(&to) {
        return None;
    }
    // Tests may use what some feature brings, but nothing that no feature of the crate knows:
    // otherwise a layer leaks in through its examples.
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

/// The rule for a crate that does no IO; `None` when the dependency is on its list, or for tests only.
fn check_sans_io(from: &str, dependency: &Dependency) -> Option<String> {
    let dev = dependency.kind == DependencyKind::Development;
    if from != SANS_IO.of || dev {
        return None;
    }
    sans_io_refuses(dependency.name.as_str(), dependency.optional)
}

/// Returns why [`SANS_IO`] does not allow a dependency; `None` if it does.
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

/// Names of everything `package` needs with default features, on any platform.
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

/// Which of `forbidden` occur in the lines of `cargo tree --prefix none` ("name v1.2.3 …").
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
    fn edges_that_point_down_are_allowed() {
        for (from, to) in [
            ("mjpeg-fanout", "mjpeg-codec"),
            ("mjpeg-http", "mjpeg-fanout"),
            ("mjpeg-manager", "mjpeg-ingest"),
            ("mjpeg-server", "mjpeg-picture"),
            ("benches", "mjpeg-http"),
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
    fn the_codec_takes_tokio_util_only_as_an_option() {
        assert!(sans_io_refuses("bytes", false).is_none());
        assert!(sans_io_refuses("tokio-util", true).is_none());
        assert!(sans_io_refuses("tokio-util", false).is_some());
        assert!(sans_io_refuses("tokio", true).is_some());
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
    }

    #[test]
    fn a_crate_without_a_place_is_named() {
        let names = BTreeSet::from(["mjpeg-codec", "xtask", "mjpeg-control"]);
        let problems = missing_rules(&names);
        assert_eq!(problems.len(), 1);
        assert!(problems[0].starts_with("mjpeg-control "));
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
