//! One pass over a file.

use std::{
    collections::VecDeque,
    fs::Metadata,
    future::poll_fn,
    io,
    path::Path,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::{Buf, BytesMut};
use mjpeg_codec::{Found, Splitter, SplitterConfig};
use tokio::{
    fs::File,
    io::{AsyncRead, ReadBuf},
    time::sleep,
};

use crate::error::{ConnectError, local::NoImage};

/// A pass over a file: what was read of it and not played yet.
///
/// The bytes are split here to find the frames, and again by the ingest, so that damage in a
/// recording is counted like that of a camera.
pub(super) struct Pass {
    file: File,
    splitter: Splitter,
    /// Bytes that were read and not played yet.
    ahead: BytesMut,
    /// How many bytes were played.
    played: u64,
    /// How many bytes of `ahead` are due.
    due: usize,
    /// Up to which offset the file is played next, and whether that waits for the next tick.
    marks: VecDeque<(u64, bool)>,
    frames: u64,
    is_at_end: bool,
}

/// What a pass plays next.
pub(super) enum PassStep {
    /// Bytes are due.
    Bytes,
    /// The next frame, when its time has come.
    Tick,
    /// More must be read.
    Read,
    /// The pass is over.
    End,
}

impl Pass {
    /// Opens the file and reads to the end of its first image, which is due at once.
    ///
    /// # Errors
    ///
    /// If the file cannot be opened or read, or holds no image.
    pub(super) async fn begin(path: &Path) -> Result<Self, ConnectError> {
        let mut looks = 0;
        loop {
            looks += 1;
            let shown = || path.display().to_string();
            let looked = Self::look(path).await;
            let (mut pass, is_stable) = looked.map_err(|source| ConnectError::Open {
                path: shown(),
                source,
            })?;
            if !is_stable && looks < MOST_LOOKS {
                // It is being written. Its first image may be made of two.
                sleep(BETWEEN_LOOKS).await;
                continue;
            }
            if pass.frames == 0 && pass.is_at_end {
                return Err(ConnectError::Other(Box::new(NoImage { path: shown() })));
            }
            if let Some((_, in_time)) = pass.marks.iter_mut().find(|(_, in_time)| *in_time) {
                *in_time = false;
            }
            return Ok(pass);
        }
    }

    /// Reads to the end of the first image. Returns whether the file stayed the same meanwhile.
    async fn look(path: &Path) -> io::Result<(Self, bool)> {
        // Opening a pipe would block until a writer opens it too, in a thread that nothing can
        // cancel.
        if !tokio::fs::metadata(path).await?.is_file() {
            return Err(io::Error::other("not a regular file"));
        }
        let file = File::open(path).await?;
        let before = file.metadata().await?;
        let mut pass = Self {
            file,
            splitter: Splitter::new(SplitterConfig::default()),
            ahead: BytesMut::new(),
            played: 0,
            due: 0,
            marks: VecDeque::new(),
            frames: 0,
            is_at_end: false,
        };
        while pass.frames == 0 && !pass.is_at_end && pass.ahead.len() < MOST_AHEAD {
            poll_fn(|cx| pass.poll_read(cx)).await?;
        }
        let after = pass.file.metadata().await?;
        Ok((pass, is_same(&before, &after)))
    }

    /// Says what is to be done next. Call it again after that.
    pub(super) fn next(&mut self) -> PassStep {
        while self.due == 0 {
            match self.marks.front() {
                Some((_, true)) => return PassStep::Tick,
                Some(_) => self.take_mark(),
                None if !self.is_at_end => return PassStep::Read,
                None if self.ahead.is_empty() => return PassStep::End,
                None => self.due = self.ahead.len(),
            }
        }
        PassStep::Bytes
    }

    /// Whether an image was found.
    pub(super) fn has_image(&self) -> bool {
        self.frames > 0
    }

    /// Makes the bytes up to the next mark due.
    pub(super) fn take_mark(&mut self) {
        if let Some((end, _)) = self.marks.pop_front() {
            self.due = (end - self.played) as usize;
        }
    }

    /// Moves bytes that are due.
    pub(super) fn play(&mut self, buf: &mut ReadBuf<'_>) {
        let n = self.due.min(buf.remaining());
        buf.put_slice(&self.ahead[..n]);
        self.ahead.advance(n);
        self.due -= n;
        self.played += n as u64;
    }

    /// Reads on, and marks the frames found.
    pub(super) fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut room = ReadBuf::new(self.splitter.spare_mut());
        ready!(Pin::new(&mut self.file).poll_read(cx, &mut room))?;
        let read = room.filled();
        if read.is_empty() {
            self.splitter.finish();
            self.is_at_end = true;
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

fn is_same(before: &Metadata, after: &Metadata) -> bool {
    let modified = |metadata: &Metadata| metadata.modified().ok();
    before.len() == after.len() && modified(before) == modified(after)
}

/// How often a file is looked at that changes while its first image is read. A file that always
/// changes, such as a recording that still grows, is then played as it is.
const MOST_LOOKS: usize = 4;

/// The time between two such looks.
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

/// How much is read in search of the first image before it is played as it is: no more than an
/// image may have.
const MOST_AHEAD: usize = 16 << 20;
