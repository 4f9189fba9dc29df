//! Whether the machine itself was held up.
//!
//! A relay that gets no turn from the kernel for longer than a picture lasts finds two pictures at once and shows the newer, as it should. That is
//! no loss by a fault; a case that sees it is void.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use tokio::time::Instant;

use crate::camera::INTERVAL;

/// Begins to watch.
#[allow(
    clippy::disallowed_methods,
    reason = "what is watched is this thread's own sleep"
)]
pub(crate) fn start() {
    thread::spawn(|| {
        loop {
            let since = Instant::now();
            thread::sleep(BEAT);
            let late = since.elapsed().saturating_sub(BEAT);
            if late > INTERVAL / 2 {
                held_up().push((Instant::now(), late));
            }
        }
    });
}

/// The longest time that the machine was held up since then, if it was.
pub(crate) fn longest_since(then: Instant) -> Option<Duration> {
    let all = held_up();
    let since = all.iter().filter(|(at, _)| *at >= then);
    since.map(|(_, late)| *late).max()
}

fn held_up() -> MutexGuard<'static, Vec<(Instant, Duration)>> {
    HELD_UP.lock().unwrap_or_else(PoisonError::into_inner)
}

static HELD_UP: Mutex<Vec<(Instant, Duration)>> = Mutex::new(Vec::new());
const BEAT: Duration = Duration::from_millis(5);
