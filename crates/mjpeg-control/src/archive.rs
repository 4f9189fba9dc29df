//! The seam to whoever keeps clips and time-lapses.

use std::{fmt, time::SystemTime};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use mjpeg_manager::{StreamName, mjpeg_http::Moment};

use crate::error::Error;

/// Keeps clips and time-lapses of streams: pictures that outlast the relay.
#[async_trait]
pub trait Archive: Send + Sync + 'static {
    /// Lists all of a kind, the oldest first.
    fn list(&self, kind: RecordingKind) -> ArchiveList;

    /// Returns one by its id.
    fn find(&self, id: &str) -> Option<RecordingInfo>;

    /// Begins a time-lapse, or keeps a clip. A clip is answered when all of it is kept.
    ///
    /// # Errors
    ///
    /// [`InvalidSpec`](crate::ErrorCode::InvalidSpec) if a value is out of bounds;
    /// [`NotFound`](crate::ErrorCode::NotFound) if there are no pictures of that time;
    /// [`StorageFull`](crate::ErrorCode::StorageFull) if there is no room;
    /// [`NotPersistent`](crate::ErrorCode::NotPersistent) if there is no folder.
    async fn create(&self, wanted: RecordingRequest) -> Result<RecordingInfo, Error>;

    /// Keeps the next picture of a time-lapse: one that is captured from now on. Returns its
    /// number, from 0, when it is safe.
    ///
    /// # Errors
    ///
    /// As for [`create`](Self::create), and [`NotPossible`](crate::ErrorCode::NotPossible) if it
    /// has ended; [`NotReading`](crate::ErrorCode::NotReading) if no picture comes in time.
    async fn take(&self, id: &str) -> Result<u64, Error>;

    /// Keeps the next picture of a stream in each of its running time-lapses without an interval,
    /// and returns them when it is safe. `problem` of one says if that one could not keep it.
    ///
    /// # Errors
    ///
    /// As for [`take`](Self::take), if none could keep it;
    /// [`NotPossible`](crate::ErrorCode::NotPossible) if there is no such time-lapse.
    async fn take_all(&self, stream: &StreamName) -> Result<Vec<RecordingInfo>, Error>;

    /// Ends the running time-lapses of a stream without an interval, and returns them. There may
    /// be none.
    ///
    /// # Errors
    ///
    /// [`StorageFull`](crate::ErrorCode::StorageFull) if there is no room to note the end of one;
    /// the others have ended all the same.
    async fn finish_all(&self, stream: &StreamName) -> Result<Vec<RecordingInfo>, Error>;

    /// Ends a time-lapse. One that has ended stays as it is.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorCode::NotFound) if there is none of this id.
    async fn finish(&self, id: &str) -> Result<RecordingInfo, Error>;

    /// Deletes a recording.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorCode::NotFound) if there is none of this id.
    async fn delete(&self, id: &str) -> Result<(), Error>;

    /// Makes the file of a recording.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorCode::NotFound) if there is none of this id, or no such format;
    /// [`InvalidSpec`](crate::ErrorCode::InvalidSpec) if no file can be made of it;
    /// [`Busy`](crate::ErrorCode::Busy) if as many files as allowed are on their way.
    async fn movie(&self, id: &str, wanted: MovieRequest) -> Result<RecordingFile, Error>;

    /// Returns a picture of a recording, as a JPEG: the one with this number, from 0, or the last.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorCode::NotFound) if there is none.
    async fn picture(&self, id: &str, number: Option<u64>) -> Result<Bytes, Error>;
}

/// What a recording is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RecordingKind {
    /// All pictures of a time.
    Clip,
    /// A picture now and then.
    Timelapse,
}

/// A recording as it is now.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RecordingInfo {
    /// What it is.
    pub kind: RecordingKind,
    /// Its id: lower-case letters, digits and `-`.
    pub id: String,
    /// The stream's name.
    pub stream: String,
    /// A title for people; may be empty.
    pub title: String,
    /// The event for which the relay has made it by itself, such as `motion`; `None` if somebody
    /// has asked for it.
    pub event: Option<String>,
    /// When it was begun.
    pub created: SystemTime,
    /// Why and when it ended; `None` while it runs.
    pub ended: Option<(String, SystemTime)>,
    /// Seconds from one picture to the next; `None` if each is asked for.
    pub every_s: Option<f64>,
    /// When it ends.
    pub until: Option<SystemTime>,
    /// With how many pictures it ends.
    pub max_frames: Option<u64>,
    /// Pictures per second of its movie, unless others are asked for.
    pub fps: u32,
    /// How many pictures are kept.
    pub frames: u64,
    /// What they take on the disk.
    pub bytes: u64,
    /// When the first one was captured.
    pub first: Option<SystemTime>,
    /// When the last one was captured.
    pub last: Option<SystemTime>,
    /// Pictures that could not be kept, since the relay started.
    pub refused: u64,
    /// Why the last one could not be kept, if so.
    pub problem: Option<String>,
}

/// A recording that is wanted.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum RecordingRequest {
    /// All pictures of a time.
    Clip {
        /// The stream. It is running.
        stream: StreamName,
        /// The beginning.
        from: Moment,
        /// The end, which may be a little ahead.
        to: Moment,
        /// A title for people; may be empty.
        title: String,
    },
    /// A picture now and then.
    Timelapse {
        /// The stream. It is running.
        stream: StreamName,
        /// A title for people; may be empty.
        title: String,
        /// Seconds from one picture to the next; `None` if each is asked for.
        every_s: Option<f64>,
        /// When it ends.
        until: Option<SystemTime>,
        /// With how many pictures it ends.
        max_frames: Option<u64>,
        /// Pictures per second of its movie.
        fps: Option<u32>,
    },
}

/// All recordings of a kind.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ArchiveList {
    /// Those that can be read.
    pub recordings: Vec<RecordingInfo>,
    /// The ids of those that cannot, why, and how many bytes they take.
    pub damaged: Vec<(String, String, u64)>,
    /// What all take on the disk.
    pub used_bytes: u64,
    /// What they may take.
    pub quota_bytes: u64,
}

/// How the file of a recording is to be.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct MovieRequest {
    /// The ending of its name, such as `mov`.
    pub format: String,
    /// Pictures per second; `None` for those of the recording.
    pub fps: Option<u32>,
    /// Whether each picture is shown at the time at which it was captured; `None` for what is usual
    /// for the kind.
    pub has_true_times: Option<bool>,
}

/// The file of a recording, which is made while it is read.
#[non_exhaustive]
pub struct RecordingFile {
    /// Its media type.
    pub media_type: &'static str,
    /// Its name: letters, digits, `.`, `_` and `-`.
    pub name: String,
    /// How many bytes it has, if that is known.
    pub length: Option<u64>,
    /// Its bytes. An error means that the file stays incomplete.
    pub pieces: BoxStream<'static, std::io::Result<Bytes>>,
}

impl RecordingFile {
    /// Describes a file.
    pub fn new(
        media_type: &'static str,
        name: impl Into<String>,
        length: Option<u64>,
        pieces: BoxStream<'static, std::io::Result<Bytes>>,
    ) -> Self {
        Self {
            media_type,
            name: name.into(),
            length,
            pieces,
        }
    }
}

impl fmt::Debug for RecordingFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordingFile")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl RecordingInfo {
    /// Describes a recording that runs and has no pictures.
    pub fn new(
        kind: RecordingKind,
        id: impl Into<String>,
        stream: impl Into<String>,
        created: SystemTime,
    ) -> Self {
        Self {
            kind,
            id: id.into(),
            stream: stream.into(),
            title: String::new(),
            event: None,
            created,
            ended: None,
            every_s: None,
            until: None,
            max_frames: None,
            fps: 0,
            frames: 0,
            bytes: 0,
            first: None,
            last: None,
            refused: 0,
            problem: None,
        }
    }
}
