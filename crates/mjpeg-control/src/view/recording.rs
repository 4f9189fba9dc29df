//! Clips and time-lapses.

use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    archive::{ArchiveList, RecordingInfo},
    time::rfc3339,
};

/// All clips that the caller may see.
#[derive(Serialize, ToSchema)]
pub(crate) struct ClipList {
    clips: Vec<RecordingView>,
    #[serde(flatten)]
    rest: ArchiveState,
}

/// All time-lapses that the caller may see.
#[derive(Serialize, ToSchema)]
pub(crate) struct TimelapseList {
    timelapses: Vec<RecordingView>,
    #[serde(flatten)]
    rest: ArchiveState,
}

/// What all recordings of a kind take.
#[derive(Serialize, ToSchema)]
struct ArchiveState {
    /// Those whose files cannot be read. They can be deleted.
    damaged: Vec<DamagedView>,
    /// What all take on the disk, for those who may add and delete all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    used_bytes: Option<u64>,
    /// What they may take, for the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    quota_bytes: Option<u64>,
    /// Whether the caller may add and delete all of them.
    may_add: bool,
}

/// A recording whose files cannot be read.
#[derive(Serialize, ToSchema)]
struct DamagedView {
    id: String,
    /// What is wrong with its files.
    reason: String,
    bytes: u64,
}

/// A clip or a time-lapse.
#[derive(Serialize, ToSchema)]
pub(crate) struct RecordingView {
    id: String,
    stream: String,
    /// For people; may be empty.
    title: String,
    /// The event for which the relay has made a clip by itself, such as `motion`; `null` if
    /// somebody has asked for it.
    event: Option<String>,
    /// `running` or `ended`.
    state: &'static str,
    /// Why it ended: `finished`, `until`, `max_frames` or `clip`. A clip that has only a part of
    /// its pictures: `interrupted` if the relay ended, `incomplete` if there was no room for the
    /// rest, or the disk failed.
    reason: Option<String>,
    /// When it was begun (RFC 3339).
    created: String,
    /// When it ended (RFC 3339).
    ended: Option<String>,
    /// Seconds from one picture to the next; `null` if each is asked for.
    every_s: Option<f64>,
    /// When it ends (RFC 3339).
    until: Option<String>,
    /// With how many pictures it ends.
    max_frames: Option<u64>,
    /// Pictures per second of its movie, unless others are asked for.
    fps: u32,
    /// How many pictures are kept.
    frames: u64,
    /// What they take on the disk.
    bytes: u64,
    /// When the first one was captured (RFC 3339).
    first: Option<String>,
    /// When the last one was captured (RFC 3339).
    last: Option<String>,
    /// Pictures that could not be kept, since the relay started.
    refused: u64,
    /// Why the last one could not be kept, if so.
    problem: Option<String>,
}

/// A picture that was kept.
#[derive(Serialize, ToSchema)]
pub(crate) struct TakenView {
    /// Its number, from 0.
    pub(crate) number: u64,
}

/// Time-lapses of a stream.
#[derive(Serialize, ToSchema)]
pub(crate) struct StreamTimelapses {
    timelapses: Vec<RecordingView>,
}

impl From<Vec<RecordingInfo>> for StreamTimelapses {
    fn from(timelapses: Vec<RecordingInfo>) -> Self {
        let timelapses = timelapses.into_iter().map(RecordingView::from);
        Self {
            timelapses: timelapses.collect(),
        }
    }
}

impl ClipList {
    /// Shows these of all.
    pub(crate) fn new(shown: Vec<RecordingInfo>, all: ArchiveList, may_add: bool) -> Self {
        Self {
            clips: shown.into_iter().map(RecordingView::from).collect(),
            rest: ArchiveState::new(all, may_add),
        }
    }
}

impl TimelapseList {
    /// Shows these of all.
    pub(crate) fn new(shown: Vec<RecordingInfo>, all: ArchiveList, may_add: bool) -> Self {
        Self {
            timelapses: shown.into_iter().map(RecordingView::from).collect(),
            rest: ArchiveState::new(all, may_add),
        }
    }
}

impl ArchiveState {
    fn new(all: ArchiveList, may_add: bool) -> Self {
        let damaged = all.damaged.into_iter().filter(|_| may_add);
        let damaged = damaged.map(|(id, reason, bytes)| DamagedView { id, reason, bytes });
        Self {
            damaged: damaged.collect(),
            used_bytes: may_add.then_some(all.used_bytes),
            quota_bytes: may_add.then_some(all.quota_bytes),
            may_add,
        }
    }
}

impl From<RecordingInfo> for RecordingView {
    fn from(recording: RecordingInfo) -> Self {
        let (reason, ended) = recording.ended.unzip();
        Self {
            id: recording.id,
            stream: recording.stream,
            title: recording.title,
            event: recording.event,
            state: if reason.is_some() { "ended" } else { "running" },
            reason,
            created: rfc3339(recording.created),
            ended: ended.map(rfc3339),
            every_s: recording.every_s,
            until: recording.until.map(rfc3339),
            max_frames: recording.max_frames,
            fps: recording.fps,
            frames: recording.frames,
            bytes: recording.bytes,
            first: recording.first.map(rfc3339),
            last: recording.last.map(rfc3339),
            refused: recording.refused,
            problem: recording.problem,
        }
    }
}
