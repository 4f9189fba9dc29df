//! When a clip by event ends.

use tokio::time::Instant;

use crate::event_clips::{ClipEvent, EventClipPlan};

/// An event of which a clip is to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Trigger {
    pub(super) event: ClipEvent,
    pub(super) at: Instant,
    /// Whether it lasts, as motion does until something says that it is over.
    pub(super) lasts: bool,
}

/// When a clip that is being made ends. It begins with its first picture.
#[derive(Debug)]
pub(super) struct ClipSchedule {
    plan: EventClipPlan,
    /// The latest event, which decides about the end.
    latest: Trigger,
    /// Until when events want it to go on; as long as possible while one lasts.
    wanted: Instant,
    /// The end of the longest clip.
    last: Instant,
    is_stopped: bool,
}

impl Trigger {
    pub(super) fn new(event: ClipEvent, at: Instant) -> Self {
        let lasts = event == ClipEvent::Motion;
        Self { event, at, lasts }
    }
}

impl ClipSchedule {
    /// The schedule of a clip whose first picture is of this time.
    pub(super) fn new(plan: &EventClipPlan, first: Instant, trigger: Trigger) -> Self {
        let mut schedule = Self {
            plan: plan.clone(),
            latest: trigger,
            wanted: first,
            last: first + plan.longest,
            is_stopped: false,
        };
        schedule.add(trigger);
        schedule
    }

    /// The time of the last picture.
    pub(super) fn end(&self) -> Instant {
        match self.latest.lasts {
            true => self.last,
            false => self.wanted.min(self.last),
        }
    }

    /// Goes on for a further event.
    pub(super) fn add(&mut self, trigger: Trigger) {
        let after = match trigger.event.ends_pictures() {
            true => trigger.at,
            false => trigger.at + self.plan.after,
        };
        self.wanted = self.wanted.max(after);
        self.is_stopped = false;
        if trigger.lasts || !self.latest.lasts {
            self.latest = trigger;
        }
    }

    /// The motion is over.
    pub(super) fn clear(&mut self, at: Instant) {
        if self.latest.lasts {
            self.latest = Trigger {
                at,
                lasts: false,
                ..self.latest
            };
            self.wanted = self.wanted.max(at + self.plan.after);
        }
    }

    /// No pictures come any more.
    pub(super) fn stop(&mut self, at: Instant) {
        self.latest.lasts = false;
        self.wanted = if self.is_stopped {
            self.wanted.min(at)
        } else {
            at
        };
        self.is_stopped = true;
    }

    /// What the next clip is of, if this one was too short for all.
    pub(super) fn rest(&self) -> Option<Trigger> {
        (self.latest.lasts || self.wanted > self.last).then_some(self.latest)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    fn plan() -> EventClipPlan {
        EventClipPlan {
            on: [ClipEvent::Motion, ClipEvent::Dark].into(),
            before: seconds(10),
            after: seconds(20),
            longest: seconds(120),
        }
    }

    #[test]
    fn events_during_a_clip_extend_it_up_to_the_longest() {
        let start = Instant::now();
        let at = |n| start + seconds(n);
        let mut clip = ClipSchedule::new(&plan(), start, Trigger::new(ClipEvent::Dark, at(10)));
        assert_eq!(clip.end(), at(30));
        clip.add(Trigger::new(ClipEvent::Motion, at(25)));
        assert_eq!(clip.end(), at(120), "as long as it lasts");
        clip.add(Trigger::new(ClipEvent::Dark, at(40)));
        assert_eq!(clip.end(), at(120), "it lasts all the same");
        clip.clear(at(50));
        assert_eq!((clip.end(), clip.rest()), (at(70), None));
        clip.clear(at(60));
        assert_eq!(clip.end(), at(70), "it is over once");
        let late = Trigger::new(ClipEvent::Dark, at(110));
        clip.add(late);
        assert_eq!((clip.end(), clip.rest()), (at(120), Some(late)));
    }

    #[test]
    fn lost_camera_ends_a_clip_at_once() {
        let start = Instant::now();
        let at = |n| start + seconds(n);
        let mut clip = ClipSchedule::new(&plan(), start, Trigger::new(ClipEvent::Motion, at(10)));
        assert_eq!(clip.rest().map(|rest| rest.event), Some(ClipEvent::Motion));
        clip.stop(at(15));
        assert_eq!((clip.end(), clip.rest()), (at(15), None));
        let offline = Trigger::new(ClipEvent::Offline, at(10));
        let clip = ClipSchedule::new(&plan(), start, offline);
        assert_eq!((clip.end(), clip.rest()), (at(10), None));
    }
}
