//! Times in short, and the wait for a condition.

use std::time::Duration;

pub(crate) use kit::wait::until;

pub(crate) const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(crate) const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}
