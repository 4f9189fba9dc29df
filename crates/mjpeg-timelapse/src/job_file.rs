//! The file `job.json`: what is to be known about a job besides its frames.

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::{
    clock::{micros, time},
    damage::JobDamage,
    job::TimelapseState,
    limits::JOB_BYTES,
    spec::{TimelapseSpec, check_text},
};

/// The contents of the file, with all times in microseconds. A change to it is a new version:
/// unknown fields are refused, because rewriting the file would lose them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct JobFile {
    version: u32,
    created_us: u64,
    stream: String,
    title: String,
    /// Left out of the file if there is none, so that versions before it read the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    event: Option<String>,
    every_us: Option<u64>,
    until_us: Option<u64>,
    max_frames: Option<u64>,
    fps: u32,
    /// Several frames may have been written at once, and none was after the end.
    #[serde(default, skip_serializing_if = "is_false")]
    has_batches: bool,
    ended: Option<EndOfJob>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EndOfJob {
    reason: String,
    at_us: u64,
}

/// What every version of the file has.
#[derive(Deserialize)]
struct AnyVersion {
    version: u32,
}

impl JobFile {
    /// Makes the contents for a new job. The specification has been checked.
    pub(crate) fn new(spec: &TimelapseSpec, created: SystemTime) -> Self {
        let every = spec.every().map(|every| every.as_micros());
        Self {
            version: VERSION,
            created_us: micros(created),
            stream: spec.stream().to_owned(),
            title: spec.title().to_owned(),
            event: spec.event().map(str::to_owned),
            every_us: every.map(|every| u64::try_from(every).unwrap_or(u64::MAX)),
            until_us: spec.until().map(micros),
            max_frames: spec.max_frames(),
            fps: spec.fps(),
            has_batches: false,
            ended: None,
        }
    }

    /// Reads the file. Whoever wrote it, the result is within all bounds.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, JobDamage> {
        if bytes.len() as u64 > JOB_BYTES {
            return Err(JobDamage::JobFileLength);
        }
        let AnyVersion { version } = serde_json::from_slice(bytes).map_err(JobDamage::NoJobFile)?;
        if version != VERSION {
            return Err(JobDamage::Version(version));
        }
        let file: Self = serde_json::from_slice(bytes).map_err(JobDamage::NoJobFile)?;
        let ended = file.ended.as_ref().map_or("", |ended| &ended.reason);
        let checked = file.spec().check();
        let checked = checked.and_then(|()| check_text("reason", ended));
        checked.map_err(|error| JobDamage::Setting(Box::new(error)))?;
        Ok(file)
    }

    /// Returns the bytes of the file. They are at most [`JOB_BYTES`].
    pub(crate) fn print(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Returns the contents for the same job after its end.
    pub(crate) fn end(&self, reason: &str, at: SystemTime) -> Self {
        let ended = EndOfJob {
            reason: reason.to_owned(),
            at_us: micros(at),
        };
        Self {
            has_batches: false,
            ended: Some(ended),
            ..self.clone()
        }
    }

    /// Returns the contents for the same job when several frames are written at once.
    pub(crate) fn with_batches(&self) -> Self {
        Self {
            has_batches: true,
            ..self.clone()
        }
    }

    pub(crate) fn has_batches(&self) -> bool {
        self.has_batches
    }

    pub(crate) fn spec(&self) -> TimelapseSpec {
        TimelapseSpec::new(self.stream.clone())
            .with_title(self.title.clone())
            .with_event(self.event.clone())
            .with_every(self.every_us.map(Duration::from_micros))
            .with_until(self.until_us.map(time))
            .with_max_frames(self.max_frames)
            .with_fps(self.fps)
    }

    pub(crate) fn created(&self) -> SystemTime {
        time(self.created_us)
    }

    pub(crate) fn state(&self) -> TimelapseState {
        match &self.ended {
            None => TimelapseState::Running,
            Some(ended) => TimelapseState::Ended {
                reason: ended.reason.clone(),
                at: time(ended.at_us),
            },
        }
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.ended.is_some()
    }
}

fn is_false(value: &bool) -> bool {
    !value
}

/// The version of the format, of all files of a job.
const VERSION: u32 = 1;
