//! Why a camera of this machine is not read.

use std::io;

use super::ConnectError;

/// Why a camera that V4L2 knows is not read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum V4l2Error {
    #[error("cannot open {path}")]
    Open { path: String, source: io::Error },
    #[error("{path} is not a video device (a character device of V4L2)")]
    NotVideo { path: String },
    #[error(
        "{path} ({card}) captures no pictures; a webcam has a second device for other data, so \
         try the one before it"
    )]
    NoCapture { path: String, card: String },
    #[error(
        "{path} ({card}) has only the multi-planar interface, which v4l2:// does not read; \
         GStreamer does: exec:gst-launch-1.0 -q v4l2src device={path} ! videoconvert ! jpegenc ! \
         fdsink"
    )]
    Multiplanar { path: String, card: String },
    #[error(
        "{path} ({card}) makes no JPEG images, only {offered}; a program can encode them: \
         exec:ffmpeg -f v4l2 -i {path} -c:v mjpeg -f mjpeg -"
    )]
    NoJpeg {
        path: String,
        card: String,
        /// The formats that it has.
        offered: String,
    },
    #[error("{path} is in use by another program, or by another stream")]
    Busy { path: String },
    #[error("{path} has no control {name}; {known}")]
    NoControl {
        path: String,
        name: String,
        /// What there is.
        known: String,
    },
    #[error("the control {name} of {path} is a number from {minimum} to {maximum}")]
    ControlBounds {
        path: String,
        name: String,
        minimum: i32,
        maximum: i32,
    },
    #[error("{path} does not let the control {name} be set")]
    Control {
        path: String,
        name: String,
        source: io::Error,
    },
    #[error("{path} refuses {request}")]
    Request {
        path: String,
        /// As the kernel names it.
        request: &'static str,
        source: io::Error,
    },
    #[error("{path} gave a buffer that it does not have")]
    BadBuffer { path: String },
    #[error("{path} was unplugged")]
    Unplugged { path: String },
    #[error("{0}")]
    List(String),
}

impl V4l2Error {
    /// Whether the device may be free in a moment.
    pub(crate) fn is_busy(error: &ConnectError) -> bool {
        let ConnectError::Other(error) = error else {
            return false;
        };
        matches!(error.downcast_ref(), Some(Self::Busy { .. }))
    }
}

impl From<V4l2Error> for ConnectError {
    fn from(error: V4l2Error) -> Self {
        Self::Other(Box::new(error))
    }
}
