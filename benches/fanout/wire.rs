//! The bytes around the pictures, as the relay sends them to a viewer with `Accept: */*`.

use crate::fanout::clock::SECOND_NS;

/// The head of the response, with the same fields and length as the relay's.
pub(crate) const HEAD: &str = "HTTP/1.0 200 OK\r\n\
    connection: close\r\n\
    content-type: multipart/x-mixed-replace;boundary=boundarydonotcross\r\n\
    cache-control: no-store, no-cache, must-revalidate, max-age=0\r\n\
    pragma: no-cache\r\n\
    expires: Mon, 03 Jan 2000 12:34:56 GMT\r\n\
    x-accel-buffering: no\r\n\
    access-control-allow-origin: *\r\n\
    access-control-expose-headers: ETag, Age, Last-Modified, Retry-After, X-Timestamp, X-Online\r\n\
    cross-origin-resource-policy: cross-origin\r\n\
    timing-allow-origin: *\r\n\
    date: Mon, 03 Jan 2000 12:34:56 GMT\r\n\r\n";

/// The bytes before the first part.
pub(crate) const OPENING: &str = "--boundarydonotcross\r\n";

/// The bytes after each picture.
pub(crate) const DELIMITER: &[u8] = b"\r\n--boundarydonotcross\r\n";

/// The bytes before a picture.
pub(crate) fn part_header(len: usize, wall_ns: u64) -> String {
    format!(
        "Content-Type: image/jpeg\r\nContent-Length: {len}\r\nX-Timestamp: {}.{:06}\r\n\r\n",
        wall_ns / SECOND_NS,
        wall_ns % SECOND_NS / 1000
    )
}
