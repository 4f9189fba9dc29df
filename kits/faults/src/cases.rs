//! All cases.

mod bytes;
mod camera;
mod http;
mod link;
mod process;
mod requests;
mod viewer;

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

use crate::case::Case;

/// All cases, in the order of the table.
pub(crate) fn all() -> impl Iterator<Item = &'static Case> {
    [
        camera::CASES,
        bytes::CASES,
        link::CASES,
        http::CASES,
        viewer::CASES,
        requests::CASES,
        process::CASES,
    ]
    .into_iter()
    .flatten()
}

/// Measures how long something takes.
async fn timed(what: impl Future<Output = Result<()>>) -> Result<Duration> {
    let since = Instant::now();
    what.await?;
    Ok(since.elapsed())
}

/// Makes pictures on a thread for blocking work: in a debug build, many of them take seconds.
async fn made<T: Send + 'static>(make: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    Ok(tokio::task::spawn_blocking(make).await?)
}

/// Lets a fault last.
async fn last(seconds: u64) {
    sleep(secs(seconds)).await;
}

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A flag that is turned on once, shared by its clones.
#[derive(Clone, Default)]
struct Switch(Arc<AtomicBool>);

impl Switch {
    fn on(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_on(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Waits until it is on.
    async fn wait(&self, limit: Duration) -> Result<()> {
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
