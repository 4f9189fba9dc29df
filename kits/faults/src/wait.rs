//! Polling for conditions that send no notification.

pub(crate) use kit::wait::until;
