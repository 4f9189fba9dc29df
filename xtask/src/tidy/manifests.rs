//! Manifests: the required entries of each `Cargo.toml`.

use cargo_metadata::{DependencyKind, Package, TargetKind};

use crate::util::{folder, published, targets};

/// A problem for each rule that the package's manifest breaks.
pub(super) fn check(package: &Package, manifest: &str) -> Vec<String> {
    let mut problems = Vec::new();
    if !section(manifest, "lints").any(|line| key(line, "workspace") == Some("true")) {
        let name = &package.name;
        problems.push(format!(
            "{name}: its Cargo.toml lacks `[lints] workspace = true`"
        ));
    }
    problems.extend(dependencies(package));
    if published(package) {
        problems.extend(publishable(package, manifest));
    }
    problems
}

/// A problem for each internal crate without a version in the root manifest. The path is for the
/// workspace, the version for users of the registry.
pub(super) fn root_manifest(manifest: &str) -> Vec<String> {
    let internal = section(manifest, "workspace.dependencies").filter(|l| l.contains("path ="));
    internal
        .filter(|line| !line.contains("version ="))
        .map(|line| format!("Cargo.toml: `{line}` has a path but no version"))
        .collect()
}

fn dependencies(package: &Package) -> Vec<String> {
    let name = &package.name;
    let ours = package.dependencies.iter().filter(|d| d.path.is_some());
    let problem = |d: &cargo_metadata::Dependency| {
        let versioned = d.req.to_string() != "*";
        let testkit = d.name == "mjpeg-testkit";
        match (published(package), d.kind == DependencyKind::Development) {
            // When packaging, cargo removes a dev-dependency that has only a path. One with a
            // version would have to be on the registry.
            (true, true) if testkit && versioned => Some(format!(
                "{name}: its dev-dependency on {} must be by path alone, it is never published",
                d.name
            )),
            (true, false) if !versioned => Some(format!(
                "{name}: its dependency on {} lacks a version; use `{}.workspace = true`",
                d.name, d.name
            )),
            _ => None,
        }
    };
    ours.filter_map(problem).collect()
}

/// A problem for each thing that a crate lacks for publication.
fn publishable(package: &Package, manifest: &str) -> Vec<String> {
    let mut lacks = Vec::new();
    for file in ["README.md", "CHANGELOG.md", "LICENSE-MIT", "LICENSE-APACHE"] {
        let path = folder(package).join(file);
        if !path.is_file() || path.metadata().is_ok_and(|m| m.len() == 0) {
            lacks.push(format!("a {file} (or it is empty)"));
        }
    }
    if package
        .description
        .as_ref()
        .is_none_or(|text| text.is_empty())
    {
        lacks.push("a description in its Cargo.toml".to_owned());
    }
    if !section(manifest, "package").any(|line| key(line, "include").is_some()) {
        lacks.push("`include` in its Cargo.toml".to_owned());
    }
    if targets(package, TargetKind::Example).is_empty() {
        lacks.push("an example in examples/".to_owned());
    }
    lacks
        .into_iter()
        .map(|what| format!("{}: lacks {what}", package.name))
        .collect()
}

/// The lines of one table of a manifest. Parses only as much TOML as our manifests use.
fn section<'t>(manifest: &'t str, table: &str) -> impl Iterator<Item = &'t str> {
    let header = format!("[{table}]");
    let lines = manifest.lines().map(str::trim);
    let inside = lines.skip_while(move |line| *line != header).skip(1);
    inside.take_while(|line| !line.starts_with('['))
}

/// The value in `key = value`.
fn key<'l>(line: &'l str, name: &str) -> Option<&'l str> {
    let value = line.strip_prefix(name)?.trim_start().strip_prefix('=')?;
    Some(value.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = "[package]\nname = \"x\"\ninclude = [\n\"src\"]\n\n[lints]\n\
                            workspace = true\n[features]\nworkspace = []\n";

    #[test]
    fn a_table_ends_where_the_next_begins() {
        let lints: Vec<_> = section(MANIFEST, "lints").collect();
        assert_eq!(lints, ["workspace = true"]);
        assert_eq!(section(MANIFEST, "absent").count(), 0);
    }

    #[test]
    fn keys_are_matched_whole() {
        assert_eq!(key("include = [", "include"), Some("["));
        assert_eq!(key("includes = 1", "include"), None);
    }

    #[test]
    fn an_internal_crate_needs_path_and_version() {
        let manifest = "[workspace.dependencies]\na = { path = \"a\", version = \"0.1\" }\n\
                        b = { path = \"b\" }\nc = \"1\"\n";
        let problems = root_manifest(manifest);
        assert_eq!(problems.len(), 1);
        assert!(problems[0].contains("`b = "));
    }
}
