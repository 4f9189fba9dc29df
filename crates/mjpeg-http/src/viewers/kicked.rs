//! Who was disconnected lately, and does not come back at once.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// The keys of viewers that were kicked. A page or a program that connects again by itself would
/// undo that within seconds.
#[derive(Debug, Default)]
pub(crate) struct KickedKeys(Mutex<VecDeque<(String, Instant)>>);

impl KickedKeys {
    /// Keeps viewers with this key out for a while. Without a key, nobody is known again.
    pub(crate) fn add(&self, key: &str, now: Instant) {
        if key.is_empty() {
            return;
        }
        let mut keys = self.keys();
        keys.retain(|(kept, _)| kept != key);
        if keys.len() == MOST_KEYS {
            keys.pop_front();
        }
        keys.push_back((key.to_owned(), now + KEPT_OUT));
    }

    /// Whether a viewer with this key is kept out.
    pub(crate) fn contains(&self, key: &str, now: Instant) -> bool {
        if key.is_empty() {
            return false;
        }
        let mut keys = self.keys();
        keys.retain(|(_, until)| *until > now);
        keys.iter().any(|(kept, _)| kept == key)
    }

    fn keys(&self) -> MutexGuard<'_, VecDeque<(String, Instant)>> {
        // Nothing under this lock can panic and leave half a change.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long a viewer that was kicked is refused.
const KEPT_OUT: Duration = Duration::from_secs(60);

/// Of each stream. Beyond that, the first one may come back earlier.
const MOST_KEYS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn key_is_kept_out_for_a_minute_and_so_are_64_at_most() {
        let kicked = KickedKeys::default();
        let now = Instant::now();
        kicked.add("", now);
        assert!(!kicked.contains("", now));
        kicked.add("a", now);
        assert!(kicked.contains("a", now) && !kicked.contains("b", now));
        let second = Duration::from_secs(1);
        assert!(kicked.contains("a", now + KEPT_OUT - second));
        assert!(!kicked.contains("a", now + KEPT_OUT));
        for n in 0..MOST_KEYS {
            kicked.add("again", now);
            kicked.add(&n.to_string(), now);
        }
        // All but the oldest, as "again" takes one place.
        assert!(!kicked.contains("0", now) && kicked.contains("1", now));
        assert!(kicked.contains("again", now) && kicked.contains("63", now));
    }
}
