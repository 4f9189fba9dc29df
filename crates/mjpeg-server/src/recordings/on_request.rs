//! Time-lapses that take a picture whenever they are asked to.

use std::{sync::Arc, time::SystemTime};

use mjpeg_control::{Error, ErrorCode};
use mjpeg_manager::{Manager, StreamName, mjpeg_fanout::Published};
use mjpeg_timelapse::{TimelapseJob, TimelapseState, TimelapseStore};

use super::{
    problems::TimelapseProblems,
    refusal::{refusal, text},
    taking::{MAX_FRAMES, PATIENCE, keep, next_frame},
};
use crate::background::in_background;

/// Lists those of a stream that are running.
pub(super) fn of_stream(store: &TimelapseStore, stream: &StreamName) -> Vec<TimelapseJob> {
    let mut jobs = store.list();
    jobs.retain(|job| {
        let is_running = job.state == TimelapseState::Running;
        is_running && job.spec.every().is_none() && job.spec.stream() == stream.as_str()
    });
    jobs
}

/// What the API answers if there is none.
pub(super) fn none() -> Error {
    let detail = "no time-lapse of the stream is running that takes pictures on request";
    let error = Error::new(ErrorCode::NotPossible, detail);
    error.with_hint("start one without every_s: POST /api/v1/timelapses")
}

/// A picture that somebody asks for.
pub(super) struct AskedPicture<'r> {
    pub(super) manager: &'r Manager,
    pub(super) problems: &'r TimelapseProblems,
    pub(super) store: &'r Arc<TimelapseStore>,
}

impl AskedPicture<'_> {
    /// Keeps the next picture of a stream in each of these time-lapses, and returns its numbers. A
    /// time-lapse that cannot keep it does not keep the others from it.
    pub(super) async fn take(
        &self,
        stream: &str,
        jobs: &[TimelapseJob],
    ) -> Vec<Result<u64, Error>> {
        let picture = next_frame(self.manager, stream, PATIENCE).await;
        let mut taken = Vec::new();
        for job in jobs {
            taken.push(match &picture {
                Ok(picture) => self.keep(job, picture).await,
                Err(text) => {
                    self.problems.note_missed(&job.id, stream, text.clone());
                    Err(Error::new(ErrorCode::NotReading, text))
                }
            });
        }
        taken
    }

    async fn keep(&self, job: &TimelapseJob, picture: &Arc<Published>) -> Result<u64, Error> {
        let (store, id) = (Arc::clone(self.store), job.id.clone());
        let picture = Arc::clone(picture);
        let kept = in_background(move || {
            let kept = keep(&store, &id, &picture)?;
            if kept.is_last {
                // If that fails, the next picture is refused all the same.
                let _ = store.finish(&id, MAX_FRAMES, SystemTime::now());
            }
            Ok(kept)
        });
        let kept = kept.await;
        let problem = kept.as_ref().err().map(text);
        self.problems.note(&job.id, job.spec.stream(), problem);
        kept.map(|kept| kept.number).map_err(refusal)
    }
}
