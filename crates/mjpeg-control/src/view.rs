//! What the API shows of things, as JSON.

pub(crate) mod event;
pub(crate) mod link;
pub(crate) mod probe;
#[cfg(feature = "replay")]
pub(crate) mod recording;
pub(crate) mod relay;
pub(crate) mod stream;
pub(crate) mod viewer;
