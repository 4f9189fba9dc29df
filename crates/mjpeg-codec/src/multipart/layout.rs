//! The order of headers and images on the wire.

use crate::framing::allow_origin::AllowOrigin;

/// Where the headers of a part stand on the wire. A response uses one layout from its first byte to
/// its last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Layout {
    /// Headers, image, delimiter, like mjpg-streamer and ustreamer.
    ///
    /// The part ends with the delimiter after it, so that readers which wait for the delimiter
    /// (Firefox, Fluidd) have the frame at once. The headers include Content-Length, which some
    /// readers need (Mainsail, go2rtc).
    #[default]
    Trailing,
    /// Image, delimiter, and the headers of the next part, like ustreamer with `advance_headers`.
    ///
    /// Chromium and WebKit show a picture in an `<img>` only when the next part's headers have come
    /// (measured); in the other layout that is one frame late. The headers state neither length nor
    /// time, because those of the next image are not yet known.
    Advance,
}

/// Returns the headers of a part in [`Layout::Advance`]. WebKitGTK shows an `<img crossorigin>`
/// only if each part allows its origin, including the first; the response's own headers do not
/// count (measured).
pub(super) fn headers_ahead(allow_origin: &AllowOrigin) -> String {
    let mut headers = "Content-Type: image/jpeg\r\n".to_owned();
    if let Some(origin) = allow_origin.as_str() {
        headers += &format!("Access-Control-Allow-Origin: {origin}\r\n");
    }
    headers + "\r\n"
}
