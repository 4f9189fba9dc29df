//! The store: all jobs in a folder.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    path::{Path, PathBuf},
    slice,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use mjpeg_mux::ClipFormat;

use crate::{
    durable::sync_folder,
    error::Error,
    figures::{StoreCounters, TimelapseFigures},
    frame::TimelapseFrame,
    id::TimelapseId,
    job::{DamagedTimelapse, KeptFrame, TimelapseJob},
    job_file::JobFile,
    job_reader::JobReader,
    limits::{JOB_BYTES, MAX_BATCH_FRAMES, MAX_FRAME_BYTES, MAX_FRAMES, MAX_JOBS, MIN_FRAME_BYTES},
    movie::{TimelapseMovie, TimelapsePace},
    names::DELETED_PREFIX,
    opening::{StoreEntry, lock_folder, read_entries},
    space::DiskSpace,
    spec::{TimelapseSpec, check_text},
    stored_job::{DELETE, StoredJob},
};

/// All time-lapse jobs in a folder. Every method may block for as long as the disk takes, so it is
/// for threads that may block. Several threads may use a store at once: two jobs do not wait for
/// each other, and what only shows something does not wait for the disk.
#[derive(Debug)]
pub struct TimelapseStore {
    folder: PathBuf,
    /// Keeps other stores out of the folder.
    _lock: File,
    space: DiskSpace,
    counters: StoreCounters,
    /// How many jobs were made since the store was opened. Locked while one is made.
    made: Mutex<u64>,
    /// Held for moments, and locked after all others.
    entries: Mutex<BTreeMap<TimelapseId, StoreEntry>>,
}

impl TimelapseStore {
    /// The most jobs of a store, damaged ones included.
    pub const MAX_JOBS: usize = MAX_JOBS;
    /// The most frames of a job.
    pub const MAX_FRAMES: u64 = MAX_FRAMES;
    /// The fewest bytes of a frame.
    pub const MIN_FRAME_BYTES: usize = MIN_FRAME_BYTES;
    /// The most bytes of a frame.
    pub const MAX_FRAME_BYTES: usize = MAX_FRAME_BYTES;
    /// The most frames that are kept at once.
    pub const MAX_BATCH_FRAMES: usize = MAX_BATCH_FRAMES;
    /// What a job takes of the quota besides its frames, in bytes.
    pub const JOB_BYTES: u64 = JOB_BYTES;

    /// Opens the store in a folder, which is made if it does not exist. The folder above it must
    /// exist. All jobs are read, and what an interrupted append or deletion has left is removed.
    /// A job that cannot be read is listed by [`TimelapseStore::damaged`]. What the store has not
    /// made is left alone.
    ///
    /// `quota_bytes` is what all jobs may take: [`TimelapseStore::JOB_BYTES`] for each job, and for
    /// each frame its length and 32 bytes. If they take more already, nothing is deleted, and no
    /// frame is kept until there is room.
    ///
    /// # Errors
    ///
    /// Another store has the folder open ([`Error::InUse`]), or the folder cannot be made or read.
    pub fn open(folder: impl Into<PathBuf>, quota_bytes: u64) -> Result<Self, Error> {
        let folder = folder.into();
        let lock = lock_folder(&folder)?;
        let entries = read_entries(&folder).map_err(Error::io("reading the folder"))?;
        let used_bytes = entries.values().map(StoreEntry::bytes);
        let used_bytes = used_bytes.fold(0, u64::saturating_add);
        Ok(Self {
            folder,
            _lock: lock,
            space: DiskSpace::new(quota_bytes, used_bytes),
            counters: StoreCounters::default(),
            made: Mutex::new(0),
            entries: Mutex::new(entries),
        })
    }

    /// Makes a job. `now` is the time of its creation.
    ///
    /// # Errors
    ///
    /// A setting is out of bounds, there are [`TimelapseStore::MAX_JOBS`] jobs, the quota or the
    /// disk is full, or the disk failed. There is no new job then.
    pub fn create(&self, spec: &TimelapseSpec, now: SystemTime) -> Result<TimelapseJob, Error> {
        spec.check()?;
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if self.entries().len() >= MAX_JOBS {
            return Err(Error::TooManyJobs);
        }
        let reserved = self.space.reserve(JOB_BYTES)?;
        let id = loop {
            let id = TimelapseId::new(now, *made);
            *made += 1;
            // If the clock was set back, there may be such a job from an earlier run.
            if fs::symlink_metadata(self.folder.join(id.as_str())).is_err() {
                break id;
            }
        };
        let file = JobFile::new(spec, now);
        let job = StoredJob::create(&self.folder, id.clone(), file);
        let job = job.map_err(Error::io("making a recording"))?;
        reserved.keep();
        let shown = job.show();
        self.entries().insert(id, StoreEntry::Sound(Arc::new(job)));
        Ok(shown)
    }

    /// Keeps a frame of a job. When this returns `Ok`, the frame is safe on the disk.
    ///
    /// # Errors
    ///
    /// The frame was refused: [`TimelapseRefusal::of`] says why, in short. The job is as it was,
    /// and takes frames again as soon as there is room.
    ///
    /// [`TimelapseRefusal::of`]: crate::TimelapseRefusal::of
    pub fn append(&self, id: &TimelapseId, frame: &TimelapseFrame) -> Result<KeptFrame, Error> {
        let job = self.job(id);
        let kept = job.and_then(|job| job.append(slice::from_ref(frame), &self.space));
        self.counters.count(1, &kept);
        kept
    }

    /// Keeps several frames of a job, and waits for the disk as often as for one. When this returns
    /// `Ok`, all of them are safe on the disk. Returns where the last one is; `None` if there were
    /// none. There may be up to [`TimelapseStore::MAX_BATCH_FRAMES`], which together have up to
    /// [`TimelapseStore::MAX_FRAME_BYTES`].
    ///
    /// If the program ends meanwhile, the job may have the first ones of them.
    ///
    /// # Errors
    ///
    /// As for [`TimelapseStore::append`]; all frames were refused.
    pub fn append_all(
        &self,
        id: &TimelapseId,
        frames: &[TimelapseFrame],
    ) -> Result<Option<KeptFrame>, Error> {
        if frames.is_empty() {
            return self.job(id).map(|_| None);
        }
        let job = self.job(id);
        let kept = job.and_then(|job| job.append(frames, &self.space));
        self.counters.count(frames.len(), &kept);
        kept.map(Some)
    }

    /// Ends a job, which takes no frames any more. `reason` says why, in at most
    /// [`TimelapseSpec::MAX_TEXT_BYTES`] bytes without control characters. A job that has ended
    /// before keeps its reason and its time.
    ///
    /// # Errors
    ///
    /// There is no such job, or it is damaged; the reason is out of bounds; the disk is full or
    /// failed. The job then goes on.
    pub fn finish(&self, id: &TimelapseId, reason: &str, now: SystemTime) -> Result<(), Error> {
        check_text("reason", reason)?;
        self.job(id)?.finish(reason, now)
    }

    /// Deletes a job, damaged or not, with all its frames. Movies that are being made go on.
    ///
    /// # Errors
    ///
    /// There is no such job, or the disk failed. If it failed while the files were removed, the job
    /// is gone nevertheless, and what is left of them is removed when the store is opened again.
    pub fn delete(&self, id: &TimelapseId) -> Result<(), Error> {
        let entry = self.entries().get(id).cloned().ok_or(Error::NoJob)?;
        let grave = self.folder.join(format!("{DELETED_PREFIX}{id}"));
        match &entry {
            StoreEntry::Sound(job) => job.rename_away(&grave)?,
            StoreEntry::Damaged(_) => {
                fs::rename(self.folder.join(id.as_str()), &grave).map_err(Error::io(DELETE))?;
            }
        }
        self.entries().remove(id);
        self.space.free(entry.bytes());
        sync_folder(&self.folder)
            .and_then(|()| fs::remove_dir_all(&grave))
            .map_err(Error::io(DELETE))
    }

    /// Lists all jobs that are not damaged, by id: the oldest comes first.
    pub fn list(&self) -> Vec<TimelapseJob> {
        let entries = self.entries();
        let jobs = entries.values().filter_map(StoreEntry::job);
        jobs.map(|job| job.show()).collect()
    }

    /// Lists the damaged jobs, by id.
    pub fn damaged(&self) -> Vec<DamagedTimelapse> {
        let entries = self.entries();
        let damaged = entries.values().filter_map(StoreEntry::damaged);
        damaged.cloned().collect()
    }

    /// Returns a job as it is now.
    ///
    /// # Errors
    ///
    /// There is no such job, or it is damaged.
    pub fn get(&self, id: &TimelapseId) -> Result<TimelapseJob, Error> {
        Ok(self.job(id)?.show())
    }

    /// Reads a frame of a job. Frames are numbered from 0.
    ///
    /// # Errors
    ///
    /// There is no such job or no such frame, or it is damaged.
    pub fn frame(&self, id: &TimelapseId, number: u64) -> Result<TimelapseFrame, Error> {
        let job = self.job(id)?;
        if number >= job.show().frames {
            return Err(Error::NoFrame { number });
        }
        let mut reader = self.reader(id, job.folder())?;
        let record = reader
            .record(number)
            .map_err(Error::io("reading an index"))?;
        let frame = record.and_then(|record| reader.frame(&record));
        frame.ok_or(Error::DamagedFrame { number })
    }

    /// Makes a movie of the frames that a job has now.
    ///
    /// # Errors
    ///
    /// There is no such job, or it is damaged or has no frame; the frames per second are out of
    /// bounds; the movie would be too large or too long for the format.
    pub fn movie(
        &self,
        id: &TimelapseId,
        format: ClipFormat,
        pace: TimelapsePace,
    ) -> Result<TimelapseMovie, Error> {
        let job = self.job(id)?;
        let frames = job.show().frames;
        let reader = self.reader(id, job.folder())?;
        TimelapseMovie::new(reader, frames, format, pace)
    }

    /// Returns what was counted since the store was opened, and what the jobs take.
    pub fn figures(&self) -> TimelapseFigures {
        let space = &self.space;
        self.counters
            .figures(space.used_bytes(), space.quota_bytes())
    }

    fn job(&self, id: &TimelapseId) -> Result<Arc<StoredJob>, Error> {
        match self.entries().get(id) {
            None => Err(Error::NoJob),
            Some(StoreEntry::Sound(job)) => Ok(Arc::clone(job)),
            Some(StoreEntry::Damaged(damaged)) => Err(Error::DamagedJob {
                reason: damaged.reason.clone(),
            }),
        }
    }

    fn reader(&self, id: &TimelapseId, folder: &Path) -> Result<JobReader, Error> {
        JobReader::open(folder).map_err(|error| {
            // It may have been deleted since it was looked up.
            let gone = self.job(id).err();
            gone.unwrap_or_else(|| Error::io("opening a recording")(error))
        })
    }

    fn entries(&self) -> MutexGuard<'_, BTreeMap<TimelapseId, StoreEntry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
