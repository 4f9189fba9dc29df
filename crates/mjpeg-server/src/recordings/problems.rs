//! Why pictures of time-lapses were not kept.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use mjpeg_timelapse::TimelapseId;
use tracing::{info, warn};

/// Why the last picture of each time-lapse could not be kept, if so.
#[derive(Debug, Default)]
pub(super) struct TimelapseProblems(Mutex<HashMap<TimelapseId, String>>);

impl TimelapseProblems {
    pub(super) fn of(&self, id: &TimelapseId) -> Option<String> {
        self.lock().get(id).cloned()
    }

    pub(super) fn forget(&self, id: &TimelapseId) {
        self.lock().remove(id);
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
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
