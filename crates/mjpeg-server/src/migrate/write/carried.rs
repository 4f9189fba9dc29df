//! A camera that is carried over, ready to be written.

use crate::migrate::{found::FoundCamera, secrets::WrittenSource};

/// A camera that is carried over.
pub(super) struct CarriedCamera<'f> {
    pub(super) camera: &'f FoundCamera,
    pub(super) name: String,
    pub(super) source: WrittenSource,
    pub(super) fallback: Vec<WrittenSource>,
    pub(super) notes: Vec<String>,
}
