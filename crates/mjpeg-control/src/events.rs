//! Events of all streams: those that were, and those to come.

pub(crate) mod all;
pub(crate) mod ids;
pub(crate) mod log;
pub(crate) mod sse;
