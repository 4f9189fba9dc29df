//! Clips and time-lapses: pictures that outlast the relay, on the disk.

pub(crate) mod by_event;
mod clip;
pub(crate) mod figures;
mod files;
mod on_request;
mod problems;
mod refusal;
mod room;
mod shown;
mod slot;
mod taking;

use std::{
    collections::HashMap,
    fmt,
    path::PathBuf,
    slice,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use bytes::Bytes;
use mjpeg_control::{
    Archive, ArchiveList, Error, ErrorCode, MovieRequest, RecordingFile, RecordingInfo,
    RecordingKind, RecordingRequest,
};
use mjpeg_manager::{Manager, StreamName};
use mjpeg_timelapse::{
    Error as StoreError, TimelapseId, TimelapseJob, TimelapseSpec, TimelapseState, TimelapseStore,
};
use tokio::sync::Semaphore;
use tracing::{info, warn};

use self::{
    on_request::AskedPicture,
    problems::TimelapseProblems,
    refusal::{missing, refusal},
    room::ClipRoom,
    shown::{parse_id, print_id, shown},
    slot::StoreSlot,
};
use crate::background::{OwnedTask, in_background};

/// What recordings may take on the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RecordingPlan {
    /// Where the relay keeps what must survive a restart, if it has such a folder.
    pub(crate) state_dir: Option<PathBuf>,
    pub(crate) max_clip_bytes: u64,
    pub(crate) max_timelapse_bytes: u64,
}

/// The clips and time-lapses of a relay. Cheap to clone; all clones are one.
#[derive(Clone)]
pub(crate) struct Recordings(Arc<RecordingsInner>);

impl fmt::Debug for Recordings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recordings").finish_non_exhaustive()
    }
}

struct RecordingsInner {
    manager: Manager,
    clips: StoreSlot,
    room: ClipRoom,
    timelapses: StoreSlot,
    /// Those that take pictures by themselves.
    running: Mutex<HashMap<TimelapseId, OwnedTask>>,
    problems: Arc<TimelapseProblems>,
    downloads: Arc<Semaphore>,
}

impl Recordings {
    /// Opens what is there. Time-lapses go on.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub(crate) fn new(manager: Manager, plan: &RecordingPlan) -> Self {
        let slot = |name, quota| {
            let folder = plan.state_dir.as_ref().map(|folder| folder.join(name));
            StoreSlot::new(folder, quota)
        };
        Self(Arc::new(RecordingsInner {
            manager,
            clips: slot("clips", plan.max_clip_bytes),
            room: ClipRoom::default(),
            timelapses: slot("timelapses", plan.max_timelapse_bytes),
            running: Mutex::default(),
            problems: Arc::default(),
            downloads: Arc::new(Semaphore::new(MOST_DOWNLOADS)),
        }))
    }

    /// Goes on with the time-lapses of an earlier run. A folder that cannot be opened is logged:
    /// cameras are more important.
    pub(crate) async fn resume(&self) {
        let inner = Arc::clone(&self.0);
        let opened = in_background(move || {
            let clips = inner.clips.open_existing();
            if let Some(clips) = inner.clips.opened() {
                clip::end_interrupted(&clips);
            }
            inner.timelapses.open_existing().and(clips)
        });
        if let Err(error) = opened.await {
            warn!(%error, "recordings cannot be read");
        }
        let Some(store) = self.0.timelapses.opened() else {
            return;
        };
        for job in store.list() {
            if job.state == TimelapseState::Running {
                info!(stream = job.spec.stream(), id = %job.id, "time-lapse goes on");
                self.run(&store, &job);
            }
        }
    }

    /// Takes pictures of a time-lapse by itself, if it is one that does.
    fn run(&self, store: &Arc<TimelapseStore>, job: &TimelapseJob) {
        let task = taking::Taking {
            problems: Arc::clone(&self.0.problems),
            manager: self.0.manager.clone(),
            store: Arc::clone(store),
            id: job.id.clone(),
            spec: job.spec.clone(),
            created: job.created,
        };
        self.0
            .running()
            .insert(job.id.clone(), OwnedTask::start(task.run()));
    }

    /// Finds the store of an id, and the id in it.
    fn stored(&self, id: &str) -> Result<(RecordingKind, Arc<TimelapseStore>, TimelapseId), Error> {
        let (kind, id) = parse_id(id).ok_or_else(missing)?;
        let store = self.slot(kind).opened().ok_or_else(missing)?;
        Ok((kind, store, id))
    }

    fn slot(&self, kind: RecordingKind) -> &StoreSlot {
        match kind {
            RecordingKind::Clip => &self.0.clips,
            _ => &self.0.timelapses,
        }
    }

    fn show(&self, kind: RecordingKind, job: TimelapseJob) -> RecordingInfo {
        let mut shown = shown(kind, &job);
        shown.problem = self.0.problems.of(&job.id);
        shown
    }

    fn asked_picture<'r>(&'r self, store: &'r Arc<TimelapseStore>) -> AskedPicture<'r> {
        AskedPicture {
            manager: &self.0.manager,
            problems: &self.0.problems,
            store,
        }
    }

    async fn begin(&self, spec: TimelapseSpec) -> Result<RecordingInfo, Error> {
        let inner = Arc::clone(&self.0);
        let made = in_background(move || {
            let store = inner.timelapses.open()?;
            let job = store.create(&spec, SystemTime::now()).map_err(refusal)?;
            Ok::<_, Error>((store, job))
        });
        let (store, job) = made.await?;
        self.run(&store, &job);
        Ok(self.show(RecordingKind::Timelapse, job))
    }
}

impl RecordingsInner {
    fn running(&self) -> MutexGuard<'_, HashMap<TimelapseId, OwnedTask>> {
        // Nothing that is done under this lock can panic.
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Archive for Recordings {
    fn list(&self, kind: RecordingKind) -> ArchiveList {
        let slot = self.slot(kind);
        let mut list = ArchiveList::default();
        list.quota_bytes = slot.quota();
        let Some(store) = slot.opened() else {
            return list;
        };
        let jobs = store.list().into_iter();
        list.recordings = jobs.map(|job| self.show(kind, job)).collect();
        let damaged = store.damaged().into_iter();
        let damaged = damaged.map(|job| (print_id(kind, &job.id), job.reason, job.bytes));
        list.damaged = damaged.collect();
        list.used_bytes = store.figures().used_bytes;
        list
    }

    fn find(&self, id: &str) -> Option<RecordingInfo> {
        let (kind, store, id) = self.stored(id).ok()?;
        Some(self.show(kind, store.get(&id).ok()?))
    }

    async fn create(&self, wanted: RecordingRequest) -> Result<RecordingInfo, Error> {
        match wanted {
            RecordingRequest::Clip {
                stream,
                from,
                to,
                title,
            } => {
                let source = clip::ClipSource::of(&self.0.manager, &stream)?;
                let spec = TimelapseSpec::new(stream.as_str()).with_title(title);
                let inner = Arc::clone(&self.0);
                let frames = source.frames(from, to).await?;
                let kept = in_background(move || {
                    inner.room.make_for(&inner.clips, frames.bytes());
                    clip::keep(&inner.clips, &spec, frames)
                });
                let job = kept.await?;
                Ok(self.show(RecordingKind::Clip, job))
            }
            RecordingRequest::Timelapse {
                stream,
                title,
                every_s,
                until,
                max_frames,
                fps,
            } => {
                let every = every_s.map(|every| {
                    let every = Duration::try_from_secs_f64(every).ok();
                    every.unwrap_or(Duration::MAX)
                });
                let spec = TimelapseSpec::new(stream.as_str())
                    .with_title(title)
                    .with_every(every)
                    .with_until(until)
                    .with_max_frames(max_frames)
                    .with_fps(fps.unwrap_or(TimelapseSpec::DEFAULT_FPS));
                self.begin(spec).await
            }
            _ => Err(missing()),
        }
    }

    async fn take(&self, id: &str) -> Result<u64, Error> {
        let (_, store, id) = self.stored(id)?;
        let job = store.get(&id).map_err(refusal)?;
        if job.state != TimelapseState::Running {
            return Err(refusal(StoreError::Ended));
        }
        let asked = self.asked_picture(&store);
        let taken = asked.take(job.spec.stream(), slice::from_ref(&job)).await;
        taken.into_iter().next().unwrap_or_else(|| Err(missing()))
    }

    async fn take_all(&self, stream: &StreamName) -> Result<Vec<RecordingInfo>, Error> {
        let store = self.0.timelapses.opened().ok_or_else(on_request::none)?;
        let jobs = on_request::of_stream(&store, stream);
        if jobs.is_empty() {
            return Err(on_request::none());
        }
        let taken = self
            .asked_picture(&store)
            .take(stream.as_str(), &jobs)
            .await;
        if !taken.iter().any(Result::is_ok) {
            let first = taken.into_iter().find_map(Result::err);
            return Err(first.unwrap_or_else(on_request::none));
        }
        let jobs = jobs.iter().filter_map(|job| store.get(&job.id).ok());
        let shown = jobs.map(|job| self.show(RecordingKind::Timelapse, job));
        Ok(shown.collect())
    }

    async fn finish_all(&self, stream: &StreamName) -> Result<Vec<RecordingInfo>, Error> {
        let Some(store) = self.0.timelapses.opened() else {
            return Ok(Vec::new());
        };
        let mut ended = Vec::new();
        for job in on_request::of_stream(&store, stream) {
            let id = print_id(RecordingKind::Timelapse, &job.id);
            ended.push(self.finish(&id).await);
        }
        ended.into_iter().collect()
    }

    async fn finish(&self, id: &str) -> Result<RecordingInfo, Error> {
        let (kind, store, id) = self.stored(id)?;
        let (finishing, of_job) = (Arc::clone(&store), id.clone());
        let ended = in_background(move || {
            finishing.finish(&of_job, FINISHED, SystemTime::now())?;
            finishing.get(&of_job)
        });
        let job = ended.await.map_err(refusal)?;
        self.0.running().remove(&id);
        Ok(self.show(kind, job))
    }

    async fn delete(&self, id: &str) -> Result<(), Error> {
        let (_, store, id) = self.stored(id)?;
        // Before its files go.
        drop(self.0.running().remove(&id));
        let of_job = id.clone();
        let deleted = in_background(move || store.delete(&of_job)).await;
        self.0.problems.forget(&id);
        deleted.map_err(refusal)
    }

    async fn movie(&self, id: &str, wanted: MovieRequest) -> Result<RecordingFile, Error> {
        let (kind, store, id) = self.stored(id)?;
        let place = Arc::clone(&self.0.downloads).try_acquire_owned();
        let place = place.map_err(|_| {
            Error::new(
                ErrorCode::Busy,
                "as many downloads as allowed are under way",
            )
        })?;
        files::movie((kind, store, id), wanted, place).await
    }

    async fn picture(&self, id: &str, number: Option<u64>) -> Result<Bytes, Error> {
        let (_, store, id) = self.stored(id)?;
        let read = in_background(move || {
            let last = || store.get(&id).map(|job| job.frames.saturating_sub(1));
            let number = number.map_or_else(last, Ok)?;
            store.frame(&id, number)
        });
        read.await.map(|frame| frame.jpeg).map_err(refusal)
    }
}

/// Why a time-lapse ended that somebody has ended.
const FINISHED: &str = "finished";

/// Each takes a thread.
const MOST_DOWNLOADS: usize = 8;
