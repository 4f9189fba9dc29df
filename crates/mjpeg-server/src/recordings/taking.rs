//! Takes the pictures of a time-lapse.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use mjpeg_manager::{Manager, mjpeg_fanout::Published};
use mjpeg_timelapse::{
    Error as StoreError, KeptFrame, TimelapseFrame, TimelapseId, TimelapseSpec, TimelapseStore,
};
use tokio::time::{Instant, sleep, timeout};

use super::{problems::TimelapseProblems, refusal::text};
use crate::background::in_background;

/// A time-lapse that runs.
pub(super) struct Taking {
    pub(super) problems: Arc<TimelapseProblems>,
    pub(super) manager: Manager,
    pub(super) store: Arc<TimelapseStore>,
    pub(super) id: TimelapseId,
    pub(super) spec: TimelapseSpec,
    pub(super) created: SystemTime,
}

/// What becomes of a time-lapse after a picture.
#[derive(Clone, Copy, PartialEq, Eq)]
enum After {
    GoesOn,
    Over,
}

impl Taking {
    /// Takes a picture whenever one is due, until the time-lapse ends.
    pub(super) async fn run(self) {
        // Which picture is due, and which was the last one.
        let mut taken = None;
        loop {
            let now = SystemTime::now();
            let next = self.spec.every().map(|every| self.next_due(every, now));
            // The wall clock may be a little behind the one that sleeps.
            let next = next.filter(|(number, _)| taken != Some(*number));
            let due = match (next, self.spec.every()) {
                (Some((_, due)), _) => Some(due),
                (None, every) => every.map(|every| every / 2),
            };
            let ends = self.spec.until().map(|until| {
                // A time that is over.
                until.duration_since(now).unwrap_or_default()
            });
            // In steps, as the wall clock may be set meanwhile.
            let step = LONGEST_SLEEP.min(due.unwrap_or(LONGEST_SLEEP));
            match ends {
                Some(Duration::ZERO) => return self.end("until").await,
                Some(ends) if ends <= step => {
                    sleep(ends).await;
                    continue;
                }
                _ => sleep(step).await,
            }
            let Some((number, due)) = next else {
                continue;
            };
            if due <= step {
                taken = Some(number);
                if self.take().await == After::Over {
                    return;
                }
            }
        }
    }

    /// Which picture is due next, and how long that is ahead: whole intervals after the beginning,
    /// so that pictures stay evenly apart, however long one takes, and over restarts.
    fn next_due(&self, every: Duration, now: SystemTime) -> (u128, Duration) {
        let since = now.duration_since(self.created).unwrap_or_default();
        let every_us = every.as_micros().max(1);
        let number = since.as_micros() / every_us + 1;
        let left = number * every_us - since.as_micros();
        (
            number,
            Duration::from_micros(u64::try_from(left).unwrap_or(u64::MAX)),
        )
    }

    async fn take(&self) -> After {
        let patience = self
            .spec
            .every()
            .unwrap_or(PATIENCE)
            .clamp(LEAST_PATIENCE, PATIENCE);
        let taken = next_frame(&self.manager, self.spec.stream(), patience).await;
        let (store, id) = (Arc::clone(&self.store), self.id.clone());
        let problem = match taken {
            Err(problem) => {
                let stream = self.spec.stream();
                self.problems.note_missed(&self.id, stream, problem);
                return After::GoesOn;
            }
            Ok(frame) => match in_background(move || keep(&store, &id, &frame)).await {
                Ok(kept) if kept.is_last => {
                    self.end(MAX_FRAMES).await;
                    return After::Over;
                }
                Ok(_) => None,
                Err(StoreError::JobFull { .. }) => {
                    self.end(MAX_FRAMES).await;
                    return After::Over;
                }
                // Somebody has ended or deleted it.
                Err(StoreError::Ended | StoreError::NoJob) => return After::Over,
                Err(error) => Some(text(&error)),
            },
        };
        self.note(problem);
        After::GoesOn
    }

    async fn end(&self, reason: &'static str) {
        loop {
            let (store, id) = (Arc::clone(&self.store), self.id.clone());
            let ended = in_background(move || store.finish(&id, reason, SystemTime::now())).await;
            match ended {
                Ok(()) | Err(StoreError::NoJob) => return self.note(None),
                // Such as a full disk. It takes no pictures meanwhile.
                Err(error) => self.note(Some(text(&error))),
            }
            sleep(LONGEST_SLEEP).await;
        }
    }

    fn note(&self, problem: Option<String>) {
        self.problems.note(&self.id, self.spec.stream(), problem);
    }
}

/// Waits for the next picture of a stream: one that is captured from now on. A camera that is read
/// on demand is connected for it.
pub(super) async fn next_frame(
    manager: &Manager,
    stream: &str,
    patience: Duration,
) -> Result<Arc<Published>, String> {
    let consumer = manager.observe(stream);
    let mut consumer = consumer.map_err(|_| "the stream is not there".to_owned())?;
    let _viewing = consumer.viewing();
    let asked = Instant::now().into_std();
    let fresh = async {
        loop {
            let picture = consumer.next().await?;
            if !picture.is_placeholder && picture.stamp.monotonic() >= asked {
                return Some(picture);
            }
        }
    };
    match timeout(patience, fresh).await {
        Ok(Some(picture)) => Ok(picture),
        Ok(None) => Err("the stream has been stopped".into()),
        Err(_) => Err("the camera has sent no picture in time".into()),
    }
}

/// Keeps a picture.
pub(super) fn keep(
    store: &TimelapseStore,
    id: &TimelapseId,
    picture: &Published,
) -> Result<KeptFrame, StoreError> {
    let frame = &picture.frame;
    let (width, height) = (frame.width(), frame.height());
    let at = picture.stamp.received();
    let frame = TimelapseFrame::new(frame.bytes().clone(), at, width, height);
    store.append(id, &frame)
}

/// How long a camera may take for the next picture.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
const LEAST_PATIENCE: Duration = Duration::from_secs(1);

/// Why a time-lapse ended that has all its pictures.
pub(super) const MAX_FRAMES: &str = "max_frames";

const LONGEST_SLEEP: Duration = Duration::from_secs(30);
