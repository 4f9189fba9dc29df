//! Recordings, played at a steady rate.

use std::{
    collections::VecDeque,
    io::{self, SeekFrom},
    path::PathBuf,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use async_trait::async_trait;
use bytes::{Buf, BytesMut};
use mjpeg_codec::{Event, Splitter, SplitterConfig};
use tokio::{
    fs::File,
    io::{AsyncRead, AsyncSeek, ReadBuf},
    time::{Interval, MissedTickBehavior, interval},
};

use crate::{Connect, ConnectError, Connection, SourceEnd};

/// A file of concatenated JPEG images.
#[derive(Debug)]
pub(crate) struct Recording {
    path: PathBuf,
    interval: Duration,
    once: bool,
}

impl Recording {
    pub(crate) fn new(path: PathBuf, fps: f64, once: bool) -> Self {
        Self {
            path,
            interval: Duration::from_secs_f64(1.0 / fps),
            once,
        }
    }
}

#[async_trait]
impl Connect for Recording {
    async fn connect(&self) -> Result<Connection, ConnectError> {
        let path = self.path.display().to_string();
        let opened = async {
            // Opening a pipe would wait for somebody to write to it, in a thread that nothing can call back.
            if !tokio::fs::metadata(&self.path).await?.is_file() {
                return Err(io::Error::other("not a regular file"));
            }
            File::open(&self.path).await
        };
        let file = match opened.await {
            Ok(file) => file,
            Err(source) => return Err(ConnectError::Open { path, source }),
        };
        let mut ticks = interval(self.interval);
        // Late frames are not made up for: a burst is no frame rate.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let playing = Playing {
            file,
            path: path.clone(),
            once: self.once,
            ticks,
            splitter: Splitter::new(SplitterConfig::default()),
            ahead: BytesMut::new(),
            played: 0,
            due: 0,
            marks: VecDeque::new(),
            frames: 0,
            pass: Pass::Reads,
        };
        let mut connection = Connection::new(playing, path);
        connection.interval = Some(self.interval);
        Ok(connection)
    }
}

/// Gives the file's bytes as they are, but each frame only when it is its time.
struct Playing {
    file: File,
    path: String,
    once: bool,
    ticks: Interval,
    splitter: Splitter,
    /// What was read and not played yet.
    ahead: BytesMut,
    /// How much of this pass was played.
    played: u64,
    /// How much of what lies ahead may be played now.
    due: usize,
    /// How far the file may be played next, and whether that waits for its time.
    marks: VecDeque<(u64, bool)>,
    /// Found in this pass.
    frames: u64,
    pass: Pass,
}

enum Pass {
    Reads,
    AtEnd,
    Rewinds,
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
                    let none = format!("there is no JPEG image in {}", this.path);
                    return Poll::Ready(Err(SourceEnd::Failed(none.into()).into()));
                }
                Pass::AtEnd if this.once => {
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
    /// Reads on, and marks what was found.
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
                Event::Frame(frame) => {
                    self.frames += 1;
                    let end = frame.offset() + frame.bytes().len() as u64;
                    self.marks.push_back((end, true));
                }
                // It must not pile up here.
                Event::Discarded { range, .. } => self.marks.push_back((range.end, false)),
                _ => {}
            }
        }
        Poll::Ready(Ok(()))
    }
}
