//! What a request asks for.

pub(crate) mod forwarded;
pub(crate) mod query;
pub(crate) mod relay;
#[cfg(feature = "replay")]
pub(crate) mod replay;
pub(crate) mod route;
pub(crate) mod snapshot;
pub(crate) mod stream;
