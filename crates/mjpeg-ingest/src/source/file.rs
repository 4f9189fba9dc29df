//! Recordings, played at a steady rate.

mod pass;
mod playing;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;

use self::{pass::Pass, playing::Playing};
use super::{invalid::InvalidSource, rate, url::path_text};
use crate::{
    connect::{Connect, Connection},
    error::ConnectError,
};

/// A file of concatenated JPEG images, played at a steady rate; see
/// [`Source::file`](crate::Source::file).
///
/// The file is opened anew for each pass, when its first image is due, so that a program may
/// replace it: by renaming another one to its place, or by writing into it. While it holds no whole
/// image, because it is just being written, the last image stays, and the file is looked at again
/// and again: for 25 s, or one interval if that is longer. One that is missing has 5 s.
///
/// ```
/// use mjpeg_ingest::{Recording, Source};
///
/// let recording = Recording::new("/var/lib/door.mjpeg").with_fps(12.5)?.with_repeat(false);
/// let source = Source::file(recording);
/// assert_eq!(source.to_string(), "file:///var/lib/door.mjpeg?fps=12.5&once");
/// # Ok::<(), mjpeg_ingest::InvalidSource>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Recording {
    path: PathBuf,
    fps: f64,
    repeat: bool,
}

impl Recording {
    /// Makes a recording that is repeated at 30 frames per second.
    ///
    /// A relative path is resolved now, against the current directory.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self {
            path: std::path::absolute(&path).unwrap_or(path),
            fps: 30.0,
            repeat: true,
        }
    }

    /// Sets the rate in frames per second, 0.001 to 1000. Default 30.
    ///
    /// # Errors
    ///
    /// [`InvalidSource::BadOption`] for a rate out of bounds.
    pub fn with_fps(mut self, fps: f64) -> Result<Self, InvalidSource> {
        self.fps = rate::checked(fps, &rate::PLAYED)?;
        Ok(self)
    }

    /// Sets whether the recording starts again at its end. Otherwise the ingest ends there. Default
    /// true.
    pub fn with_repeat(mut self, repeat: bool) -> Self {
        self.repeat = repeat;
        self
    }

    /// The file's path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The rate in frames per second.
    pub fn fps(&self) -> f64 {
        self.fps
    }

    /// Whether the recording starts again at its end.
    pub fn repeat(&self) -> bool {
        self.repeat
    }

    /// Writes the recording as a URL.
    pub(super) fn text(&self) -> String {
        let Self { path, fps, repeat } = self;
        let once = if *repeat { "" } else { "&once" };
        format!("file://{}?fps={fps}{once}", path_text(path))
    }
}

#[async_trait]
impl Connect for Recording {
    async fn connect(&self) -> Result<Connection, ConnectError> {
        let path: Arc<Path> = self.path.as_path().into();
        let first = Pass::begin(&path).await?;
        let every = Duration::from_secs_f64(1.0 / self.fps);
        let peer = path.display().to_string();
        let playing = Playing::new(path, first, every, self.repeat);
        let interval = every.max(playing::LEAST_INTERVAL);
        Ok(Connection::bytes(playing, peer).with_interval(interval))
    }
}
