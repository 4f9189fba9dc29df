//! Whether the machine gave a relay its turn.
//!
//! A relay that is ready to run, and waits for a processor longer than a picture lasts, finds two pictures at once and shows the newer, as it should.
//! Such a loss is the machine's, or its other programs'; so is one where the suite, and with it the viewer, had none. The kernel tells how long a thread has waited so; what the relay itself does for too
//! long is not in it.

use std::{
    fs,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use tokio::time::Instant;

use crate::camera::INTERVAL;

/// When a process's first thread, which does all of a relay's work, waited for a processor.
pub(crate) struct Turns(Mutex<Vec<Wait>>);

struct Wait {
    from: Instant,
    to: Instant,
    /// How much of that time was waited.
    waited: Duration,
}

impl Turns {
    /// Looks until the value is dropped.
    #[allow(
        clippy::disallowed_methods,
        reason = "a thread of its own, which the runtime's work must not hold up"
    )]
    pub(crate) fn watch(pid: u32) -> Arc<Self> {
        let turns = Arc::new(Self(Mutex::default()));
        let weak = Arc::downgrade(&turns);
        thread::spawn(move || {
            let (mut from, mut before) = (Instant::now(), waited_so_far(pid));
            while let Some(turns) = weak.upgrade() {
                thread::sleep(LOOK);
                let (to, now) = (Instant::now(), waited_so_far(pid));
                let (Some(was), Some(is)) = (before, now) else {
                    return;
                };
                // That this thread got no turn tells of the viewers beside it.
                let late = (to - from).saturating_sub(LOOK);
                let waited = is.saturating_sub(was).max(late);
                if waited > LOOK / 10 {
                    let wait = Wait { from, to, waited };
                    turns.waits().push(wait);
                }
                (from, before) = (to, now);
            }
        });
        turns
    }

    /// How long it waited between two times, about.
    pub(crate) fn waited(&self, from: Instant, to: Instant) -> Duration {
        let (from, to) = (from - MARGIN, to + MARGIN);
        let waits = self.waits();
        let within = waits
            .iter()
            .filter(|wait| wait.to >= from && wait.from <= to);
        within.map(|wait| wait.waited).sum()
    }

    /// How long it has waited in all.
    pub(crate) fn total(&self) -> Duration {
        self.waits().iter().map(|wait| wait.waited).sum()
    }

    /// Whether it waited for so long that pictures may have come together.
    pub(crate) fn held_up(&self, from: Instant, to: Instant) -> bool {
        self.waited(from, to) > INTERVAL / 2
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
/// What is found in one moment was caused a little before it.
const MARGIN: Duration = Duration::from_millis(100);
