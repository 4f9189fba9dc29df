//! One part: headers, image, delimiter.

use std::time::{Duration, SystemTime};

use bytes::{BufMut, Bytes, BytesMut};

use super::{Boundary, PartHeaders};

/// Makes the bytes of one part: its headers, the image, and the delimiter after it.
///
/// The delimiter comes last ("trailing layout", as mjpg-streamer and ustreamer do it), so that readers which wait for it (Firefox, Fluidd)
/// have the frame at once; the body therefore begins with [`Boundary::opening`]. The image is copied once, so that one
/// buffer serves all viewers in one write.
///
/// ```
/// use mjpeg_codec::multipart::{Boundary, PartHeaders, render};
///
/// let part = render(&Boundary::default(), &PartHeaders::default(), b"(image)");
/// assert_eq!(
///     part,
///     "Content-Type: image/jpeg\r\nContent-Length: 7\r\n\r\n(image)\r\n--boundarydonotcross\r\n"
/// );
/// ```
pub fn render(boundary: &Boundary, headers: &PartHeaders, image: &[u8]) -> Bytes {
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
    let boundary = boundary.as_str();
    let mut part =
        BytesMut::with_capacity(head.len() + 2 + image.len() + "\r\n--\r\n".len() + boundary.len());
    part.put_slice(head.as_bytes());
    part.put_slice(b"\r\n");
    part.put_slice(image);
    part.put_slice(b"\r\n--");
    part.put_slice(boundary.as_bytes());
    part.put_slice(b"\r\n");
    part.freeze()
}
