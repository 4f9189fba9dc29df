//! What is counted of recordings.

use mjpeg_timelapse::{TimelapseFigures, TimelapseState};

use super::{Recordings, slot::StoreSlot};

/// What is counted of all clips, or of all time-lapses.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RecordingFigures {
    /// How many there are, damaged ones included.
    pub(crate) held: u64,
    /// How many of them are running.
    pub(crate) running: u64,
    pub(crate) quota_bytes: u64,
    /// `None` while nothing has been kept.
    pub(crate) store: Option<TimelapseFigures>,
    /// Pictures that the camera did not send in time.
    pub(crate) missed: u64,
}

impl Recordings {
    /// Reads the figures of clips, and those of time-lapses.
    pub(crate) fn figures(&self) -> [RecordingFigures; 2] {
        let timelapses = RecordingFigures {
            missed: self.0.problems.missed(),
            ..RecordingFigures::of(&self.0.timelapses)
        };
        [RecordingFigures::of(&self.0.clips), timelapses]
    }
}

impl RecordingFigures {
    fn of(slot: &StoreSlot) -> Self {
        let quota_bytes = slot.quota();
        let Some(store) = slot.opened() else {
            return Self {
                quota_bytes,
                ..Self::default()
            };
        };
        let jobs = store.list();
        let running = jobs.iter();
        let running = running.filter(|job| job.state == TimelapseState::Running);
        Self {
            held: (jobs.len() + store.damaged().len()) as u64,
            running: running.count() as u64,
            quota_bytes,
            store: Some(store.figures()),
            missed: 0,
        }
    }
}
