//! Test data: each file is used.

use anyhow::Result;
use cargo_metadata::Package;

use crate::util::{files, folder, read};

/// A problem for each test file that no test mentions.
pub(super) fn check(package: &Package) -> Result<Vec<String>> {
    let home = folder(package);
    let data = home.join("tests/data");
    let mut mentions = String::new();
    for path in files(home)? {
        if path.extension().is_some_and(|e| e == "rs" || e == "md") {
            mentions.push_str(&read(&path)?);
        }
    }
    let names = files(&data)?.into_iter().filter_map(|path| {
        let name = path.file_name()?.to_str()?.to_owned();
        (!name.ends_with(".md")).then_some(name)
    });
    let unused = names.filter(|name| !mentions.contains(name.as_str()));
    let unused = unused.map(|name| {
        format!(
            "{}: no .rs or .md file mentions tests/data/**/{name}",
            package.name
        )
    });
    Ok(unused.collect())
}
