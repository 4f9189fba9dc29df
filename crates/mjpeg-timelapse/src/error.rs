//! The error of this crate.

use std::{io, path::PathBuf};

use crate::limits::{MAX_BATCH_FRAMES, MAX_FRAME_BYTES, MAX_JOBS, MIN_FRAME_BYTES};

/// Why a store refused or could not do something.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another store has the folder open, in this process or in another one. The fault is in the
    /// configuration: two programs were given the same folder.
    #[error("{} is in use by another program", folder.display())]
    InUse {
        /// The folder of the store.
        folder: PathBuf,
    },
    /// The caller's id is none that a store makes.
    #[error("the id of a recording has 1 to 40 letters a-z, digits and hyphens")]
    InvalidId,
    /// A setting of the caller's specification is out of bounds.
    #[error("{setting} must be {allowed}")]
    InvalidSetting {
        /// The name of the setting, such as `fps`.
        setting: &'static str,
        /// What it may be.
        allowed: String,
    },
    /// The store is full ([`TimelapseStore::MAX_JOBS`](crate::TimelapseStore::MAX_JOBS)). A job
    /// must be deleted first.
    #[error("there can be at most {MAX_JOBS} recordings of a kind")]
    TooManyJobs,
    /// There is no job with this id, or not any more.
    #[error("there is no such recording")]
    NoJob,
    /// The files of the job cannot be read. It can only be deleted.
    #[error("the recording is damaged: {reason}")]
    DamagedJob {
        /// What is wrong with its files.
        reason: String,
    },
    /// The job has ended, and takes no frames.
    #[error("the recording has ended")]
    Ended,
    /// The job has as many frames as its specification allows, or as any job can have
    /// ([`TimelapseStore::MAX_FRAMES`](crate::TimelapseStore::MAX_FRAMES)).
    #[error("the recording has {frames} frames, and cannot have so many more")]
    JobFull {
        /// The frames of the job.
        frames: u64,
    },
    /// The caller's frame has too few or too many bytes
    /// ([`TimelapseStore::MAX_FRAME_BYTES`](crate::TimelapseStore::MAX_FRAME_BYTES)).
    #[error("a frame must have {MIN_FRAME_BYTES} to {MAX_FRAME_BYTES} bytes, not {bytes}")]
    FrameLength {
        /// The length of the frame.
        bytes: usize,
    },
    /// The caller wanted to keep too many frames, or too many bytes, at once.
    #[error(
        "at most {MAX_BATCH_FRAMES} frames of {MAX_FRAME_BYTES} bytes together can be kept at \
         once, not {frames} of {bytes}"
    )]
    BatchLength {
        /// How many frames there were.
        frames: usize,
        /// The bytes of all of them.
        bytes: u64,
    },
    /// The jobs would take more bytes than the quota allows. A job must be deleted first.
    #[error("the recordings take {used_bytes} of {quota_bytes} bytes, and {bytes} more do not fit")]
    Quota {
        /// The bytes that were to be added.
        bytes: u64,
        /// What all jobs take.
        used_bytes: u64,
        /// What they may take.
        quota_bytes: u64,
    },
    /// The disk is full, or the user's quota of the file system is used up.
    #[error("the disk is full")]
    DiskFull(#[source] io::Error),
    /// There is no frame with this number, or not yet.
    #[error("there is no frame {number}")]
    NoFrame {
        /// The number that the caller gave.
        number: u64,
    },
    /// The frame was damaged on the disk after it had been kept.
    #[error("frame {number} is damaged")]
    DamagedFrame {
        /// The number of the frame.
        number: u64,
    },
    /// The movie cannot be made: the job has no frame yet, or it is too large or too long for the
    /// format.
    #[error("no movie can be made of these frames")]
    Movie(#[from] mjpeg_mux::Error),
    /// The system refused something.
    #[error("{action} failed")]
    Io {
        /// What the store was doing.
        action: &'static str,
        /// Why it could not.
        source: io::Error,
    },
}

impl Error {
    /// Makes the error of an action on files.
    pub(crate) fn io(action: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull(source),
            _ => Self::Io { action, source },
        }
    }
}
