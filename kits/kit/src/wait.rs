//! Polling for conditions that send no notification.

use std::{fmt::Display, time::Duration};

use anyhow::{Result, ensure};
use tokio::time::{Instant, sleep};

/// Calls `look` again and again until it returns a value, and returns that. Fails if there is none
/// within `limit`; the error says `what` was waited for.
pub async fn until<T>(
    what: impl Display,
    limit: Duration,
    mut look: impl AsyncFnMut() -> Result<Option<T>>,
) -> Result<T> {
    let since = Instant::now();
    loop {
        if let Some(value) = look().await? {
            return Ok(value);
        }
        ensure!(since.elapsed() < limit, "not within {limit:?}: {what}");
        sleep(LOOK_AGAIN).await;
    }
}

const LOOK_AGAIN: Duration = Duration::from_millis(10);
