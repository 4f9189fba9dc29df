//! Writes clips by event to the disk.

use std::{sync::Arc, time::SystemTime};

use mjpeg_control::{Error, RecordingInfo, RecordingKind};
use mjpeg_manager::{mjpeg_fanout::RingFrame, mjpeg_http::MomentClock};
use mjpeg_timelapse::{TimelapseId, TimelapseSpec, TimelapseStore};
use tokio::sync::Semaphore;

use crate::{
    background::in_background,
    recordings::{
        Recordings,
        clip::{frame_bytes, kept_frame},
        refusal::refusal,
    },
};

/// Writes clips by event to the disk, a few frames at a time.
#[derive(Clone)]
pub(super) struct ClipDisk {
    recordings: Recordings,
    /// Those that write, of all streams. Each takes a thread.
    turns: Arc<Semaphore>,
}

/// A clip that is being made.
#[derive(Clone)]
pub(super) struct OpenClip {
    store: Arc<TimelapseStore>,
    id: TimelapseId,
}

impl ClipDisk {
    pub(super) fn new(recordings: &Recordings) -> Self {
        Self {
            recordings: recordings.clone(),
            turns: Arc::new(Semaphore::new(MOST_WRITERS)),
        }
    }

    pub(super) fn deleted(&self) -> u64 {
        self.recordings.0.room.deleted()
    }

    /// Makes a clip without frames.
    pub(super) async fn create(&self, spec: TimelapseSpec) -> Result<OpenClip, Error> {
        let inner = Arc::clone(&self.recordings.0);
        self.write(move || {
            let store = inner.clips.open()?;
            inner.room.make(&store, TimelapseStore::JOB_BYTES, 1);
            let job = store.create(&spec, SystemTime::now()).map_err(refusal)?;
            Ok(OpenClip { store, id: job.id })
        })
        .await
    }

    /// Adds frames to a clip.
    pub(super) async fn append(
        &self,
        clip: &OpenClip,
        frames: Vec<RingFrame>,
    ) -> Result<(), Error> {
        let inner = Arc::clone(&self.recordings.0);
        let OpenClip { store, id } = clip.clone();
        self.write(move || {
            let lengths = frames.iter().map(|frame| frame.frame().bytes().len());
            inner.room.make(&store, lengths.map(frame_bytes).sum(), 0);
            let clock = MomentClock::now_by_system();
            let frames: Vec<_> = frames.iter().map(|it| kept_frame(it, clock)).collect();
            store.append_all(&id, &frames).map(drop).map_err(refusal)
        })
        .await
    }

    /// Ends a clip for this reason. Returns it, or `None` if it has no frames, so that it was
    /// deleted, or if somebody else has deleted it.
    pub(super) async fn finish(
        &self,
        clip: OpenClip,
        reason: &'static str,
    ) -> Result<Option<RecordingInfo>, Error> {
        let OpenClip { store, id } = clip;
        let recordings = self.recordings.clone();
        self.write(move || {
            let Ok(job) = store.get(&id) else {
                return Ok(None);
            };
            if job.frames == 0 {
                return store.delete(&id).map_err(refusal).map(|()| None);
            }
            let ended = store.finish(&id, reason, SystemTime::now());
            let job = ended.and_then(|()| store.get(&id)).map_err(refusal)?;
            Ok(Some(recordings.show(RecordingKind::Clip, job)))
        })
        .await
    }

    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        // It is never closed.
        let _turn = self.turns.acquire().await;
        in_background(work).await
    }
}

/// A disk that hangs must not take all threads of the relay.
const MOST_WRITERS: usize = 4;
