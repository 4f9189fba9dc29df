//! A timer that is cheap to set again and again.

use std::pin::Pin;

use tokio::time::{Instant, Sleep, sleep_until};

/// A timer that allocates nothing until it is first needed; most viewers never need one.
#[derive(Default)]
pub(crate) struct LazySleep(Option<Pin<Box<Sleep>>>);

impl LazySleep {
    /// Waits until this time, or forever without one.
    ///
    /// An early timer is left to fire: at thirty frames a second, a spurious wake-up is cheaper
    /// than re-arming the timer per frame.
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
