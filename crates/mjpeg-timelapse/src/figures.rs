//! What a store counts.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::Error;

/// Why a frame was not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TimelapseRefusal {
    /// The quota of the store is used up.
    Quota,
    /// The disk is full.
    DiskFull,
    /// The frame has too few or too many bytes, or too many were to be kept at once.
    FrameLength,
    /// The job has all its frames.
    JobFull,
    /// The job has ended, is damaged, or does not exist.
    NoJob,
    /// The disk failed.
    Io,
}

impl TimelapseRefusal {
    /// All reasons.
    pub const ALL: [Self; 6] = [
        Self::Quota,
        Self::DiskFull,
        Self::FrameLength,
        Self::JobFull,
        Self::NoJob,
        Self::Io,
    ];

    /// Returns a name for metrics: lower case and underscores.
    pub fn name(self) -> &'static str {
        match self {
            Self::Quota => "quota",
            Self::DiskFull => "disk_full",
            Self::FrameLength => "frame_length",
            Self::JobFull => "job_full",
            Self::NoJob => "no_job",
            Self::Io => "io",
        }
    }

    /// Returns the reason in an error of [`TimelapseStore::append`].
    ///
    /// [`TimelapseStore::append`]: crate::TimelapseStore::append
    pub fn of(error: &Error) -> Self {
        match error {
            Error::Quota { .. } => Self::Quota,
            Error::DiskFull(_) => Self::DiskFull,
            Error::FrameLength { .. } | Error::BatchLength { .. } => Self::FrameLength,
            Error::JobFull { .. } => Self::JobFull,
            Error::NoJob | Error::DamagedJob { .. } | Error::Ended => Self::NoJob,
            _ => Self::Io,
        }
    }
}

/// What a store has counted since it was opened, and what it takes on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct TimelapseFigures {
    /// The frames that were kept.
    pub kept: u64,
    /// What all jobs take of the quota, in bytes.
    pub used_bytes: u64,
    /// The quota, in bytes.
    pub quota_bytes: u64,
    refused: [u64; TimelapseRefusal::ALL.len()],
}

impl TimelapseFigures {
    /// Returns how many frames were refused for this reason.
    pub fn refused(&self, reason: TimelapseRefusal) -> u64 {
        self.refused[reason as usize]
    }
}

#[derive(Debug, Default)]
pub(crate) struct StoreCounters {
    kept: AtomicU64,
    refused: [AtomicU64; TimelapseRefusal::ALL.len()],
}

impl StoreCounters {
    /// Counts frames that were all kept, or all refused.
    pub(crate) fn count<T>(&self, frames: usize, result: &Result<T, Error>) {
        let counter = match result {
            Ok(_) => &self.kept,
            Err(error) => &self.refused[TimelapseRefusal::of(error) as usize],
        };
        counter.fetch_add(frames as u64, Ordering::Relaxed);
    }

    pub(crate) fn figures(&self, used_bytes: u64, quota_bytes: u64) -> TimelapseFigures {
        let value = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        TimelapseFigures {
            kept: value(&self.kept),
            used_bytes,
            quota_bytes,
            refused: std::array::from_fn(|place| value(&self.refused[place])),
        }
    }
}
