//! Recordings, played at a steady rate.

use std::{
    collections::VecDeque,
    io::{self, SeekFrom},
    path::{Path, PathBuf},
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use async_trait::async_trait;
use bytes::{Buf, BytesMut};
use mjpeg_codec::{Found, Splitter, SplitterConfig};
use tokio::{
    fs::File,
    io::{AsyncRead, AsyncSeek, ReadBuf},
    time::{Interval, MissedTickBehavior, interval},
};

use super::{invalid::InvalidSource, rate, url::path_text};
use crate::{
    connect::{Connect, Connection},
    error::{ConnectError, SourceEnd},
};

/// A file of concatenated JPEG images, played at a steady rate; see
/// [`Source::file`](crate::Source::file).
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
        let path = self.path.display().to_string();
        let opened = async {
            // Opening a pipe would block until a writer opens it too, in a thread that nothing can
            // cancel.
            if !tokio::fs::metadata(&self.path).await?.is_file() {
                return Err(io::Error::other("not a regular file"));
            }
            File::open(&self.path).await
        };
        let file = match opened.await {
            Ok(file) => file,
            Err(source) => return Err(ConnectError::Open { path, source }),
        };
        let every = Duration::from_secs_f64(1.0 / self.fps);
        let mut ticks = interval(every);
        // Never play late frames in a burst.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let playing = Playing {
            file,
            path: path.clone(),
            repeat: self.repeat,
            ticks,
            splitter: Splitter::new(SplitterConfig::default()),
            ahead: BytesMut::new(),
            played: 0,
            due: 0,
            marks: VecDeque::new(),
            frames: 0,
            pass: Pass::Reads,
        };
        Ok(Connection::bytes(playing, path).with_interval(every))
    }
}

/// Reads the file's bytes unchanged, but each frame only when it is due.
///
/// The bytes are split here to find the frames, and again by the ingest, so that damage in a
/// recording is counted like that of a camera.
struct Playing {
    file: File,
    path: String,
    repeat: bool,
    ticks: Interval,
    splitter: Splitter,
    /// Bytes that were read and not played yet.
    ahead: BytesMut,
    /// How many bytes of this pass were played.
    played: u64,
    /// How many bytes of `ahead` are due.
    due: usize,
    /// Up to which offset the file is played next, and whether that waits for the next tick.
    marks: VecDeque<(u64, bool)>,
    /// How many frames were found in this pass.
    frames: u64,
    pass: Pass,
}

/// How far a pass over the file has come.
enum Pass {
    Reads,
    AtEnd,
    Rewinds,
}

/// A recording without a single frame.
#[derive(Debug, thiserror::Error)]
#[error("there is no JPEG image in {path}")]
struct NoImage {
    path: String,
}

impl AsyncRead for Playing {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        loop {
            if this.due > 0 {
                let n = this.due.min(buf.remaining());
                buf.put_slice(&this.ahead[..n]);
                this.ahead.advance(n);
                this.due -= n;
                this.played += n as u64;
                return Poll::Ready(Ok(()));
            }
            if let Some(&(end, in_time)) = this.marks.front() {
                if in_time {
                    ready!(this.ticks.poll_tick(cx));
                }
                this.marks.pop_front();
                this.due = (end - this.played) as usize;
                continue;
            }
            match this.pass {
                Pass::Reads => ready!(this.poll_file(cx))?,
                Pass::AtEnd if !this.ahead.is_empty() => this.due = this.ahead.len(),
                Pass::AtEnd if this.frames == 0 => {
                    let path = this.path.clone();
                    let failed = SourceEnd::Failed(Box::new(NoImage { path }));
                    return Poll::Ready(Err(failed.into()));
                }
                Pass::AtEnd if !this.repeat => {
                    return Poll::Ready(Err(SourceEnd::Finished.into()));
                }
                Pass::AtEnd => {
                    Pin::new(&mut this.file).start_seek(SeekFrom::Start(0))?;
                    this.pass = Pass::Rewinds;
                }
                Pass::Rewinds => {
                    ready!(Pin::new(&mut this.file).poll_complete(cx))?;
                    this.splitter = Splitter::new(SplitterConfig::default());
                    (this.played, this.frames) = (0, 0);
                    this.pass = Pass::Reads;
                }
            }
        }
    }
}

impl Playing {
    /// Reads on, and marks the frames found.
    fn poll_file(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut room = ReadBuf::new(self.splitter.spare_mut());
        ready!(Pin::new(&mut self.file).poll_read(cx, &mut room))?;
        let read = room.filled();
        if read.is_empty() {
            self.splitter.finish();
            self.pass = Pass::AtEnd;
        } else {
            self.ahead.extend_from_slice(read);
            let n = read.len();
            self.splitter.filled(n);
        }
        while let Some(event) = self.splitter.poll() {
            match event {
                Found::Frame(frame) => {
                    self.frames += 1;
                    let end = frame.offset() + frame.bytes().len() as u64;
                    self.marks.push_back((end, true));
                }
                // Played at once, so that it does not accumulate here.
                Found::Discarded { range, .. } => self.marks.push_back((range.end, false)),
                _ => {}
            }
        }
        Poll::Ready(Ok(()))
    }
}
