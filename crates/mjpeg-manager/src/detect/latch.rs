//! A condition that must hold for a while.

use std::time::Duration;

use tokio::time::Instant;

/// Is on from when something has been so for a while, until the opposite has been so for a while.
#[derive(Debug, Default)]
pub(crate) struct Latch {
    is_on: bool,
    /// Since when the picture contradicts it.
    since: Option<Instant>,
}

impl Latch {
    /// Takes in what a picture shows: whether the condition begins, and whether it ends. Between
    /// the two, nothing changes. Returns whether it is on.
    pub(crate) fn look(
        &mut self,
        (begins, ends): (bool, bool),
        (begins_after, ends_after): (Duration, Duration),
        now: Instant,
    ) -> bool {
        let (contradicts, after) = match self.is_on {
            true => (ends, ends_after),
            false => (begins, begins_after),
        };
        if !contradicts {
            self.since = None;
            return self.is_on;
        }
        let since = *self.since.get_or_insert(now);
        if now.saturating_duration_since(since) >= after {
            self.is_on = !self.is_on;
            self.since = None;
        }
        self.is_on
    }
}
