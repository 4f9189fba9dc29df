//! The picture of a frame, in the size that a tile wants.

use bytes::Bytes;
use mjpeg_manager::mjpeg_fanout::Published;

use super::{header::PictureKind, message::Scale};

/// What is sent of a frame. All viewers share its bytes.
#[derive(Debug)]
pub(crate) struct TilePicture {
    pub(crate) kind: PictureKind,
    pub(crate) bytes: Bytes,
}

impl TilePicture {
    /// The whole picture of a frame.
    pub(crate) fn full(frame: &Published) -> Self {
        Self {
            kind: PictureKind::Full,
            bytes: frame.frame.bytes().clone(),
        }
    }

    /// The picture of a frame in this size, or the whole one where there is no smaller one. The
    /// first to ask for a small one makes it, for all.
    pub(crate) async fn of(frame: &Published, scale: Scale) -> Self {
        #[cfg(feature = "small")]
        if scale == Scale::Eighth
            && let Ok(bytes) = frame.small_jpeg().await
        {
            let kind = PictureKind::Eighth;
            return Self { kind, bytes };
        }
        #[cfg(not(feature = "small"))]
        let _ = scale;
        Self::full(frame)
    }
}

impl AsRef<[u8]> for TilePicture {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}
