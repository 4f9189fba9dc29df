//! Why a camera that speaks RTSP sends no pictures.

use std::time::Duration;

use mjpeg_codec::rtp::DropReason;

use super::http::HttpError;

/// Why a camera that speaks RTSP sends no pictures. The camera or its URL is at fault. (Feature
/// `rtsp`.)
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RtspError {
    /// What cameras of both kinds do: they refuse logins, are silent, or close the connection.
    #[error(transparent)]
    Answer(#[from] HttpError),
    /// The camera requires a login, and none was given.
    #[error(
        "the camera asks for a user name and password; they are given in its URL: \
         rtsp://USER:PASSWORD@HOST/PATH"
    )]
    LoginNeeded,
    /// The camera offers no M-JPEG.
    #[error(
        "the camera offers {offers} and no M-JPEG, which is all that is read from rtsp://; choose \
         M-JPEG for this stream in the camera's settings, or another path, or read it through \
         ffmpeg: exec:ffmpeg -i rtsp://USER:PASSWORD@HOST/PATH -c:v mjpeg -f mjpeg -"
    )]
    NotMjpeg {
        /// What it offers.
        offers: String,
    },
    /// The camera sends RTP over UDP only.
    #[error(
        "the camera does not send its pictures over the connection (RTP over TCP, interleaved); \
         turn that on in its settings, or read it through ffmpeg: exec:ffmpeg -rtsp_transport udp \
         -i rtsp://USER:PASSWORD@HOST/PATH -c:v mjpeg -f mjpeg -"
    )]
    NotOverTcp,
    /// The camera redirects to another address.
    #[error("the camera redirects to {to}; if that is meant, write the source with that address")]
    Redirected {
        /// Where it leads.
        to: String,
    },
    /// What the camera sends is not RTSP.
    #[error("what the camera sends is not RTSP as it should be: {0}")]
    Malformed(&'static str),
    /// The description of the session is too long.
    #[error("the camera's description of its stream is longer than {limit} bytes (max_sdp_bytes)")]
    BodyTooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// None of the first pictures can be decoded. Most likely, the camera codes them with other
    /// Huffman tables than those of RFC 2435.
    #[error(
        "the camera's pictures cannot be decoded; most likely, it codes them with Huffman tables \
         of its own, which RTP cannot carry (RFC 2435); read it over HTTP, or its H.264 through \
         ffmpeg: exec:ffmpeg -i rtsp://USER:PASSWORD@HOST/PATH -c:v mjpeg -f mjpeg -"
    )]
    Miscoded,
    /// None of the pictures that the camera sends can be read.
    #[error("the camera's pictures cannot be read: {}", advice(*.0))]
    Pictures(DropReason),
}

impl RtspError {
    /// As [`Error::retry_in`](crate::Error::retry_in).
    pub fn retry_in(&self) -> Option<Duration> {
        match self {
            Self::Answer(error) => error.retry_in(),
            _ => None,
        }
    }
}

/// Says what is wrong with all pictures of a camera, and what to do.
fn advice(reason: DropReason) -> &'static str {
    match reason {
        DropReason::NoSize => {
            "it states their size nowhere, as it must for those above 2040 pixels; choose a \
             smaller size in its settings"
        }
        DropReason::UnknownType => "they are of a type that RFC 2435 does not have",
        DropReason::ReservedQuality => "they are of a quality that RFC 2435 reserves",
        DropReason::Marker => "it sends whole JPEG files, which RFC 2435 does not allow",
        _ => "they are not as RFC 2435 has them",
    }
}
