//! When a frame was captured, and which frame it is.

use std::time::{Duration, Instant, SystemTime};

/// When a frame was captured: plain data that travels with the frame; this crate reads no clock.
///
/// The age of a frame is measured from when it was received. The camera's own time is only passed
/// on and shown, because cameras' clocks are often wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stamp {
    received: SystemTime,
    monotonic: Instant,
    camera: Option<SystemTime>,
    id: Option<FrameId>,
}

/// Which frame it is, among all that a relay and those behind it pass on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(clippy::exhaustive_structs, reason = "a pair of numbers")]
pub struct FrameId {
    /// A random number of the first relay's run, so that `seq` is not compared across two runs.
    pub epoch: u64,
    /// The frame's number in that run.
    pub seq: u64,
}

impl Stamp {
    /// Stamps a frame whose last byte was received at this moment, given by both clocks.
    pub fn new(received: SystemTime, monotonic: Instant) -> Self {
        Self {
            received,
            monotonic,
            camera: None,
            id: None,
        }
    }

    /// Adds the identity that another relay gave the frame.
    pub fn with_id(mut self, id: FrameId) -> Self {
        self.id = Some(id);
        self
    }

    /// Adds the time at which the camera says it captured the frame.
    ///
    /// A time more than 24 hours from [`received`](Self::received) is dropped: that clock was never
    /// set.
    pub fn with_camera(mut self, time: impl Into<Option<SystemTime>>) -> Self {
        let is_plausible = |&time: &SystemTime| {
            let apart = time.duration_since(self.received);
            apart.unwrap_or_else(|earlier| earlier.duration()) <= CAMERA_CLOCK_TOLERANCE
        };
        self.camera = time.into().filter(is_plausible);
        self
    }

    /// When the frame's last byte was received, by the wall clock, which may jump.
    pub fn received(&self) -> SystemTime {
        self.received
    }

    /// When the frame's last byte was received, by the monotonic clock.
    pub fn monotonic(&self) -> Instant {
        self.monotonic
    }

    /// When the camera says it captured the frame, if it says so and its clock is plausible.
    pub fn camera(&self) -> Option<SystemTime> {
        self.camera
    }

    /// The identity that another relay gave the frame, if it came through one.
    pub fn id(&self) -> Option<FrameId> {
        self.id
    }

    /// The time to show: the camera's if it is known, else when the frame was received.
    pub fn shown(&self) -> SystemTime {
        self.camera.unwrap_or(self.received)
    }
}

/// A camera's clock that is further off than this was never set: most of those say 1970 or the
/// year of their firmware.
const CAMERA_CLOCK_TOLERANCE: Duration = Duration::from_secs(24 * 3600);

#[cfg(test)]
mod tests {
    use super::*;

    fn stamped(camera_offset: i64) -> Stamp {
        #[allow(clippy::disallowed_methods, reason = "any two times do")]
        let (received, monotonic) = (SystemTime::now(), Instant::now());
        let apart = Duration::from_secs(camera_offset.unsigned_abs());
        let camera = if camera_offset < 0 {
            received - apart
        } else {
            received + apart
        };
        Stamp::new(received, monotonic).with_camera(camera)
    }

    #[test]
    fn camera_time_is_shown_and_dropped_when_a_day_off() {
        let day = 24 * 3600;
        for offset in [-day, -1, 0, 1, day] {
            let stamp = stamped(offset);
            assert_eq!(stamp.camera(), Some(stamp.shown()), "{offset}");
        }
        for offset in [-day - 1, day + 1] {
            let stamp = stamped(offset);
            assert_eq!(stamp.camera(), None, "{offset}");
            assert_eq!(stamp.shown(), stamp.received(), "{offset}");
        }
    }
}
