//! The frames of a reader that the caller has opened.

use std::{
    collections::BTreeMap,
    fmt,
    future::poll_fn,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_util::Stream;
use mjpeg_codec::{DiscardReason, SplitterConfig};
use tokio::io::AsyncRead;

use crate::{event::Captured, framed::Framed, framing::Framing, parsed::Parsed};

/// Reads frames from a socket, pipe or file of your own: concatenated JPEG images, with the default
/// limits. [`Frames`] has methods to change both.
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
    Frames {
        framed: Framed::new(reader, Framing::Concatenated, SplitterConfig::default()),
        framing: Framing::Concatenated,
        splitter: SplitterConfig::default(),
        discarded: BTreeMap::new(),
        ended: false,
        error: None,
    }
}

/// The frames of one reader, each with the time when its last byte was read. Made by [`frames`].
///
/// Pull it with [`next`](Self::next), or use it as a [`Stream`]. A frame comes out as soon as its
/// last byte was read. While the caller asks for no frame nothing is read, so that TCP slows a fast
/// camera down.
///
/// When the reader ends or fails, the frames read before come first; then, if it failed, its error;
/// then always `None`. `Frames` limits no time and does not reconnect: use
/// [`Ingest`](crate::Ingest) for that.
///
/// Bytes are read in large chunks, straight into the buffer that the frames are slices of: a
/// `BufReader` would only add a copy. Pass `&mut reader` to keep the reader; bytes read beyond the
/// last frame are lost with the `Frames`. Pin a reader that is not [`Unpin`] first
/// (`Box::pin(reader)`).
pub struct Frames<R> {
    framed: Framed<R>,
    framing: Framing,
    splitter: SplitterConfig,
    discarded: BTreeMap<DiscardReason, Discarded>,
    /// Nothing more will be read.
    ended: bool,
    /// The reader's error, until it is returned.
    error: Option<io::Error>,
}

/// How much was discarded for one reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Discarded {
    /// How many times. If the reason [is a broken frame](DiscardReason::is_frame), this is the
    /// number of frames lost; other reasons are counted in ranges.
    pub count: u64,
    /// How many bytes.
    pub bytes: u64,
}

impl Discarded {
    /// Adds a range of discarded bytes.
    pub fn add(&mut self, bytes: u64) {
        self.count += 1;
        self.bytes += bytes;
    }
}

impl<R: AsyncRead + Unpin> Frames<R> {
    /// Sets how frames lie in the bytes. Default [`Framing::Concatenated`].
    ///
    /// Call it before the first frame is read: bytes that were read already are dropped.
    pub fn with_framing(mut self, framing: Framing) -> Self {
        self.framing = framing;
        self.reframed()
    }

    /// Sets the limits of the frame parser. Default [`SplitterConfig::default`].
    ///
    /// Call it before the first frame is read: bytes that were read already are dropped.
    pub fn with_splitter(mut self, config: SplitterConfig) -> Self {
        self.splitter = config;
        self.reframed()
    }

    fn reframed(mut self) -> Self {
        self.framed = self.framed.reframed(self.framing, self.splitter.clone());
        self
    }

    /// Waits for the next frame. Returns `None`, from then on always, after the end of the reader
    /// or its error.
    ///
    /// Does the same as `next` of `futures_util::StreamExt`, without that trait.
    ///
    /// # Errors
    ///
    /// The reader's error, once. An [`Interrupted`](io::ErrorKind::Interrupted) read is repeated
    /// instead.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: bytes already read are kept for the next call.
    pub async fn next(&mut self) -> Option<io::Result<Captured>> {
        poll_fn(|cx| self.poll_frame(cx)).await
    }

    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Captured>>> {
        loop {
            while let Some(found) = ready!(self.framed.poll_found(cx)) {
                match found {
                    Parsed::Frame { captured, .. } => return Poll::Ready(Some(Ok(captured))),
                    Parsed::Discarded { reason, bytes } => {
                        self.discarded.entry(reason).or_default().add(bytes);
                    }
                    // Bytes hold none.
                    Parsed::State { .. } => {}
                }
            }
            if self.ended {
                return Poll::Ready(self.error.take().map(Err));
            }
            match ready!(self.framed.poll_read(cx)) {
                Ok(0) => {
                    self.framed.finish();
                    self.ended = true;
                }
                Ok(_) => {}
                Err(error) => {
                    self.framed.cut_off();
                    self.ended = true;
                    self.error = Some(error);
                }
            }
        }
    }
}

impl<R> Frames<R> {
    /// How many bytes read so far belong to no frame, for this reason.
    ///
    /// Every byte belongs to a frame or is counted here, except those at the end that are not
    /// decided yet.
    ///
    /// ```
    /// # use mjpeg_ingest::{frames, mjpeg_codec::DiscardReason};
    /// # let frames = frames(&b""[..]);
    /// for &reason in DiscardReason::ALL {
    ///     println!("{reason}: {} bytes", frames.discarded(reason).bytes);
    /// }
    /// ```
    pub fn discarded(&self, reason: DiscardReason) -> Discarded {
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
