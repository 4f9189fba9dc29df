//! Who failed how often, and has to wait because of that.

use std::{collections::HashMap, hash::Hash, time::Duration};

use tokio::time::Instant;

/// Counts failures by key. Pure: times are given from outside.
#[derive(Debug)]
pub(crate) struct Failures<K>(HashMap<K, FailureCount>);

/// How often something failed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FailureCount {
    count: u32,
    last: Instant,
    /// Until when no other attempt is allowed.
    until: Instant,
}

impl<K> Default for Failures<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Copy + Eq + Hash> Failures<K> {
    /// How long the next attempt has to wait; `None` if it need not.
    pub(crate) fn wait(&self, key: &K, now: Instant) -> Option<Duration> {
        let until = self.0.get(key)?.until;
        let wait = until.saturating_duration_since(now);
        (!wait.is_zero()).then_some(wait)
    }

    /// Counts an attempt as failed, until it is known to have succeeded. Returns what was counted
    /// before. `free` failures need no wait; then the wait doubles up to `longest`.
    pub(crate) fn begin(
        &mut self,
        key: K,
        (free, longest): (u32, Duration),
        now: Instant,
    ) -> Option<FailureCount> {
        let before = self.0.get(&key).copied().filter(|it| !it.is_over(now));
        if before.is_none() {
            self.make_room(now);
        }
        let count = before.map_or(0, |failed| failed.count).saturating_add(1);
        let wait = match count.checked_sub(free) {
            None => Duration::ZERO,
            Some(beyond) => FIRST_WAIT
                .saturating_mul(2_u32.saturating_pow(beyond))
                .min(longest),
        };
        let failed = FailureCount {
            count,
            last: now,
            until: now + wait,
        };
        self.0.insert(key, failed);
        before
    }

    /// Notes that an attempt has failed after this time: the wait counts from now on.
    pub(crate) fn failed_after(&mut self, key: &K, took: Duration) {
        if let Some(failed) = self.0.get_mut(key)
            && failed.until > failed.last
        {
            failed.until += took;
        }
    }

    /// Restores what was counted before an attempt that succeeded.
    pub(crate) fn restore(&mut self, key: K, before: Option<FailureCount>) {
        match before {
            Some(before) => self.0.insert(key, before),
            None => self.0.remove(&key),
        };
    }

    /// Forgets a key's failures.
    pub(crate) fn clear(&mut self, key: &K) {
        self.0.remove(key);
    }

    /// Makes room for one more key: the one that failed longest ago goes.
    fn make_room(&mut self, now: Instant) {
        if self.0.len() < MOST_KEYS {
            return;
        }
        self.0.retain(|_, failed| !failed.is_over(now));
        if self.0.len() < MOST_KEYS {
            return;
        }
        let oldest = self.0.iter().min_by_key(|(_, failed)| failed.last);
        if let Some(key) = oldest.map(|(key, _)| *key) {
            self.0.remove(&key);
        }
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

impl FailureCount {
    /// Whether it no longer counts.
    fn is_over(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.last.max(self.until)) >= KEPT
    }
}

/// The first wait; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// How long failures count after the last one, or after the wait because of it.
const KEPT: Duration = Duration::from_secs(60 * 60);

/// How many keys are remembered. As few passwords are verified each second, it takes an attacker
/// minutes to displace somebody.
const MOST_KEYS: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const RULE: (u32, Duration) = (3, Duration::from_secs(60));

    #[tokio::test(start_paused = true)]
    async fn wait_doubles_up_to_its_limit_and_ends() {
        let mut failures = Failures::default();
        let mut now = Instant::now();
        let mut waits = Vec::new();
        for _ in 0..11 {
            failures.begin("a", RULE, now);
            let wait = failures.wait(&"a", now).unwrap_or_default();
            waits.push(wait.as_secs());
            assert_eq!(failures.wait(&"b", now), None);
            now += wait;
            assert_eq!(failures.wait(&"a", now), None);
        }
        assert_eq!(waits, [0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60]);
        // Long after the last one, counting begins anew.
        now += KEPT;
        failures.begin("a", RULE, now);
        assert_eq!(failures.wait(&"a", now), None);
    }

    #[tokio::test(start_paused = true)]
    async fn wait_counts_from_the_end_of_an_attempt() {
        let mut failures = Failures::default();
        let start = Instant::now();
        for _ in 0..2 {
            failures.begin("a", RULE, start);
            failures.failed_after(&"a", 5 * SECOND);
            assert_eq!(failures.wait(&"a", start), None);
        }
        failures.begin("a", RULE, start);
        failures.failed_after(&"a", 5 * SECOND);
        assert_eq!(failures.wait(&"a", start + 5 * SECOND), Some(SECOND));
    }

    #[tokio::test(start_paused = true)]
    async fn attempt_that_succeeds_leaves_no_trace() {
        let mut failures = Failures::default();
        let now = Instant::now();
        for _ in 0..20 {
            let before = failures.begin("a", RULE, now);
            failures.restore("a", before);
        }
        assert_eq!(failures.len(), 0);
        failures.begin("a", RULE, now);
        let before = failures.begin("a", RULE, now);
        failures.restore("a", before);
        failures.begin("a", RULE, now);
        assert_eq!(failures.wait(&"a", now), None);
        failures.begin("a", RULE, now);
        assert_eq!(failures.wait(&"a", now), Some(SECOND));
    }

    #[tokio::test(start_paused = true)]
    async fn table_is_bounded_and_the_oldest_goes() {
        let mut failures = Failures::default();
        let start = Instant::now();
        for n in 0..MOST_KEYS {
            let now = start + n as u32 * SECOND / 10;
            for _ in 0..3 {
                failures.begin(n, RULE, now);
            }
        }
        let now = start + MOST_KEYS as u32 * SECOND / 10;
        assert_eq!(failures.len(), MOST_KEYS);
        failures.begin(MOST_KEYS, RULE, now);
        assert_eq!(failures.len(), MOST_KEYS);
        // The first one is counted anew, the last one is not.
        failures.begin(0, RULE, now);
        assert_eq!(failures.wait(&0, now), None);
        failures.begin(MOST_KEYS - 1, RULE, now);
        assert_eq!(failures.wait(&(MOST_KEYS - 1), now), Some(2 * SECOND));
    }
}
