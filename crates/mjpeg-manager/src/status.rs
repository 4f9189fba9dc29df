//! How a stream is doing, and how it came to that.

pub(crate) mod freeze;
pub(crate) mod info;
pub(crate) mod journal;
pub(crate) mod log;
pub(crate) mod monitor;
pub(crate) mod record;
