//! How long a relay waited for a processor.
//!
//! A relay that waits for a processor longer than a picture's interval finds two pictures at once
//! and may show the newer one only. The machine causes such a loss, not the relay. The same holds
//! where the suite, and with it the viewer, had to wait. The kernel counts how long a thread has
//! waited; the delays that the relay makes are not part of that.

use std::{
    fs,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use tokio::time::Instant;

use crate::{camera::INTERVAL, undisturbed};

/// When the first thread of a process waited for a processor. It does all of a relay's work.
pub(crate) struct CpuWaits(Mutex<Vec<Wait>>);

struct Wait {
    from: Instant,
    to: Instant,
    /// How much of that time was spent waiting.
    waited: Duration,
}

impl CpuWaits {
    /// Samples until the value is dropped.
    #[allow(
        clippy::disallowed_methods,
        reason = "a thread of its own, which the runtime's work must not hold up"
    )]
    pub(crate) fn watch(pid: u32) -> Arc<Self> {
        let cpu_waits = Arc::new(Self(Mutex::default()));
        let weak = Arc::downgrade(&cpu_waits);
        let look = move || {
            let (mut from, mut before) = (Instant::now(), waited_so_far(pid));
            while let Some(cpu_waits) = weak.upgrade() {
                thread::sleep(LOOK);
                let (to, now) = (Instant::now(), waited_so_far(pid));
                let (Some(was), Some(is)) = (before, now) else {
                    return;
                };
                // If this thread had to wait, so had the viewers beside it.
                let late = (to - from).saturating_sub(LOOK);
                let waited = is.saturating_sub(was).max(late);
                if waited > LOOK / 10 {
                    let wait = Wait { from, to, waited };
                    cpu_waits.waits().push(wait);
                }
                (from, before) = (to, now);
            }
        };
        undisturbed::spawn(async { thread::spawn(look) });
        cpu_waits
    }

    /// About how long the thread waited between two times.
    pub(crate) fn waited(&self, from: Instant, to: Instant) -> Duration {
        let (from, to) = (from - MARGIN, to + MARGIN);
        let waits = self.waits();
        let within = waits
            .iter()
            .filter(|wait| wait.to >= from && wait.from <= to);
        within.map(|wait| wait.waited).sum()
    }

    /// How long the thread has waited in all.
    pub(crate) fn total(&self) -> Duration {
        self.waits().iter().map(|wait| wait.waited).sum()
    }

    /// How many pictures may have come together with a newer one, because of these waits.
    pub(crate) fn held_up(&self, from: Instant, to: Instant) -> u64 {
        let intervals = self.waited(from, to).as_secs_f64() / INTERVAL.as_secs_f64();
        intervals.round() as u64
    }

    /// Counts a time as waited: the case itself had stopped the relay.
    pub(crate) fn was_stopped(&self, from: Instant, to: Instant) {
        let waited = to - from;
        self.waits().push(Wait { from, to, waited });
    }

    fn waits(&self) -> std::sync::MutexGuard<'_, Vec<Wait>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The second figure of `schedstat`: nanoseconds on a queue for a processor.
fn waited_so_far(pid: u32) -> Option<Duration> {
    let text = fs::read_to_string(format!("/proc/{pid}/schedstat")).ok()?;
    let waited = text.split(' ').nth(1)?.parse().ok()?;
    Some(Duration::from_nanos(waited))
}

const LOOK: Duration = Duration::from_millis(10);
/// A loss is seen a little later than the wait that caused it.
const MARGIN: Duration = Duration::from_millis(100);
