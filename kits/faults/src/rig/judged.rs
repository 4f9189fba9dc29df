//! What must hold in every case, and whether it does.

use std::time::Duration;

use anyhow::Result;
use tokio::time::{Instant, sleep};

use crate::watcher::{Seen, Watcher};

/// The figures for what must hold in every case.
#[derive(Clone, Debug, Default)]
pub(crate) struct Judged {
    /// Lost pictures of undamaged streams, over all their healthy viewers.
    pub(crate) lost: u64,
    /// Pictures lost while the relay waited for a processor.
    pub(crate) held_up: u64,
    pub(crate) pictures: u64,
    pub(crate) disordered: u64,
    pub(crate) longest_gap: Duration,
    /// How long the relay waited for a processor in all.
    pub(crate) waited: Duration,
    /// By how much the peak of memory exceeds what it was before, in KiB.
    pub(crate) grown_kib: u64,
    /// What else does not hold.
    pub(crate) others: Vec<String>,
}

impl Judged {
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

    /// Counts what these have seen, once everything sent has had time to arrive.
    pub(super) async fn watch(&mut self, watchers: &mut [Watcher]) {
        for watcher in watchers {
            let seen = watcher.settle().await;
            self.add(&seen);
            if seen.placeholders > 0 {
                self.others
                    .push("an undamaged stream has shown its placeholder".into());
            }
            if let Some(why) = seen.ended {
                self.others
                    .push(format!("a healthy viewer's response ended: {why}"));
            }
        }
    }
}

/// Waits until a relay has no more open files, threads or tasks than before. If it keeps some,
/// returns which. `beyond` lists what there is more of.
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

/// The runtime keeps a thread for name look-ups for ten seconds after its last use.
const LEFT_LIMIT: Duration = Duration::from_secs(15);
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// How long an undamaged stream may stand still. The debug build of the short form is slow itself.
const LONGEST_GAP: Duration =
    Duration::from_millis(if cfg!(debug_assertions) { 1000 } else { 100 });
