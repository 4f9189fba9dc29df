//! Rendering a part: headers, image, delimiter.

use std::{
    fmt,
    ops::Range,
    time::{Duration, SystemTime},
};

use bytes::{BufMut, Bytes, BytesMut};

use super::{
    boundary::Boundary,
    layout::{Layout, headers_ahead},
    relay::RelayHeaders,
};
use crate::framing::headers::PartHeaders;

/// A part rendered by [`render`]: a single buffer, of which each layout takes a slice.
///
/// Cloning shares the buffer. `Debug` prints its length, not the bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Part {
    bytes: Bytes,
    image_at: usize,
    /// Where the headers ahead of the next image begin.
    ahead_at: usize,
}

impl Part {
    /// Returns the bytes to send for this frame in a layout.
    pub fn bytes(&self, layout: Layout) -> Bytes {
        self.bytes.slice(self.range(layout))
    }

    /// Returns the range of a layout's bytes in [`whole`](Self::whole).
    pub fn range(&self, layout: Layout) -> Range<usize> {
        match layout {
            Layout::Trailing => 0..self.ahead_at,
            Layout::Advance => self.image_at..self.bytes.len(),
        }
    }

    /// Returns the bytes to send to another relay in [`Layout::Trailing`]: a head of its own, and
    /// the rest, which is a slice of the shared buffer.
    pub fn for_relay(&self, headers: &RelayHeaders) -> (Bytes, Bytes) {
        let blank_line = b"\r\n";
        let mut head = BytesMut::from(&self.bytes[..self.image_at - blank_line.len()]);
        for (name, value) in headers.fields() {
            head.put_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        head.put_slice(blank_line);
        (
            head.freeze(),
            self.bytes.slice(self.image_at..self.ahead_at),
        )
    }

    /// Returns the buffer that all layouts are slices of.
    pub fn whole(&self) -> &Bytes {
        &self.bytes
    }

    /// Returns whether this is the only holder of the buffer: neither a clone nor a slice from
    /// [`bytes`](Self::bytes) exists.
    pub fn is_unique(&self) -> bool {
        self.bytes.is_unique()
    }

    /// Returns whether the other part is a clone of this one: the same buffer, not merely the same
    /// bytes.
    pub fn is_same(&self, other: &Self) -> bool {
        self.bytes.as_ptr() == other.bytes.as_ptr() && self.bytes.len() == other.bytes.len()
    }

    /// Returns how much memory the buffer takes, in bytes.
    pub fn size_bytes(&self) -> usize {
        self.bytes.len()
    }
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Part {{ {} bytes }}", self.bytes.len())
    }
}

/// Renders one part: its headers, the image, the delimiter after it, and the headers ahead of the
/// next one.
///
/// The body begins with [`Boundary::opening`] of the same layout. The image is copied once, so that
/// one buffer serves all viewers with one write each.
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
/// let delimiter = "\r\n--boundarydonotcross\r\n";
/// let ahead = "Content-Type: image/jpeg\r\nAccess-Control-Allow-Origin: *\r\n\r\n";
/// assert_eq!(part.bytes(Layout::Advance), format!("(image){delimiter}{ahead}"));
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
