//! What a viewer is started with.

use std::path::PathBuf;

/// The arguments of one viewer.
pub(crate) struct Launch {
    pub(crate) url: String,
    /// A folder of the viewer's own, empty at first.
    pub(crate) folder: PathBuf,
    /// The Python that has the modules.
    pub(crate) python: String,
    /// Whether the kit runs as root.
    pub(crate) root: bool,
}
