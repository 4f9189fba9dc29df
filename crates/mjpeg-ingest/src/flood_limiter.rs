//! Limits the share of a core that a flood takes: pure arithmetic over times passed in.

use std::time::Duration;

use tokio::time::Instant;

/// Follows how long the bytes of one connection keep a thread busy. If they are bytes that take
/// many decisions, their reader rests, so that they take a quarter of a core at most.
///
/// No byte is lost by that: the camera has to wait.
#[derive(Debug)]
pub(crate) struct FloodLimiter {
    /// Since when the thread has been busy without a break.
    busy_since: Option<Instant>,
    /// For how long it was, since the last read.
    busy: Duration,
    /// The time that dear bytes took and that was not made up for.
    debt: Duration,
    /// When that was computed.
    at: Instant,
    /// What the decisions had cost then, and how many bytes were read.
    cost: u64,
    bytes: u64,
    rest_until: Option<Instant>,
    /// When the current flood, or the latest, last made the reader rest.
    flood_at: Option<Instant>,
    is_to_tell: bool,
}

impl FloodLimiter {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            busy_since: None,
            busy: Duration::ZERO,
            debt: Duration::ZERO,
            at: now,
            cost: 0,
            bytes: 0,
            rest_until: None,
            flood_at: None,
            is_to_tell: false,
        }
    }

    /// Records that the thread is busy with this connection.
    pub(crate) fn begin(&mut self, now: Instant) {
        self.busy_since.get_or_insert(now);
    }

    /// Records that it is not any more.
    pub(crate) fn pause(&mut self, now: Instant) {
        if let Some(since) = self.busy_since.take() {
            // In a longer time something else had its turn.
            let busy = now.saturating_duration_since(since);
            self.busy += busy.min(LONGEST_BUSY);
        }
    }

    /// Decides whether to rest before the next read. `cost` is what all decisions so far have cost,
    /// in the codec's units; `bytes` is how many bytes were read.
    pub(crate) fn before_read(&mut self, now: Instant, cost: u64, bytes: u64) {
        self.pause(now);
        let passed = now.saturating_duration_since(self.at);
        self.at = now;
        self.debt = self.debt.saturating_sub(passed / SHARE);
        let is_dear = DEAR * (cost - self.cost) > bytes - self.bytes;
        (self.cost, self.bytes) = (cost, bytes);
        let busy = std::mem::take(&mut self.busy);
        if is_dear {
            self.debt = (self.debt + busy).min(MOST_DEBT);
        }
        if self.debt > ALLOWANCE {
            self.rest_until = Some(now + (self.debt - ALLOWANCE) * SHARE);
            let is_same = |at| now.saturating_duration_since(at) < CALM_AFTER;
            self.is_to_tell |= !self.flood_at.is_some_and(is_same);
            self.flood_at = Some(now);
        }
    }

    /// Until when to rest.
    pub(crate) fn rests_until(&self) -> Option<Instant> {
        self.rest_until
    }

    /// Records that the rest is over.
    pub(crate) fn rested(&mut self) {
        self.rest_until = None;
    }

    /// Returns whether a flood began that was not told. Once for each.
    pub(crate) fn take_flood(&mut self) -> bool {
        std::mem::take(&mut self.is_to_tell)
    }
}

/// A flood has one in so many parts of a core.
const SHARE: u32 = 4;

/// Bytes are dear if their decisions cost more than one in so many parts of them. Those of pictures
/// of 4 kB cost a third of their bytes, all others less.
const DEAR: u64 = 2;

/// For how long dear bytes may keep a thread busy before their reader rests: what thousands of the
/// smallest pictures at once take, or a place of damage.
const ALLOWANCE: Duration = Duration::from_millis(50);

/// The most that is made up for, so that no rest is longer than a second.
const MOST_DEBT: Duration = Duration::from_millis(300);

/// The longest time without a break that is attributed to the connection.
const LONGEST_BUSY: Duration = Duration::from_millis(5);

/// After that long without a rest, a flood is over.
const CALM_AFTER: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    const MILLISECOND: Duration = Duration::from_millis(1);

    /// Lets a connection always have bytes that take a millisecond per read and cost as many
    /// decisions as given. Returns the share of the time that it was busy, and how often a flood
    /// was told.
    fn share(cost: u64, bytes: u64) -> (f64, usize) {
        let start = Instant::now();
        let (mut now, mut busy, mut told) = (start, Duration::ZERO, 0);
        let mut limiter = FloodLimiter::new(now);
        for read in 1..5_000 {
            limiter.begin(now);
            now += MILLISECOND;
            busy += MILLISECOND;
            limiter.before_read(now, read * cost, read * bytes);
            told += usize::from(limiter.take_flood());
            if let Some(until) = limiter.rests_until() {
                now = now.max(until);
                limiter.rested();
            }
        }
        (busy.as_secs_f64() / (now - start).as_secs_f64(), told)
    }

    #[test]
    fn dear_bytes_have_a_quarter_of_a_core_and_are_told_once() {
        let (share, told) = share(2_000_000, 65_536);
        assert!((0.24..0.27).contains(&share), "{share}");
        assert_eq!(told, 1);
    }

    #[test]
    fn bytes_of_ordinary_pictures_have_all_they_need() {
        assert_eq!(share(20_000, 65_536), (1.0, 0));
    }

    #[test]
    fn dear_bytes_now_and_then_do_not_rest() {
        let mut now = Instant::now();
        let mut limiter = FloodLimiter::new(now);
        for second in 1..1_000 {
            now += Duration::from_secs(1);
            limiter.begin(now);
            now += 4 * MILLISECOND;
            limiter.before_read(now, second * 10_000, second * 900);
            assert_eq!(limiter.rests_until(), None);
        }
        assert!(!limiter.take_flood());
    }
}
