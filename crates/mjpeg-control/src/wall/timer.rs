//! A timer that is cheap to set again and again.

use std::pin::Pin;

use tokio::time::{Instant, Sleep, sleep_until};

/// A timer that is set anew only when it is to fire earlier than before.
#[derive(Default)]
pub(crate) struct WallTimer(Option<Pin<Box<Sleep>>>);

impl WallTimer {
    /// Waits until this time, or a little less: an early timer is left to fire.
    pub(crate) async fn until(&mut self, at: Instant) {
        let timer = self.0.get_or_insert_with(|| Box::pin(sleep_until(at)));
        if timer.deadline() > at || timer.is_elapsed() {
            timer.as_mut().reset(at);
        }
        timer.as_mut().await;
    }
}
