//! The answers.

pub(crate) mod body;
#[cfg(feature = "replay")]
pub(crate) mod clip;
pub(crate) mod future;
pub(crate) mod head;
pub(crate) mod mjpeg_body;
pub(crate) mod referrer;
pub(crate) mod short;
pub(crate) mod snapshot;
#[cfg(feature = "compat")]
pub(crate) mod state;
pub(crate) mod wire;
