//! Which certificates are trusted.

use std::path::PathBuf;

use bytes::Bytes;

/// Which certificates are trusted.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) enum Trust {
    /// Those of the authorities that this machine trusts.
    #[default]
    System,
    /// These, and no others.
    Pem(Bytes),
    /// Those in this file, and no others.
    File(PathBuf),
    /// Any.
    Anybody,
}
