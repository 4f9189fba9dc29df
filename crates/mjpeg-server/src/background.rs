//! Work that blocks.

use std::panic::resume_unwind;

use tokio::task::spawn_blocking;

/// Runs work that blocks, such as reading files, on a thread of its own: viewers are served
/// meanwhile.
pub(crate) async fn in_background<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> T {
    let done = spawn_blocking(work).await;
    done.unwrap_or_else(|error| resume_unwind(error.into_panic()))
}
