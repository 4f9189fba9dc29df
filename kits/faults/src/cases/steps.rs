//! Steps that several cases share.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::Result;
use tokio::time::{Instant, sleep};

/// Measures how long something takes.
pub(super) async fn timed(what: impl Future<Output = Result<()>>) -> Result<Duration> {
    let since = Instant::now();
    what.await?;
    Ok(since.elapsed())
}

/// Makes pictures on a thread for blocking work: in a debug build, many of them take seconds.
pub(super) async fn made<T: Send + 'static>(
    make: impl FnOnce() -> T + Send + 'static,
) -> Result<T> {
    Ok(tokio::task::spawn_blocking(make).await?)
}

/// Lets a fault last.
pub(super) async fn last(seconds: u64) {
    sleep(secs(seconds)).await;
}

pub(super) const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A flag that is turned on once, shared by its clones.
#[derive(Clone, Default)]
pub(super) struct Switch(Arc<AtomicBool>);

impl Switch {
    pub(super) fn on(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_on(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Waits until it is on.
    pub(super) async fn wait(&self, limit: Duration) -> Result<()> {
        let since = Instant::now();
        while !self.is_on() {
            anyhow::ensure!(
                since.elapsed() < limit,
                "the fault is not over after {limit:?}"
            );
            sleep(Duration::from_millis(1)).await;
        }
        Ok(())
    }
}
