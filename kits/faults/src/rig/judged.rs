//! Judges what must hold in every case.

use std::time::Duration;

use anyhow::Result;
use tokio::time::{Instant, sleep};

use crate::watcher::{Seen, Watcher};

/// What was counted in a case, on all undamaged streams.
#[derive(Clone, Debug, Default)]
pub(crate) struct Judged {
    /// Lost pictures, over all healthy viewers.
    pub(crate) lost: u64,
    /// Missing pictures that are excused, because the relay was waiting for a processor.
    pub(crate) held_up: u64,
    pub(crate) pictures: u64,
    pub(crate) disordered: u64,
    pub(crate) longest_gap: Duration,
    /// How long the relay waited for a processor in total.
    pub(crate) waited: Duration,
    /// By how many KiB memory grew at its peak.
    pub(crate) grown_kib: u64,
    /// Other failures.
    pub(crate) others: Vec<String>,
}

impl Judged {
    /// Lists what does not hold. Memory may grow by `most_mib`.
    pub(crate) fn failures(&self, most_mib: u64) -> Vec<String> {
        let mut failures = self.others.clone();
        if self.lost > 0 {
            failures.push(format!("{} pictures of undamaged streams lost", self.lost));
        }
        if self.disordered > 0 {
            failures.push(format!("{} pictures out of order", self.disordered));
        }
        if self.longest_gap > LONGEST_GAP {
            let gap = self.longest_gap;
            failures.push(format!("an undamaged stream stood still for {gap:.0?}"));
        }
        if self.grown_kib > most_mib << 10 {
            let grown = self.grown_kib >> 10;
            failures.push(format!("memory grew by {grown} MiB, {most_mib} at most"));
        }
        failures
    }

    pub(super) fn add(&mut self, seen: &Seen) {
        self.lost += seen.lost;
        self.held_up += seen.held_up;
        self.pictures += seen.pictures;
        self.disordered += seen.disordered;
        self.longest_gap = self.longest_gap.max(seen.longest_gap);
    }

    /// Adds what these viewers have seen, once all pictures have had time to arrive.
    pub(super) async fn watch(&mut self, watchers: &mut [Watcher]) {
        for watcher in watchers {
            let seen = watcher.settle().await;
            self.add(&seen);
            if seen.placeholders > 0 {
                self.others
                    .push("an undamaged stream showed its placeholder".into());
            }
            if let Some(why) = seen.ended {
                self.others
                    .push(format!("a healthy viewer's response ended: {why}"));
            }
        }
    }
}

/// Waits until `beyond`, which lists what a relay holds more of than before, returns an empty list.
/// If that takes too long, returns what is left.
pub(super) async fn left_behind(
    mut beyond: impl AsyncFnMut() -> Result<Vec<String>>,
) -> Result<Option<String>> {
    let since = Instant::now();
    loop {
        let beyond = beyond().await?;
        if beyond.is_empty() {
            return Ok(None);
        }
        if since.elapsed() > LEFT_LIMIT {
            return Ok(Some(format!("left behind: {}", beyond.join(", "))));
        }
        sleep(LOOK_AGAIN).await;
    }
}

/// The runtime keeps a thread for name look-ups for 10 s after its last use.
const LEFT_LIMIT: Duration = Duration::from_secs(15);
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// How long an undamaged stream may stand still. The short form uses a debug build, which is slow.
const LONGEST_GAP: Duration =
    Duration::from_millis(if cfg!(debug_assertions) { 1000 } else { 100 });
