//! Senders that would take the place of the current one.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use mjpeg_codec::{Found, Splitter, SplitterConfig};
use tokio::{
    io::{AsyncRead, ReadBuf},
    time::Instant,
};

/// A sender, read up to its first whole frame: that is what makes it one. A port scanner or a
/// health check connects too.
pub(in crate::source) struct Rival<S> {
    stream: S,
    /// Who it is, for people.
    peer: String,
    came: Instant,
    /// When bytes last came, or it connected.
    last_read: Instant,
    /// What was read of it.
    bytes: BytesMut,
    /// Looks for its first whole frame; `None` once that has come.
    first: Option<Splitter>,
}

impl<S> Rival<S> {
    pub(in crate::source) fn new(stream: S, peer: String, now: Instant) -> Self {
        Self {
            stream,
            peer,
            came: now,
            last_read: now,
            bytes: BytesMut::new(),
            first: Some(Splitter::new(
                SplitterConfig::default().with_max_frame_bytes(MOST_BYTES),
            )),
        }
    }

    pub(in crate::source) fn stream(&self) -> &S {
        &self.stream
    }

    pub(in crate::source) fn peer(&self) -> &str {
        &self.peer
    }

    /// Returns its connection, what was read of it, and whether that holds a whole frame.
    pub(in crate::source) fn into_parts(self) -> (S, Bytes, bool) {
        let has_frame = self.has_frame();
        (self.stream, self.bytes.freeze(), has_frame)
    }

    fn has_frame(&self) -> bool {
        self.first.is_none()
    }

    /// Until when it may be without a whole frame; `None` once it has one.
    fn expires_at(&self) -> Option<Instant> {
        (!self.has_frame()).then(|| self.came + MOST_TIME)
    }
}

impl<S: AsyncRead + Unpin> Rival<S> {
    /// Reads what is there, up to the first whole frame. Returns whether it may stay.
    fn read(&mut self, now: Instant, cx: &mut Context<'_>) -> bool {
        while let Some(splitter) = &mut self.first {
            let mut room = ReadBuf::new(splitter.spare_mut());
            match Pin::new(&mut self.stream).poll_read(cx, &mut room) {
                Poll::Pending => return true,
                Poll::Ready(Ok(())) if !room.filled().is_empty() => {
                    self.last_read = now;
                    self.bytes.extend_from_slice(room.filled());
                    let n = room.filled().len();
                    splitter.filled(n);
                }
                Poll::Ready(_) => return false,
            }
            let mut found = std::iter::from_fn(|| splitter.poll());
            if found.any(|found| matches!(found, Found::Frame(_))) {
                self.first = None;
            } else if self.bytes.len() > MOST_BYTES {
                return false;
            }
        }
        true
    }
}

impl<S> fmt::Debug for Rival<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rival")
            .field("peer", &self.peer)
            .field("bytes", &self.bytes.len())
            .field("has_frame", &self.has_frame())
            .finish_non_exhaustive()
    }
}

/// The rivals of the current sender: a bounded number, each with bounded time and bytes.
#[derive(Debug)]
pub(in crate::source) struct Rivals<S>(Vec<Rival<S>>);

impl<S> Default for Rivals<S> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<S: AsyncRead + Unpin> Rivals<S> {
    pub(in crate::source) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds one. If there are too many, hangs up on the one that has been silent for longest.
    pub(in crate::source) fn add(&mut self, rival: Rival<S>) {
        if self.0.len() >= MOST {
            // One with a frame has said what it has to say.
            let silence = |(_, rival): &(usize, &Rival<S>)| (rival.has_frame(), rival.last_read);
            if let Some((at, _)) = self.0.iter().enumerate().min_by_key(silence) {
                self.0.remove(at);
            }
        }
        self.0.push(rival);
    }

    /// Reads from all, and hangs up on those that have ended, or that have sent too much or for too
    /// long without a frame.
    pub(in crate::source) fn read(&mut self, now: Instant, cx: &mut Context<'_>) {
        self.0.retain_mut(|rival| {
            rival.read(now, cx) && rival.expires_at().is_none_or(|at| at > now)
        });
        while self.0.iter().map(|rival| rival.bytes.len()).sum::<usize>() > MOST_BYTES_OF_ALL {
            let size = |(_, rival): &(usize, &Rival<S>)| (!rival.has_frame(), rival.bytes.len());
            let Some((at, _)) = self.0.iter().enumerate().max_by_key(size) else {
                return;
            };
            self.0.remove(at);
        }
    }

    /// The next time at which one expires.
    pub(in crate::source) fn expire_at(&self) -> Option<Instant> {
        self.0.iter().filter_map(Rival::expires_at).min()
    }

    /// The newest one that has a whole frame.
    pub(in crate::source) fn with_frame(&self) -> Option<&Rival<S>> {
        self.0.iter().rfind(|rival| rival.has_frame())
    }

    /// Hangs up on those that have a whole frame: the current sender is alive.
    pub(in crate::source) fn refuse(&mut self) {
        self.0.retain(|rival| !rival.has_frame());
    }

    /// Takes out the first of those that are meant.
    #[cfg(feature = "http-listen")]
    pub(in crate::source) fn take_first(
        &mut self,
        is_meant: impl Fn(&S) -> bool,
    ) -> Option<Rival<S>> {
        let at = self.0.iter().position(|rival| is_meant(&rival.stream))?;
        Some(self.0.remove(at))
    }

    /// Takes out the one to be read next: rather one with a frame, else one that has sent bytes,
    /// else the newest.
    pub(in crate::source) fn take_best(&mut self) -> Option<Rival<S>> {
        let rank = |(_, rival): &(usize, &Rival<S>)| {
            (rival.has_frame(), !rival.bytes.is_empty(), rival.came)
        };
        let (at, _) = self.0.iter().enumerate().max_by_key(rank)?;
        Some(self.0.remove(at))
    }
}

/// How many rivals there may be.
const MOST: usize = 8;

/// How many bytes a rival may send before its first frame is whole. A sender of larger frames is
/// read when the current one has ended.
const MOST_BYTES: usize = 4 << 20;

/// How many bytes all rivals together may have sent. Beyond it, the one that has sent most without
/// a frame is hung up on.
const MOST_BYTES_OF_ALL: usize = 8 << 20;

/// How long a rival may take for its first whole frame.
const MOST_TIME: Duration = Duration::from_secs(10);
