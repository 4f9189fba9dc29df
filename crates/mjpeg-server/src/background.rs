//! Work beside that of the streams.

use std::panic::resume_unwind;

use tokio::task::{JoinHandle, spawn_blocking};

/// Runs work that blocks, such as reading files, on a thread of its own: viewers are served
/// meanwhile.
pub(crate) async fn in_background<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> T {
    let done = spawn_blocking(work).await;
    done.unwrap_or_else(|error| resume_unwind(error.into_panic()))
}

/// A task that ends with its owner.
#[derive(Debug)]
pub(crate) struct OwnedTask(JoinHandle<()>);

impl OwnedTask {
    /// Starts a task.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub(crate) fn start(work: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(tokio::spawn(work))
    }
}

impl Drop for OwnedTask {
    fn drop(&mut self) {
        self.0.abort();
    }
}
