//! Why pictures of time-lapses were not kept.

use std::{
    collections::HashMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use mjpeg_timelapse::TimelapseId;
use tracing::{info, warn};

/// Why the last picture of each time-lapse could not be kept, if so.
#[derive(Debug, Default)]
pub(super) struct TimelapseProblems {
    last: Mutex<HashMap<TimelapseId, String>>,
    /// Pictures that the camera did not send in time.
    missed: AtomicU64,
}

impl TimelapseProblems {
    pub(super) fn of(&self, id: &TimelapseId) -> Option<String> {
        self.lock().get(id).cloned()
    }

    pub(super) fn forget(&self, id: &TimelapseId) {
        self.lock().remove(id);
    }

    /// Notes that a picture did not come in time, and why.
    pub(super) fn note_missed(&self, id: &TimelapseId, stream: &str, problem: String) {
        self.missed.fetch_add(1, Ordering::Relaxed);
        self.note(id, stream, Some(problem));
    }

    /// How many pictures did not come in time.
    pub(super) fn missed(&self) -> u64 {
        self.missed.load(Ordering::Relaxed)
    }

    /// Notes why a picture could not be kept, or that one was. Logs what is new.
    pub(super) fn note(&self, id: &TimelapseId, stream: &str, problem: Option<String>) {
        let mut problems = self.lock();
        match problem {
            Some(problem) => {
                if problems.get(id) != Some(&problem) {
                    warn!(stream, %id, error = problem, "picture of a time-lapse not kept");
                }
                problems.insert(id.clone(), problem);
            }
            None => {
                if problems.remove(id).is_some() {
                    info!(stream, %id, "pictures of a time-lapse are kept again");
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<TimelapseId, String>> {
        // Nothing that is done under this lock can panic.
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
