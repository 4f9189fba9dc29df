//! The wait before the next attempt.

use std::task::{Context, Poll};

use tokio::time::Instant;

use crate::{control::Commands, timer::Timer};

/// The wait before the next attempt.
pub(crate) struct RetryWait {
    until: Instant,
    timer: Timer,
    /// The count of retry commands when the wait began.
    retries: u64,
}

impl RetryWait {
    /// Begins a wait, after these commands.
    pub(crate) fn new(until: Instant, commands: Commands) -> Self {
        Self {
            until,
            timer: Timer::default(),
            retries: commands.retries,
        }
    }

    /// Waits for the delay, a retry or a pause.
    pub(crate) fn poll(&mut self, commands: Commands, cx: &mut Context<'_>) -> Poll<()> {
        if commands.paused || commands.retries != self.retries {
            return Poll::Ready(());
        }
        self.timer.poll(cx, self.until)
    }
}
