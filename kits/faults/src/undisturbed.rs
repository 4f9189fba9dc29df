//! A thread at normal priority, for undamaged cameras, for viewers that count their pictures, and
//! for starting relays. Everything else in the suite runs at the lowest priority. Otherwise, on a
//! machine with two processors, the suite's own floods would leave too little CPU time for the
//! relay, and no relay could make up for that.

use std::sync::LazyLock;

use anyhow::{Context as _, Result};
use rustix::process::setpriority_process;
use tokio::{
    runtime::{Builder, Runtime},
    task::JoinHandle,
};

/// Starts the thread. Then lowers the priority of the caller's thread and of all that it starts.
pub(crate) fn start() -> Result<()> {
    LazyLock::force(&RUNTIME);
    // On Linux, a priority belongs to a thread, not to the process.
    setpriority_process(None, LOWEST).context("lowering the priority")
}

/// Runs a future on the thread, and waits for it. Tasks that it spawns run there too.
pub(crate) async fn run<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> Result<T> {
    spawn(work).await.context("a task of the suite ended early")
}

/// Starts a task on the thread.
pub(crate) fn spawn<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> JoinHandle<T> {
    RUNTIME.spawn(work)
}

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let mut builder = Builder::new_multi_thread();
    let runtime = builder.worker_threads(1).enable_all().build();
    runtime.expect("the system has a thread and an event queue left")
});
const LOWEST: i32 = 19;
