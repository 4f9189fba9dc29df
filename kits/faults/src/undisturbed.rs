//! A runtime of one thread for undamaged cameras, and for viewers that count. Faults keep the other
//! threads of the suite busy, and would delay them.

use std::sync::LazyLock;

use anyhow::{Context as _, Result};
use tokio::{
    runtime::{Builder, Runtime},
    task::JoinHandle,
};

/// Runs a future there, and waits for it. What it spawns runs there too.
pub(crate) async fn run<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> Result<T> {
    spawn(work).await.context("a task of the suite")
}

/// Starts a task there.
pub(crate) fn spawn<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> JoinHandle<T> {
    RUNTIME.spawn(work)
}

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let mut builder = Builder::new_multi_thread();
    let runtime = builder.worker_threads(1).enable_all().build();
    runtime.expect("a thread and an event queue can be had")
});
