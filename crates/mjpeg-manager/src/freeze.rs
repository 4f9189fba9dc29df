//! Whether a camera sends the same frame again and again.

use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;

use crate::Change;

/// Compares each frame with the one before. The clocks are the caller's.
#[derive(Debug)]
pub(crate) struct Freeze {
    after: Duration,
    last: Bytes,
    /// When the first of the frames that are all alike came.
    since: Option<(Instant, SystemTime)>,
    is_told: bool,
}

impl Freeze {
    pub(crate) fn new(after: Duration) -> Self {
        Self {
            after,
            last: Bytes::new(),
            since: None,
            is_told: false,
        }
    }

    /// Takes in a frame, and tells if the picture has just frozen, or moves again.
    pub(crate) fn frame(
        &mut self,
        frame: &Bytes,
        now: Instant,
        wall: SystemTime,
    ) -> Option<Change> {
        // Cameras' frames differ soon after their headers, if only by the noise of the sensor: the comparison is short.
        if self.last != *frame {
            self.last = frame.clone();
            self.since = Some((now, wall));
            return std::mem::take(&mut self.is_told).then_some(Change::Moving);
        }
        let (since, _) = self.since?;
        if self.is_told || now.saturating_duration_since(since) < self.after {
            return None;
        }
        self.is_told = true;
        Some(Change::Frozen)
    }

    /// Begins anew: what comes next is compared with nothing.
    pub(crate) fn forget(&mut self) {
        *self = Self::new(self.after);
    }

    /// Since when it is frozen.
    pub(crate) fn since(&self) -> Option<SystemTime> {
        let (_, wall) = self.since?;
        self.is_told.then_some(wall)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_alike_for_the_set_time_are_told_once_and_the_first_other_one_too() {
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
            if let Some(change) = freeze.frame(&frame.into(), start + at, wall + at) {
                told.push((second, change));
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
        assert_eq!(told, [(40, Change::Frozen), (70, Change::Moving)]);
    }
}
