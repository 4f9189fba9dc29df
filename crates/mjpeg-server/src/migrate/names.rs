//! Names of streams: valid, and each only once.

use std::collections::BTreeSet;

use mjpeg_manager::{StreamName, mjpeg_http::is_reserved_name};

/// The names that are taken.
#[derive(Default)]
pub(super) struct FreeNames(BTreeSet<String>);

impl FreeNames {
    /// Makes a name that is free of one that another program allows.
    pub(super) fn take(&mut self, wanted: &str) -> String {
        let base = valid(wanted);
        let mut name = base.clone();
        let mut number = 1_usize;
        while is_reserved_name(&name) || self.0.contains(&name) {
            number += 1;
            let end = format!("-{number}");
            let start = base.len().min(MOST_BYTES - end.len());
            name = format!("{}{end}", &base[..start]);
        }
        self.0.insert(name.clone());
        name
    }

    /// Frees a name.
    pub(super) fn give_back(&mut self, name: &str) {
        self.0.remove(name);
    }
}

/// Puts `_` in place of what a name may not have.
fn valid(wanted: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    let plain = wanted.chars().map(|c| if is_plain(c) { c } else { '_' });
    let plain: String = plain.take(MOST_BYTES).collect();
    let name = plain.trim_matches('_');
    match name.parse::<StreamName>() {
        Ok(_) => name.into(),
        Err(_) => "camera".into(),
    }
}

/// The longest name.
const MOST_BYTES: usize = 64;
