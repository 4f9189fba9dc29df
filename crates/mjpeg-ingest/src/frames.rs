//! The frames of a reader that somebody else has opened.

use std::{
    collections::BTreeMap,
    fmt,
    future::poll_fn,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_util::Stream;
use mjpeg_codec::{DiscardReason, Event, SplitterConfig};
use tokio::io::AsyncRead;

use crate::{Captured, Framing, reading::Reading};

/// Reads frames from a socket, pipe or file of your own, with the default limits; see [`Frames`].
///
/// ```
/// use mjpeg_ingest::frames;
/// # use tokio::io::AsyncRead;
///
/// async fn sizes(socket: impl AsyncRead + Unpin) -> std::io::Result<Vec<(u16, u16)>> {
///     let mut frames = frames(socket);
///     let mut sizes = Vec::new();
///     while let Some(captured) = frames.next().await {
///         let frame = captured?.frame;
///         sizes.push((frame.width(), frame.height()));
///     }
///     Ok(sizes)
/// }
/// # let camera: &[u8] = &[
/// #     0xFF, 0xD8, 0xFF, 0xC0, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0,
/// #     0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0, 0x2A, 0xFF, 0xD9,
/// # ];
/// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
/// # assert_eq!(runtime.block_on(sizes(camera)).unwrap(), [(8, 8)]);
/// ```
pub fn frames<R: AsyncRead + Unpin>(reader: R) -> Frames<R> {
    frames_with(reader, SplitterConfig::default())
}

/// Reads frames as [`frames`] does, with limits of your choice.
pub fn frames_with<R: AsyncRead + Unpin>(reader: R, config: SplitterConfig) -> Frames<R> {
    Frames {
        reading: Reading::new(reader, Framing::Concatenated, config),
        discarded: BTreeMap::new(),
        ended: false,
        error: None,
    }
}

/// The frames of one reader, each with the time when its last byte was read. Made by [`frames`] and [`frames_with`].
///
/// Pull it with [`next`](Self::next), or use it as a [`Stream`]. A frame comes out as soon as its last byte was read. While no frame
/// is asked for nothing is read, so that TCP holds a fast camera back.
///
/// When the reader ends or fails, the frames that were read before come first; then, if it failed, its error; then `None`, for ever.
/// There is no limit on time and no reconnecting: that is what [`Ingest`](crate::Ingest) adds.
///
/// Bytes are read in large pieces, straight into the buffer that the frames are slices of: a `BufReader` would only add a
/// copy. Give `&mut reader` to have the reader back afterwards; what was read beyond the last frame is gone with the `Frames`.
/// A reader that is not [`Unpin`] is pinned first (`Box::pin(reader)`).
pub struct Frames<R> {
    reading: Reading<R>,
    discarded: BTreeMap<DiscardReason, Tally>,
    /// Nothing more will be read.
    ended: bool,
    /// Why, if that is yet to be told.
    error: Option<io::Error>,
}

/// How much was discarded for one reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tally {
    /// How many times. That is how many frames were lost, if the reason [is a broken frame](DiscardReason::is_frame); the
    /// other reasons are counted in pieces.
    pub count: u64,
    /// How many bytes.
    pub bytes: u64,
}

impl<R: AsyncRead + Unpin> Frames<R> {
    /// Waits for the next frame. `None`, for ever, after the end of the reader or its error.
    ///
    /// It does the same as `next` of `futures_util::StreamExt`, without that trait.
    ///
    /// # Errors
    ///
    /// The reader's error, once. An [`Interrupted`](io::ErrorKind::Interrupted) read is repeated instead.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: bytes already read are kept, and the next call goes on with them.
    pub async fn next(&mut self) -> Option<io::Result<Captured>> {
        poll_fn(|cx| self.poll_frame(cx)).await
    }

    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Captured>>> {
        loop {
            while let Some(event) = self.reading.found() {
                match event {
                    Event::Frame(frame) => {
                        return Poll::Ready(Some(Ok(self.reading.captured(frame))));
                    }
                    Event::Discarded { reason, range } => {
                        let tally = self.discarded.entry(reason).or_default();
                        tally.count += 1;
                        tally.bytes += range.end - range.start;
                    }
                    // The enum may grow; what is neither is not asked for here.
                    _ => {}
                }
            }
            if self.ended {
                return Poll::Ready(self.error.take().map(Err));
            }
            match ready!(self.reading.poll_read(cx)) {
                Ok(0) => self.end(None),
                Ok(_) => {}
                Err(error) => self.end(Some(error)),
            }
        }
    }

    fn end(&mut self, error: Option<io::Error>) {
        self.reading.finish();
        self.ended = true;
        self.error = error;
    }
}

impl<R> Frames<R> {
    /// How much of what was read so far was part of no frame, for this reason: every byte lies in a frame or is counted here, except
    /// for those at the end that are not decided yet.
    ///
    /// ```
    /// # use mjpeg_ingest::{frames, mjpeg_codec::DiscardReason};
    /// # let frames = frames(&b""[..]);
    /// for reason in DiscardReason::ALL {
    ///     println!("{reason}: {} bytes", frames.discarded(reason).bytes);
    /// }
    /// ```
    pub fn discarded(&self, reason: DiscardReason) -> Tally {
        self.discarded.get(&reason).copied().unwrap_or_default()
    }
}

impl<R: AsyncRead + Unpin> Stream for Frames<R> {
    type Item = io::Result<Captured>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_frame(cx)
    }
}

impl<R> fmt::Debug for Frames<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frames")
            .field("discarded", &self.discarded)
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}
