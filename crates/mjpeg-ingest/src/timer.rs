//! A timer for code that polls.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::time::{Instant, Sleep, sleep, sleep_until};

use crate::within::STOOD_STILL;

/// Wakes a task at a deadline that moves.
///
/// A deadline that moves back leaves the timer as it is: one spurious wake-up costs less than
/// re-arming the timer at each read.
///
/// A deadline that is noticed late, because the process stood still, gets a second look a moment
/// later: by then the runtime knows which sockets have bytes waiting, and the caller, which reads
/// before it looks at the time, has read them.
#[derive(Default)]
pub(crate) struct Timer {
    sleep: Option<Pin<Box<Sleep>>>,
    /// The deadline that was noticed late, and when to look again.
    second_look: Option<(Instant, Pin<Box<Sleep>>)>,
}

impl Timer {
    /// Waits until the deadline.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>, deadline: Instant) -> Poll<()> {
        let now = Instant::now();
        if deadline <= now {
            return self.poll_overdue(cx, deadline, now);
        }
        let new = || Box::pin(sleep_until(deadline));
        let sleep = self.sleep.get_or_insert_with(new);
        if sleep.deadline() > deadline {
            sleep.as_mut().reset(deadline);
        }
        loop {
            ready!(sleep.as_mut().poll(cx));
            if sleep.deadline() == deadline {
                return self.poll_overdue(cx, deadline, Instant::now());
            }
            sleep.as_mut().reset(deadline);
        }
    }

    fn poll_overdue(&mut self, cx: &mut Context<'_>, deadline: Instant, now: Instant) -> Poll<()> {
        let is_looked_at = |look: &&mut (Instant, Pin<Box<Sleep>>)| look.0 == deadline;
        let look = match self.second_look.as_mut().filter(is_looked_at) {
            None if now.saturating_duration_since(deadline) < STOOD_STILL => return Poll::Ready(()),
            None => {
                let look = (deadline, Box::pin(sleep(SECOND_LOOK)));
                self.second_look.insert(look)
            }
            Some(look) => look,
        };
        ready!(look.1.as_mut().poll(cx));
        self.second_look = None;
        Poll::Ready(())
    }
}

/// When to look again: long enough for the runtime to have asked the kernel.
const SECOND_LOOK: Duration = Duration::from_millis(20);
