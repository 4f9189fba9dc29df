//! How a relay's process is started.

use std::collections::BTreeMap;

/// What differs from one relay under test to another.
#[derive(Clone, Debug, Default)]
pub(crate) struct Launch {
    /// The limit of open files, if not the suite's own.
    pub(crate) most_files: Option<u32>,
    pub(crate) env: BTreeMap<&'static str, String>,
}
