//! The policy for cameras that are polled: decisions without IO, to which the time is passed.

pub(in crate::source) mod answer;
pub(super) mod rhythm;
