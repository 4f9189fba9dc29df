//! The names of files and folders in a store.

/// What is to be known about a job besides its frames.
pub(crate) const JOB_NAME: &str = "job.json";
/// The JPEGs, one after another.
pub(crate) const DATA_NAME: &str = "frames.mjpeg";
/// A record for each of them.
pub(crate) const INDEX_NAME: &str = "index";

/// Locked while a store is open.
pub(crate) const LOCK_NAME: &str = ".lock";
/// The name of a folder that is not a job yet begins with it.
pub(crate) const NEW_PREFIX: &str = ".new-";
/// The name of a folder that is not a job any more begins with it.
pub(crate) const DELETED_PREFIX: &str = ".deleted-";
