//! Checks manifests, imports, type names, sizes, comments, log lines, docs and test data.

mod attributes;
mod comments;
mod cycles;
mod files;
mod fixtures;
mod functions;
mod lines;
mod log_lines;
mod manifests;
mod modules;
mod pages;
mod readmes;
mod root_paths;
mod type_names;
mod unsafe_code;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use cargo_metadata::{Package, TargetKind};

use crate::examples;
use crate::tidy::lines::Lines;
use crate::tidy::log_lines::LogLines;
use crate::tidy::modules::Modules;
use crate::tidy::type_names::TypeNames;
use crate::util::{Workspace, files_with, folder, read, targets, verdict};

pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let root = workspace.root();
    let members = workspace.members();
    let mut problems = manifests::root_manifest(&read(&root.join("Cargo.toml"))?);
    problems.extend(readmes::check(workspace, &members)?);
    let mut exempt: Vec<_> = functions::EXEMPT.iter().collect();
    let mut type_names = TypeNames::default();
    let mut log_lines = LogLines::default();
    for package in &members {
        let manifest = read(package.manifest_path.as_std_path())?;
        problems.extend(manifests::check(package, &manifest));
        let is_product = folder(package).starts_with(root.join("crates"));
        for path in files_with(&folder(package).join("src"), "rs")? {
            let (file, text) = (shown(root, &path), read(&path)?);
            problems.extend(files::check(&file, &text, is_product));
            problems.extend(unsafe_code::check(&file, &text));
            if is_product {
                problems.extend(functions::check(&file, &text, &mut exempt));
                type_names.add(&package.name, &file, &text);
                log_lines.add(&file, &text);
            }
        }
        if is_product {
            problems.extend(imports(root, package));
        }
        problems.extend(fixtures::check(package)?);
    }
    problems.extend(functions::unused(&exempt));
    problems.extend(type_names.check());
    problems.extend(log_lines.check(&read(&root.join(log_lines::PAGE))?));
    let examples = members.iter().flat_map(|package| {
        let examples = targets(package, TargetKind::Example);
        examples.into_iter().map(|e| (package.name.as_str(), e))
    });
    problems.extend(examples::clashes(examples));
    let mut sources = pages::Sources::default();
    for path in rust_files(root)? {
        let (file, text) = (shown(root, &path), read(&path)?);
        problems.extend(comments::check(&file, &text));
        sources.add(&file, &text);
    }
    problems.extend(pages::check(root, &sources)?);
    verdict("tidy", &problems)
}

/// Prints the number of Rust lines, by crate or folder.
pub(crate) fn print_lines(workspace: &Workspace) -> Result<()> {
    let root = workspace.root();
    let mut lines = Lines::default();
    for path in rust_files(root)? {
        lines.add(&shown(root, &path), &read(&path)?);
    }
    lines.print();
    Ok(())
}

/// Checks a crate's imports. Sources that cannot be parsed are a problem like others, so that the
/// remaining checks still run.
fn imports(root: &Path, package: &Package) -> Vec<String> {
    let shown = shown(root, folder(package));
    let modules = modules::sources(folder(package)).and_then(|sources| Modules::parse(&sources));
    match modules {
        Ok(modules) => {
            let mut problems = cycles::check(&shown, &modules);
            problems.extend(root_paths::check(&shown, &modules));
            problems
        }
        Err(error) => vec![format!("{shown}: {error:#}")],
    }
}

/// All Rust sources below `folder`, including those outside the workspace (fuzz targets,
/// consumers).
fn rust_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let entries = fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            // Build directories contain code that is not ours.
            if name != "target" && !name.starts_with('.') {
                found.extend(rust_files(&path)?);
            }
        } else if name.ends_with(".rs") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn shown(root: &Path, path: &Path) -> String {
    path.strip_prefix(root)
        .unwrap_or(path)
        .display()
        .to_string()
}
