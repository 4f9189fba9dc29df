//! Detects a camera that sends the same frame again and again.

use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;

/// Compares each frame with the one before. The caller passes in the clocks.
#[derive(Debug)]
pub(crate) struct Freeze {
    after: Duration,
    last: Bytes,
    /// When the first of the present run of identical frames came.
    since: Option<(Instant, SystemTime)>,
    is_reported: bool,
}

/// What a frame shows about the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Motion {
    /// It has been the same for the set time.
    Frozen,
    /// It moves again after having been frozen.
    Moving,
}

impl Freeze {
    pub(crate) fn new(after: Duration) -> Self {
        Self {
            after,
            last: Bytes::new(),
            since: None,
            is_reported: false,
        }
    }

    /// Sets how long frames must be identical, from the next frame on.
    pub(crate) fn set_after(&mut self, after: Duration) {
        self.after = after;
    }

    /// Takes in a frame. Returns whether the picture has just frozen or just moved again.
    pub(crate) fn frame(
        &mut self,
        frame: &Bytes,
        now: Instant,
        wall: SystemTime,
    ) -> Option<Motion> {
        // The comparison is short: sensor noise makes frames differ soon after their headers.
        if self.last != *frame {
            self.last = frame.clone();
            self.since = Some((now, wall));
            return std::mem::take(&mut self.is_reported).then_some(Motion::Moving);
        }
        let (since, _) = self.since?;
        if self.is_reported || now.saturating_duration_since(since) < self.after {
            return None;
        }
        self.is_reported = true;
        Some(Motion::Frozen)
    }

    /// Starts over: the next frame is compared with nothing.
    pub(crate) fn forget(&mut self) {
        *self = Self::new(self.after);
    }

    /// Since when the picture is frozen.
    pub(crate) fn since(&self) -> Option<SystemTime> {
        let (_, wall) = self.since?;
        self.is_reported.then_some(wall)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_alike_for_the_set_time_are_reported_once_and_so_is_the_first_other_one() {
        let start = tokio::time::Instant::now().into_std();
        let wall = SystemTime::now();
        let mut freeze = Freeze::new(Duration::from_secs(30));
        let mut told = Vec::new();
        for second in 0..100 {
            let frame = if (10..70).contains(&second) {
                "same".into()
            } else {
                second.to_string()
            };
            let at = Duration::from_secs(second);
            if let Some(motion) = freeze.frame(&frame.into(), start + at, wall + at) {
                told.push((second, motion));
            }
            let since = freeze
                .since()
                .map(|since| since.duration_since(wall).expect("later"));
            let is_frozen = (40..70).contains(&second);
            assert_eq!(
                since,
                is_frozen.then_some(Duration::from_secs(10)),
                "{second}"
            );
        }
        assert_eq!(told, [(40, Motion::Frozen), (70, Motion::Moving)]);
    }

    #[test]
    fn shorter_time_holds_for_the_run_that_is_under_way() {
        let start = tokio::time::Instant::now().into_std();
        let wall = SystemTime::now();
        let frame = Bytes::from_static(b"same");
        let mut freeze = Freeze::new(Duration::from_secs(30));
        assert_eq!(freeze.frame(&frame, start, wall), None);
        freeze.set_after(Duration::from_secs(5));
        let later = start + Duration::from_secs(6);
        assert_eq!(freeze.frame(&frame, later, wall), Some(Motion::Frozen));
        assert_eq!(freeze.since(), Some(wall));
    }
}
