//! A job whose files are in order.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use crate::{
    clock::{micros, time},
    damage::JobDamage,
    durable::{make_folder, new_file, open_file, read_file, replace_file, sync_folder},
    error::Error,
    frame::TimelapseFrame,
    id::TimelapseId,
    job::{KeptFrame, TimelapseJob},
    job_file::JobFile,
    job_writer::JobWriter,
    limits::{JOB_BYTES, MAX_BATCH_FRAMES, MAX_FRAME_BYTES, MIN_FRAME_BYTES},
    names::{DATA_NAME, INDEX_NAME, JOB_NAME, NEW_PREFIX},
    record::{IndexRecord, RECORD_BYTES},
    recovery::{Recovered, recover},
    space::DiskSpace,
};

/// A job whose files are in order.
#[derive(Debug)]
pub(crate) struct StoredJob {
    id: TimelapseId,
    folder: PathBuf,
    /// Held while files are written, which takes as long as the disk does.
    writer: Mutex<JobWriter>,
    /// What is shown. Held for moments, and locked after the writer.
    known: Mutex<KnownJob>,
}

/// What is known of a job without its files.
#[derive(Debug)]
struct KnownJob {
    file: JobFile,
    kept: Recovered,
    refused: u64,
}

impl StoredJob {
    /// Makes the files of a new job: first in a folder of another name, so that no folder with the
    /// name of a job lacks a file.
    pub(crate) fn create(store: &Path, id: TimelapseId, file: JobFile) -> io::Result<Self> {
        let new = store.join(format!("{NEW_PREFIX}{id}"));
        let folder = store.join(id.as_str());
        let made = make_files(&new, &file)
            .and_then(|()| fs::rename(&new, &folder))
            .and_then(|()| sync_folder(store));
        if let Err(error) = made {
            // Whatever is left is removed when the store is opened again, or is an empty job.
            let _ = fs::remove_dir_all(&new);
            let _ = fs::remove_dir_all(&folder);
            return Err(error);
        }
        let kept = Recovered {
            frames: 0,
            data_bytes: 0,
            first_us: None,
            last_us: None,
        };
        Ok(Self::new(id, folder, file, kept))
    }

    /// Reads the files of a job, and cuts off what an interrupted append has left.
    pub(crate) fn load(folder: PathBuf, id: TimelapseId) -> Result<Self, JobDamage> {
        let bytes = read_file(&folder.join(JOB_NAME), JOB_BYTES);
        let file = JobFile::parse(&bytes.map_err(JobDamage::file(JOB_NAME))?)?;
        let open = |name| -> Result<(File, u64), JobDamage> {
            let file = open_file(&folder.join(name), true).map_err(JobDamage::file(name))?;
            let metadata = file.metadata().map_err(JobDamage::file(name))?;
            Ok((file, metadata.len()))
        };
        let (index, index_bytes) = open(INDEX_NAME)?;
        let (data, data_bytes) = open(DATA_NAME)?;
        let kept = recover(&index, index_bytes, data_bytes, file.has_batches());
        let kept = kept.map_err(JobDamage::file(INDEX_NAME))?;
        let kept = kept.ok_or(JobDamage::TooManyFrames)?;
        // The index first: a record without data would be worse than data without a record.
        cut(&index, index_bytes, kept.frames * RECORD_BYTES)
            .map_err(JobDamage::file(INDEX_NAME))?;
        cut(&data, data_bytes, kept.data_bytes).map_err(JobDamage::file(DATA_NAME))?;
        Ok(Self::new(id, folder, file, kept))
    }

    fn new(id: TimelapseId, folder: PathBuf, file: JobFile, kept: Recovered) -> Self {
        Self {
            id,
            folder,
            writer: Mutex::default(),
            known: Mutex::new(KnownJob {
                file,
                kept,
                refused: 0,
            }),
        }
    }

    /// Keeps frames, at least one. When this returns, they are safe on the disk, or the job is as
    /// it was. Returns where the last one is.
    pub(crate) fn append(
        &self,
        frames: &[TimelapseFrame],
        space: &DiskSpace,
    ) -> Result<KeptFrame, Error> {
        let mut writer = lock(&self.writer);
        let kept = self.try_append(&mut writer, frames, space);
        if kept.is_err() {
            lock(&self.known).refused += frames.len() as u64;
        }
        kept
    }

    fn try_append(
        &self,
        writer: &mut JobWriter,
        frames: &[TimelapseFrame],
        space: &DiskSpace,
    ) -> Result<KeptFrame, Error> {
        let bytes = check_lengths(frames)?;
        let count = frames.len() as u64;
        let (kept, room) = self.room(writer, count)?;
        let reserved = space.reserve(bytes + count * RECORD_BYTES)?;
        if count > 1 {
            self.expect_batches()?;
        }
        let mut after = kept;
        let mut written = Vec::with_capacity(frames.len());
        for frame in frames {
            let record = IndexRecord {
                offset: after.data_bytes,
                at_us: micros(frame.at),
                length: frame.jpeg.len() as u32,
                width: frame.width,
                height: frame.height,
                jpeg_crc: crc32fast::hash(&frame.jpeg),
            };
            after = Recovered {
                frames: after.frames + 1,
                data_bytes: record.end(),
                first_us: if after.frames == 0 {
                    Some(record.at_us)
                } else {
                    after.first_us
                },
                last_us: Some(record.at_us),
            };
            written.push((record, &*frame.jpeg));
        }
        writer.write(&self.folder, &kept, &written)?;
        reserved.keep();
        lock(&self.known).kept = after;
        Ok(KeptFrame {
            number: after.frames - 1,
            is_last: after.frames >= room,
        })
    }

    /// Notes on the disk that several frames may be written at once, before they are.
    fn expect_batches(&self) -> Result<(), Error> {
        let file = lock(&self.known).file.clone();
        if !file.has_batches() {
            let file = file.with_batches();
            replace_file(&self.folder, JOB_NAME, &file.print())
                .map_err(Error::io("keeping frames"))?;
            lock(&self.known).file = file;
        }
        Ok(())
    }

    /// Returns what is kept, and how many frames the job can have, if it takes so many more.
    fn room(&self, writer: &JobWriter, more: u64) -> Result<(Recovered, u64), Error> {
        check_there(writer)?;
        let known = lock(&self.known);
        if known.file.has_ended() {
            return Err(Error::Ended);
        }
        let (kept, room) = (known.kept, known.file.spec().room());
        if kept.frames.saturating_add(more) > room {
            return Err(Error::JobFull {
                frames: kept.frames,
            });
        }
        Ok((kept, room))
    }

    /// Ends the job. One that has ended keeps its first reason.
    pub(crate) fn finish(&self, reason: &str, at: SystemTime) -> Result<(), Error> {
        let mut writer = lock(&self.writer);
        check_there(&writer)?;
        let file = lock(&self.known).file.clone();
        if file.has_ended() {
            return Ok(());
        }
        let ended = file.end(reason, at);
        replace_file(&self.folder, JOB_NAME, &ended.print())
            .map_err(Error::io("ending a recording"))?;
        lock(&self.known).file = ended;
        writer.files = None;
        Ok(())
    }

    /// Renames the folder, so that the job does not exist any more.
    pub(crate) fn rename_away(&self, target: &Path) -> Result<(), Error> {
        let mut writer = lock(&self.writer);
        check_there(&writer)?;
        fs::rename(&self.folder, target).map_err(Error::io(DELETE))?;
        writer.is_deleted = true;
        writer.files = None;
        Ok(())
    }

    pub(crate) fn show(&self) -> TimelapseJob {
        let known = lock(&self.known);
        TimelapseJob {
            id: self.id.clone(),
            spec: known.file.spec(),
            created: known.file.created(),
            state: known.file.state(),
            frames: known.kept.frames,
            bytes: known.bytes(),
            first: known.kept.first_us.map(time),
            last: known.kept.last_us.map(time),
            refused: known.refused,
        }
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }
}

impl KnownJob {
    fn bytes(&self) -> u64 {
        JOB_BYTES + self.kept.frames * RECORD_BYTES + self.kept.data_bytes
    }
}

/// Returns how many bytes the frames have together.
fn check_lengths(frames: &[TimelapseFrame]) -> Result<u64, Error> {
    let lengths = || frames.iter().map(|frame| frame.jpeg.len());
    let allowed = MIN_FRAME_BYTES..=MAX_FRAME_BYTES;
    if let Some(bytes) = lengths().find(|bytes| !allowed.contains(bytes)) {
        return Err(Error::FrameLength { bytes });
    }
    let (frames, bytes) = (frames.len(), lengths().map(|bytes| bytes as u64).sum());
    if frames > MAX_BATCH_FRAMES || bytes > MAX_FRAME_BYTES as u64 {
        return Err(Error::BatchLength { frames, bytes });
    }
    Ok(bytes)
}

fn check_there(writer: &JobWriter) -> Result<(), Error> {
    (!writer.is_deleted).then_some(()).ok_or(Error::NoJob)
}

fn make_files(folder: &Path, file: &JobFile) -> io::Result<()> {
    make_folder(folder)?;
    new_file(&folder.join(JOB_NAME), &file.print())?;
    new_file(&folder.join(DATA_NAME), &[])?;
    new_file(&folder.join(INDEX_NAME), &[])?;
    sync_folder(folder)
}

fn cut(file: &File, bytes: u64, kept: u64) -> io::Result<()> {
    if bytes == kept {
        return Ok(());
    }
    file.set_len(kept)?;
    file.sync_all()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) const DELETE: &str = "deleting a recording";
