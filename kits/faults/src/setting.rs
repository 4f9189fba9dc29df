//! Settings that all cases share.

use std::path::PathBuf;

/// Which relay is tested, and how.
#[derive(Clone)]
pub(crate) struct Setting {
    /// The program `mjpeg-server`.
    pub(crate) server: PathBuf,
    /// The suite's folder, for logs and other files.
    pub(crate) dir: PathBuf,
    pub(crate) seed: u64,
    /// The protection that the relay lacks, one of [`LACKS`](crate::inside::LACKS).
    pub(crate) without: Option<String>,
}
