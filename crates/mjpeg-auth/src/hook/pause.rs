//! A hook that does not answer is asked less often.

use std::time::Duration;

use tokio::time::Instant;

/// Whether the hook is to be asked. Pure: times are given from outside.
#[derive(Default)]
pub(crate) struct Pause {
    /// Without an answer, in a row.
    unanswered: u32,
    until: Option<Instant>,
}

impl Pause {
    /// Whether the hook may be asked now. After a pause it is, once, and the pause begins again.
    pub(crate) fn admits(&mut self, now: Instant) -> bool {
        let is_over = self.until.is_none_or(|until| now >= until);
        if is_over && self.until.is_some() {
            self.until = Some(now + TIME);
        }
        is_over
    }

    pub(crate) fn answered(&mut self) {
        *self = Self::default();
    }

    pub(crate) fn unanswered(&mut self, now: Instant) {
        self.unanswered = self.unanswered.saturating_add(1);
        if self.unanswered >= PATIENCE {
            self.until = Some(now + TIME);
        }
    }
}

const PATIENCE: u32 = 5;
const TIME: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_does_not_answer_five_times_is_asked_once_a_second() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut pause = Pause::default();
        for _ in 0..5 {
            assert!(pause.admits(at(0)));
            pause.unanswered(at(0));
        }
        assert!(!pause.admits(at(999)));
        assert!(pause.admits(at(1000)) && !pause.admits(at(1001)));
        assert!(pause.admits(at(2000)));
        pause.answered();
        assert!(pause.admits(at(2001)) && pause.admits(at(2001)));
        pause.unanswered(at(2001));
        assert!(pause.admits(at(2001)));
    }
}
