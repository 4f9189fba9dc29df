//! A limit on work that does not count the time when this process stood still.

use std::{pin::pin, time::Duration};

use tokio::time::{Instant, timeout};

/// Waits for work, for `limit` at most; returns `None` if that was not enough.
///
/// A process that was stopped (SIGSTOP, a closed laptop, a starved machine) cannot blame the camera
/// for that time: the limit is spent in slices, and a slice in which the process stood still does
/// not count.
pub(crate) async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    let mut left = limit;
    loop {
        let slice = left.min(SLICE);
        let begun = Instant::now();
        if let Ok(done) = timeout(slice, &mut work).await {
            return Some(done);
        }
        if counts(slice, begun.elapsed()) {
            left -= slice;
            if left.is_zero() {
                return None;
            }
        }
    }
}

/// Whether a slice that took this long was time in which the process ran.
fn counts(slice: Duration, took: Duration) -> bool {
    took < slice + STOOD_STILL
}

/// How long a slice is.
const SLICE: Duration = Duration::from_secs(1);

/// How late a timer must be before the process is taken to have stood still.
pub(crate) const STOOD_STILL: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slice_in_which_the_process_stood_still_does_not_count() {
        assert!(counts(SLICE, SLICE));
        assert!(counts(SLICE, SLICE + Duration::from_millis(499)));
        assert!(!counts(SLICE, SLICE + STOOD_STILL));
        assert!(!counts(SLICE, Duration::from_secs(12)));
    }
}
