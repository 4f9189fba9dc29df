//! What a store shows of its jobs.

use std::time::SystemTime;

use crate::{id::TimelapseId, spec::TimelapseSpec};

/// A job as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TimelapseJob {
    /// The id, which the store has made.
    pub id: TimelapseId,
    /// What the job is to keep.
    pub spec: TimelapseSpec,
    /// When it was created, in microseconds.
    pub created: SystemTime,
    /// Whether it still takes frames.
    pub state: TimelapseState,
    /// How many frames are kept. They are numbered from 0.
    pub frames: u64,
    /// What its files take of the quota, in bytes.
    pub bytes: u64,
    /// When the first frame was taken. `None` if there is none, or if its record is damaged.
    pub first: Option<SystemTime>,
    /// When the last frame was taken. `None` if there is none, or if the record of the last frame
    /// is damaged.
    pub last: Option<SystemTime>,
    /// How many frames were refused since the store was opened. The figures of the store have them
    /// by reason.
    pub refused: u64,
}

/// Whether a job still takes frames.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TimelapseState {
    /// It does. It stays so when the program ends and starts again.
    Running,
    /// It does not.
    Ended {
        /// Why, as the caller has said.
        reason: String,
        /// When, in microseconds.
        at: SystemTime,
    },
}

/// A job whose files cannot be read. They stay as they are until it is deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DamagedTimelapse {
    /// The id, which is the name of its folder.
    pub id: TimelapseId,
    /// What is wrong with its files. The text has no control characters.
    pub reason: String,
    /// What its files take of the quota, in bytes.
    pub bytes: u64,
}

/// Says where a kept frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeptFrame {
    /// The number of the frame, from 0.
    pub number: u64,
    /// Whether the job now has as many frames as it can have.
    pub is_last: bool,
}
