//! What a job is to keep.

use std::time::{Duration, SystemTime};

use crate::{
    error::Error,
    limits::{EVERY, FPS, MAX_FRAMES, MAX_TEXT_BYTES},
};

/// What a job is to keep, and how it is to be shown. The store only enforces the number of frames.
/// When a frame is due, and when the job ends, is for its caller to decide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimelapseSpec {
    stream: String,
    title: String,
    event: Option<String>,
    every: Option<Duration>,
    until: Option<SystemTime>,
    max_frames: Option<u64>,
    fps: u32,
}

impl TimelapseSpec {
    /// Makes the specification of a job that keeps frames of this stream whenever it is told to:
    /// without a title, without an end, shown at [`TimelapseSpec::DEFAULT_FPS`].
    pub fn new(stream: impl Into<String>) -> Self {
        Self {
            stream: stream.into(),
            title: String::new(),
            event: None,
            every: None,
            until: None,
            max_frames: None,
            fps: Self::DEFAULT_FPS,
        }
    }

    /// The frames per second of a movie, unless another number is set.
    pub const DEFAULT_FPS: u32 = 25;
    /// The fewest frames per second of a movie.
    pub const MIN_FPS: u32 = *FPS.start();
    /// The most frames per second of a movie.
    pub const MAX_FPS: u32 = *FPS.end();
    /// The shortest time between two frames.
    pub const MIN_EVERY: Duration = *EVERY.start();
    /// The longest time between two frames.
    pub const MAX_EVERY: Duration = *EVERY.end();
    /// The most bytes of a stream's name, of a title, of an event, and of the reason of an end.
    pub const MAX_TEXT_BYTES: usize = MAX_TEXT_BYTES;

    /// Sets the title that people see. The default is empty. It has at most
    /// [`TimelapseSpec::MAX_TEXT_BYTES`] bytes and no control characters.
    pub fn with_title(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// Sets the event for which the job was made, as a word. `None`, the default, means that
    /// somebody asked for it. It has at most [`TimelapseSpec::MAX_TEXT_BYTES`] bytes and no control
    /// characters.
    pub fn with_event(mut self, event: impl Into<Option<String>>) -> Self {
        self.event = event.into();
        self
    }

    /// Sets the time from one frame to the next, in whole microseconds, from
    /// [`TimelapseSpec::MIN_EVERY`] to [`TimelapseSpec::MAX_EVERY`]. `None`, the default, means
    /// that a frame is kept only when something triggers it.
    pub fn with_every(mut self, every: impl Into<Option<Duration>>) -> Self {
        self.every = every.into();
        self
    }

    /// Sets the time at which the job is to end, in whole microseconds. `None`, the default, means
    /// that it goes on.
    pub fn with_until(mut self, until: impl Into<Option<SystemTime>>) -> Self {
        self.until = until.into();
        self
    }

    /// Sets the most frames of the job, from 1 to [`TimelapseStore::MAX_FRAMES`]. `None`, the
    /// default, means that only the latter limits them.
    ///
    /// [`TimelapseStore::MAX_FRAMES`]: crate::TimelapseStore::MAX_FRAMES
    pub fn with_max_frames(mut self, frames: impl Into<Option<u64>>) -> Self {
        self.max_frames = frames.into();
        self
    }

    /// Sets the frames per second at which a movie is usually shown, from
    /// [`TimelapseSpec::MIN_FPS`] to [`TimelapseSpec::MAX_FPS`].
    pub fn with_fps(mut self, fps: u32) -> Self {
        self.fps = fps;
        self
    }

    /// Returns the name of the stream.
    pub fn stream(&self) -> &str {
        &self.stream
    }

    /// Returns the title.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Returns the event for which the job was made.
    pub fn event(&self) -> Option<&str> {
        self.event.as_deref()
    }

    /// Returns the time from one frame to the next.
    pub fn every(&self) -> Option<Duration> {
        self.every
    }

    /// Returns the time at which the job is to end.
    pub fn until(&self) -> Option<SystemTime> {
        self.until
    }

    /// Returns the most frames of the job.
    pub fn max_frames(&self) -> Option<u64> {
        self.max_frames
    }

    /// Returns the frames per second of a movie.
    pub fn fps(&self) -> u32 {
        self.fps
    }

    /// Returns how many frames the job can have.
    pub(crate) fn room(&self) -> u64 {
        self.max_frames
            .map_or(MAX_FRAMES, |most| most.min(MAX_FRAMES))
    }

    /// Checks the bounds of all settings.
    pub(crate) fn check(&self) -> Result<(), Error> {
        check_text("stream", &self.stream)?;
        check_text("title", &self.title)?;
        check_text("event", self.event.as_deref().unwrap_or_default())?;
        let every = self.every.unwrap_or(Self::MIN_EVERY);
        if !EVERY.contains(&every) {
            return Err(Error::InvalidSetting {
                setting: "every",
                allowed: format!("from {:?} to {:?}", EVERY.start(), EVERY.end()),
            });
        }
        let frames = self.max_frames.unwrap_or(1);
        if !(1..=MAX_FRAMES).contains(&frames) {
            return Err(Error::InvalidSetting {
                setting: "max_frames",
                allowed: format!("from 1 to {MAX_FRAMES}"),
            });
        }
        check_fps(self.fps)
    }
}

/// Checks frames per second.
pub(crate) fn check_fps(fps: u32) -> Result<(), Error> {
    if FPS.contains(&fps) {
        return Ok(());
    }
    Err(Error::InvalidSetting {
        setting: "fps",
        allowed: format!("from {} to {}", FPS.start(), FPS.end()),
    })
}

/// Checks a text that people see.
pub(crate) fn check_text(setting: &'static str, text: &str) -> Result<(), Error> {
    if text.len() <= MAX_TEXT_BYTES && !text.contains(char::is_control) {
        return Ok(());
    }
    Err(Error::InvalidSetting {
        setting,
        allowed: format!("at most {MAX_TEXT_BYTES} bytes without control characters"),
    })
}
