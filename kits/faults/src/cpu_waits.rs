//! How long a relay was ready to run but had no processor.
//!
//! A relay that waits longer than the interval between two pictures finds both at once, and may
//! relay the newer one only. That loss is the machine's fault. The same is true if the suite, and
//! with it the viewer, had to wait. The kernel counts how long a thread has waited; this does not
//! include delays that the relay itself causes.

use std::{
    fs,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use tokio::time::Instant;

use crate::{camera::INTERVAL, undisturbed};

/// When the first thread of a process waited for a processor. A relay does its work in that thread.
pub(crate) struct CpuWaits(Mutex<Vec<Wait>>);

struct Wait {
    from: Instant,
    to: Instant,
    /// How much of this time it waited.
    waited: Duration,
}

impl CpuWaits {
    /// Samples a process until the value is dropped.
    #[allow(
        clippy::disallowed_methods,
        reason = "a thread of its own, which tasks of the runtime must not delay"
    )]
    pub(crate) fn watch(pid: u32) -> Arc<Self> {
        let cpu_waits = Arc::new(Self(Mutex::default()));
        let weak = Arc::downgrade(&cpu_waits);
        let sample = move || {
            let (mut from, mut before) = (Instant::now(), waited_so_far(pid));
            while let Some(cpu_waits) = weak.upgrade() {
                thread::sleep(SAMPLE);
                let (to, now) = (Instant::now(), waited_so_far(pid));
                let (Some(was), Some(is)) = (before, now) else {
                    return;
                };
                // If this thread had to wait, so had the viewers.
                let late = (to - from).saturating_sub(SAMPLE);
                let waited = is.saturating_sub(was).max(late);
                if waited > SAMPLE / 10 {
                    let wait = Wait { from, to, waited };
                    cpu_waits.waits().push(wait);
                }
                (from, before) = (to, now);
            }
        };
        undisturbed::spawn(async { thread::spawn(sample) });
        cpu_waits
    }

    /// About how long the thread waited between two points in time.
    pub(crate) fn waited(&self, from: Instant, to: Instant) -> Duration {
        let (from, to) = (from - MARGIN, to + MARGIN);
        let waits = self.waits();
        let within = waits
            .iter()
            .filter(|wait| wait.to >= from && wait.from <= to);
        within.map(|wait| wait.waited).sum()
    }

    /// How long the thread has waited in total.
    pub(crate) fn total(&self) -> Duration {
        self.waits().iter().map(|wait| wait.waited).sum()
    }

    /// How many pictures may be missing because of the waits between two points in time.
    pub(crate) fn held_up(&self, from: Instant, to: Instant) -> u64 {
        let intervals = self.waited(from, to).as_secs_f64() / INTERVAL.as_secs_f64();
        intervals.round() as u64
    }

    /// Counts the time in which a case had stopped the relay as a wait.
    pub(crate) fn was_stopped(&self, from: Instant, to: Instant) {
        let waited = to - from;
        self.waits().push(Wait { from, to, waited });
    }

    fn waits(&self) -> std::sync::MutexGuard<'_, Vec<Wait>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads the second number of `schedstat`: nanoseconds spent in a processor's run queue.
fn waited_so_far(pid: u32) -> Option<Duration> {
    let text = fs::read_to_string(format!("/proc/{pid}/schedstat")).ok()?;
    let waited = text.split(' ').nth(1)?.parse().ok()?;
    Some(Duration::from_nanos(waited))
}

const SAMPLE: Duration = Duration::from_millis(10);
/// A viewer notices a loss a little later than the wait that caused it.
const MARGIN: Duration = Duration::from_millis(100);
