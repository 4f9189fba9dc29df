//! A runtime of one thread for undamaged cameras, and for viewers that count. It also starts the
//! relays. All else in the suite runs at the lowest priority: on a machine with two processors, a
//! flood would otherwise leave the relay too little of them, and no relay could help that.

use std::sync::LazyLock;

use anyhow::{Context as _, Result};
use rustix::process::setpriority_process;
use tokio::{
    runtime::{Builder, Runtime},
    task::JoinHandle,
};

/// Starts the runtime, and lowers the priority of this thread and of those that it starts.
pub(crate) fn start() -> Result<()> {
    LazyLock::force(&RUNTIME);
    // On Linux this is a priority of the thread, not of the process.
    setpriority_process(None, LOWEST).context("lowering the priority")
}

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
const LOWEST: i32 = 19;
