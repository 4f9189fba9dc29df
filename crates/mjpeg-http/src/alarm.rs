//! A timer that is cheap to set again and again.

use std::pin::Pin;

use tokio::time::{Instant, Sleep, sleep_until};

/// Made at first use; most viewers never need one.
#[derive(Default)]
pub(crate) struct Alarm(Option<Pin<Box<Sleep>>>);

impl Alarm {
    /// Waits until a time; for ever without one.
    ///
    /// One set too early is left to ring in vain: at thirty frames a second that costs less than to set it anew for each.
    pub(crate) async fn until(&mut self, at: Option<Instant>) {
        let Some(at) = at else {
            return std::future::pending().await;
        };
        let timer = self.0.get_or_insert_with(|| Box::pin(sleep_until(at)));
        loop {
            if timer.deadline() > at || timer.is_elapsed() {
                timer.as_mut().reset(at);
            }
            timer.as_mut().await;
            if Instant::now() >= at {
                return;
            }
        }
    }
}
