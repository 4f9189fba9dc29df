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

/// What was made of a frame so far.
#[derive(Debug, Default)]
pub(crate) struct SmallForms {
    picture: OnceCell<Result<SmallPicture, NoSmallPicture>>,
    jpeg: OnceCell<Bytes>,
}

impl SmallForms {
    /// Returns the small picture of this frame.
    pub(crate) async fn picture(&self, frame: &Frame) -> Result<&SmallPicture, NoSmallPicture> {
        let made = self.picture.get_or_init(|| read(frame)).await;
        made.as_ref().map_err(|reason| *reason)
    }

    /// Returns it as a JPEG.
    pub(crate) async fn jpeg(&self, frame: &Frame) -> Result<Bytes, NoSmallPicture> {
        let picture = self.picture(frame).await?;
        let jpeg = self.jpeg.get_or_init(|| encode(picture)).await;
        Ok(jpeg.clone())
    }

    /// Returns how many bytes of memory what was made so far takes.
    pub(crate) fn memory_bytes(&self) -> usize {
        let picture = self.picture.get().and_then(|made| made.as_ref().ok());
        let jpeg = self.jpeg.get();
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
