//! One part: headers, image, delimiter.

use std::{
    ops::Range,
    time::{Duration, SystemTime},
};

use bytes::{BufMut, Bytes, BytesMut};

use super::{Boundary, PartHeaders, allow_origin::AllowOrigin};

/// Where the headers of a part stand on the wire. A response keeps to one layout from its first byte to its last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Layout {
    /// Headers, image, delimiter: the part ends with the delimiter after it, so that readers which wait for it (Firefox, Fluidd) have the
    /// frame at once. With Content-Length, which readers exist that need (Mainsail, go2rtc). As mjpg-streamer and ustreamer do it.
    #[default]
    Trailing,
    /// Image, delimiter, and ahead of its image the next part's headers: Chromium and WebKit show a picture in an `<img>` only when these
    /// have come (measured), one frame late otherwise. The next image's length and time are not known yet, so they carry neither. As ustreamer does it with `advance_headers`.
    Advance,
}

/// One part as rendered by [`render`]: a single buffer, of which each layout takes a slice. Cloning shares it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    bytes: Bytes,
    image_at: usize,
    /// Where the headers ahead of the next image begin.
    ahead_at: usize,
}

impl Part {
    /// What goes over the wire for this frame.
    pub fn bytes(&self, layout: Layout) -> Bytes {
        self.bytes.slice(self.range(layout))
    }

    /// Where that lies in [`whole`](Self::whole).
    pub fn range(&self, layout: Layout) -> Range<usize> {
        match layout {
            Layout::Trailing => 0..self.ahead_at,
            Layout::Advance => self.image_at..self.bytes.len(),
        }
    }

    /// The buffer that all layouts are slices of.
    pub fn whole(&self) -> &Bytes {
        &self.bytes
    }

    /// Whether nobody else holds it, neither a clone nor what [`bytes`](Self::bytes) gave.
    pub fn is_unique(&self) -> bool {
        self.bytes.is_unique()
    }

    /// Whether the other one is a clone of this: the same buffer, not merely the same bytes.
    pub fn is_same(&self, other: &Self) -> bool {
        self.bytes.as_ptr() == other.bytes.as_ptr() && self.bytes.len() == other.bytes.len()
    }

    /// How much memory it takes, in bytes.
    pub fn size_bytes(&self) -> usize {
        self.bytes.len()
    }
}

/// Makes the bytes of one part: its headers, the image, the delimiter after it, and the headers ahead of the next one.
///
/// The body begins with [`Boundary::opening`] of the same layout. The image is copied once, so that one buffer serves all viewers, in one write
/// each.
///
/// ```
/// use mjpeg_codec::multipart::{Boundary, Layout, PartHeaders, render};
///
/// let boundary = Boundary::default();
/// let part = render(&boundary, &PartHeaders::default(), b"(image)");
/// assert_eq!(boundary.opening(Layout::Trailing), "--boundarydonotcross\r\n");
/// assert_eq!(
///     part.bytes(Layout::Trailing),
///     "Content-Type: image/jpeg\r\nContent-Length: 7\r\n\r\n(image)\r\n--boundarydonotcross\r\n"
/// );
/// assert_eq!(
///     part.bytes(Layout::Advance),
///     "(image)\r\n--boundarydonotcross\r\nContent-Type: image/jpeg\r\nAccess-Control-Allow-Origin: *\r\n\r\n"
/// );
/// ```
pub fn render(boundary: &Boundary, headers: &PartHeaders, image: &[u8]) -> Part {
    let mut head = format!(
        "Content-Type: image/jpeg\r\nContent-Length: {}\r\n",
        image.len()
    );
    if let Some(wall) = headers.timestamp() {
        let since = wall
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or(Duration::ZERO);
        head += &format!(
            "X-Timestamp: {}.{:06}\r\n",
            since.as_secs(),
            since.subsec_micros()
        );
    }
    head += "\r\n";
    let delimiter = format!("\r\n--{}\r\n", boundary.as_str());
    let ahead = headers_ahead(headers.allow_origin());
    let len = head.len() + image.len() + delimiter.len() + ahead.len();
    let mut bytes = BytesMut::with_capacity(len);
    bytes.put_slice(head.as_bytes());
    bytes.put_slice(image);
    bytes.put_slice(delimiter.as_bytes());
    let ahead_at = bytes.len();
    bytes.put_slice(ahead.as_bytes());
    Part {
        bytes: bytes.freeze(),
        image_at: head.len(),
        ahead_at,
    }
}

/// The headers of a part in [`Layout::Advance`]. WebKitGTK gives `<img crossorigin>` a picture only if each part allows it, the first
/// included; what the response's own headers say does not count there (measured).
pub(super) fn headers_ahead(allow_origin: &AllowOrigin) -> String {
    let mut headers = "Content-Type: image/jpeg\r\n".to_owned();
    if let Some(origin) = allow_origin.as_str() {
        headers += &format!("Access-Control-Allow-Origin: {origin}\r\n");
    }
    headers + "\r\n"
}
