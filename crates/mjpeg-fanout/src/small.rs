//! The small picture of a published frame.

use std::{
    future::poll_fn,
    task::{Context, Poll},
};

use bytes::Bytes;
use mjpeg_codec::{
    Frame,
    small::{NoSmallPicture, SmallEncoder, SmallPicture, SmallReader},
};
use tokio::sync::OnceCell;

use crate::published::Published;

/// What was made of a frame so far.
#[derive(Debug, Default)]
pub(crate) struct SmallForms {
    picture: OnceCell<Result<SmallPicture, NoSmallPicture>>,
    jpeg: OnceCell<Bytes>,
}

impl Published {
    /// Returns the picture at an eighth of its size, made from the frame's DC coefficients without
    /// decoding it (see [`mjpeg_codec::small`]).
    ///
    /// The first call makes it, all further calls share the result; those that come meanwhile wait
    /// for it. It is made in slices of about half a millisecond, between which other tasks get
    /// their turn. The frame keeps the samples: an eighth of the size in each direction, at most
    /// [`MOST_SAMPLES`](mjpeg_codec::small::MOST_SAMPLES) per component.
    ///
    /// # Errors
    ///
    /// The frame has none. Show the whole picture instead.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: if the future that makes the picture is dropped, another one starts over.
    pub async fn small_picture(&self) -> Result<&SmallPicture, NoSmallPicture> {
        let made = self.small.picture.get_or_init(|| read(&self.frame)).await;
        made.as_ref().map_err(|reason| *reason)
    }

    /// Returns the [small picture](Self::small_picture) as a JPEG, which is made once and shared,
    /// too.
    ///
    /// # Errors
    ///
    /// The frame has none. Show the whole picture instead.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: if the future that makes the picture is dropped, another one starts over.
    pub async fn small_jpeg(&self) -> Result<Bytes, NoSmallPicture> {
        let picture = self.small_picture().await?;
        let jpeg = self.small.jpeg.get_or_init(|| encode(picture)).await;
        Ok(jpeg.clone())
    }

    /// Returns how many bytes of memory the small forms made so far take.
    pub fn small_memory_bytes(&self) -> usize {
        let picture = self.small.picture.get().and_then(|made| made.as_ref().ok());
        let jpeg = self.small.jpeg.get();
        picture.map_or(0, SmallPicture::memory_bytes) + jpeg.map_or(0, Bytes::len)
    }
}

async fn read(frame: &Frame) -> Result<SmallPicture, NoSmallPicture> {
    let mut reader = SmallReader::new(frame);
    loop {
        if let Some(read) = reader.step(SLICE_NANOS) {
            return read;
        }
        yield_now().await;
    }
}

async fn encode(picture: &SmallPicture) -> Bytes {
    let mut encoder = SmallEncoder::new(picture);
    loop {
        if let Some(jpeg) = encoder.step(SLICE_NANOS) {
            return jpeg;
        }
        yield_now().await;
    }
}

/// Lets other tasks have their turn. Unlike tokio's, it needs no runtime.
async fn yield_now() {
    let mut has_yielded = false;
    poll_fn(|context: &mut Context<'_>| {
        if std::mem::replace(&mut has_yielded, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// How long the making of a small picture may keep its thread at a time.
const SLICE_NANOS: usize = 500_000;
