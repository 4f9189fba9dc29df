//! What a request asks for.

pub(crate) mod forwarded;
pub(crate) mod query;
pub(crate) mod relay;
pub(crate) mod route;
pub(crate) mod snapshot;
pub(crate) mod stream;
