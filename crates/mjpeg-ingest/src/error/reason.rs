//! What a failure is counted as.

use std::error::Error as StdError;

#[cfg(feature = "http")]
use super::http::HttpError;
#[cfg(all(feature = "exec", unix))]
use super::local::ProgramEnd;
#[cfg(feature = "rtsp")]
use super::rtsp::RtspError;
#[cfg(all(feature = "v4l2", target_os = "linux"))]
use super::v4l2::V4l2Error;
use super::{ConnectError, Error, kind::FailureKind, local::NoImage, relay::RelayError};

/// What a failure is counted as: the limit that was reached, or the [kind](FailureKind) of what
/// went wrong.
///
/// From [`Error::reason`]. There are few of them, so that each can have a counter of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum FailureReason {
    /// No connection was made within the [limit](crate::IngestConfig::with_connect_timeout).
    ConnectTimeout,
    /// No connection can be made.
    Unreachable,
    /// The [policy](crate::DialPolicy) of the source permits none of the addresses of its host, or
    /// of one that the camera redirects to.
    AddressNotAllowed,
    /// The camera refuses the login, or asks for one. After a refusal, the next is tried after the
    /// [limit](crate::IngestConfig::with_login_retry).
    Login,
    /// No answer came within the [limit](crate::IngestConfig::with_answer_timeout).
    AnswerTimeout,
    /// Nothing, or no whole picture, came within the
    /// [limit](crate::IngestConfig::with_stall_limit).
    StallLimit,
    /// Answers of a polled camera hold no whole picture.
    NoPicture,
    /// The connection was closed, or broke.
    Closed,
    /// The head of an answer is longer than 64 KiB.
    MaxHeadBytes,
    /// More than 8 informational heads (1xx) came, and no answer.
    MaxInformationalHeads,
    /// The camera redirects more than 5 times, or in a circle.
    MaxRedirects,
    /// More than 4 relays stand in a row, or they read one another.
    MaxRelays,
    /// What the camera answers is neither a stream nor a picture.
    Unusable,
    /// A program could not be started, or has ended.
    Program,
    /// A file or socket of this machine cannot be opened, or holds no picture.
    File,
    /// This machine cannot listen where the camera is to connect to.
    Listen,
    /// The source is a relay that has lost its camera.
    RelayOffline,
    /// Something else: a source of another kind, or the system.
    Other,
}

impl FailureReason {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::ConnectTimeout,
        Self::Unreachable,
        Self::AddressNotAllowed,
        Self::Login,
        Self::AnswerTimeout,
        Self::StallLimit,
        Self::NoPicture,
        Self::Closed,
        Self::MaxHeadBytes,
        Self::MaxInformationalHeads,
        Self::MaxRedirects,
        Self::MaxRelays,
        Self::Unusable,
        Self::Program,
        Self::File,
        Self::Listen,
        Self::RelayOffline,
        Self::Other,
    ];

    /// Returns a stable word for machines: the name in lower case with underscores, such as
    /// `answer_timeout`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ConnectTimeout => "connect_timeout",
            Self::Unreachable => "unreachable",
            Self::AddressNotAllowed => "address_not_allowed",
            Self::Login => "login",
            Self::AnswerTimeout => "answer_timeout",
            Self::StallLimit => "stall_limit",
            Self::NoPicture => "no_picture",
            Self::Closed => "closed",
            Self::MaxHeadBytes => "max_head_bytes",
            Self::MaxInformationalHeads => "max_informational_heads",
            Self::MaxRedirects => "max_redirects",
            Self::MaxRelays => "max_relays",
            Self::Unusable => "unusable",
            Self::Program => "program",
            Self::File => "file",
            Self::Listen => "listen",
            Self::RelayOffline => "relay_offline",
            Self::Other => "other",
        }
    }

    /// Returns the kind of failure, which may be shown to strangers.
    pub fn kind(self) -> FailureKind {
        match self {
            Self::ConnectTimeout | Self::Unreachable | Self::AddressNotAllowed => {
                FailureKind::Unreachable
            }
            Self::Login => FailureKind::Login,
            Self::AnswerTimeout | Self::StallLimit | Self::NoPicture => FailureKind::Silent,
            Self::Closed => FailureKind::Closed,
            Self::MaxHeadBytes
            | Self::MaxInformationalHeads
            | Self::MaxRedirects
            | Self::MaxRelays
            | Self::Unusable => FailureKind::Unusable,
            Self::Program => FailureKind::Program,
            Self::File => FailureKind::File,
            Self::Listen => FailureKind::Listen,
            Self::RelayOffline => FailureKind::RelayOffline,
            Self::Other => FailureKind::Other,
        }
    }
}

impl Error {
    /// Returns what the failure is counted as.
    ///
    /// ```
    /// use std::time::Duration;
    /// use mjpeg_ingest::{Error, FailureKind, FailureReason};
    ///
    /// let error = Error::Stalled { after: Duration::from_secs(10) };
    /// assert_eq!(error.reason(), FailureReason::StallLimit);
    /// assert_eq!(error.reason().as_str(), "stall_limit");
    /// assert_eq!(error.kind(), FailureKind::Silent);
    /// ```
    pub fn reason(&self) -> FailureReason {
        match self {
            Self::Connect(error) => error.reason(),
            Self::Closed | Self::Read(_) | Self::Replaced { .. } | Self::TenureEnded => {
                FailureReason::Closed
            }
            Self::Stalled { .. } | Self::NoFrame { .. } => FailureReason::StallLimit,
            Self::RelayOffline => FailureReason::RelayOffline,
            Self::Source(error) => boxed(&**error),
        }
    }
}

impl ConnectError {
    /// Returns what the failure is counted as.
    pub fn reason(&self) -> FailureReason {
        match self {
            Self::TimedOut { .. } => FailureReason::ConnectTimeout,
            Self::Resolve { .. } | Self::Failed { .. } => FailureReason::Unreachable,
            Self::AddressNotAllowed(_) => FailureReason::AddressNotAllowed,
            Self::Open { .. } => FailureReason::File,
            Self::Start { .. } => FailureReason::Program,
            Self::Listen { .. } => FailureReason::Listen,
            #[cfg(feature = "http")]
            Self::Http(error) => http(error),
            #[cfg(feature = "rtsp")]
            Self::Rtsp(error) => rtsp(error),
            Self::Io(error) => error.get_ref().map_or(FailureReason::Other, boxed),
            Self::Other(error) => boxed(&**error),
            Self::Finished => FailureReason::Other,
        }
    }
}

/// The reason of an error that a source put into a box.
fn boxed(error: &(dyn StdError + Send + Sync + 'static)) -> FailureReason {
    if let Some(error) = error.downcast_ref::<ConnectError>() {
        return error.reason();
    }
    #[cfg(feature = "http")]
    if let Some(error) = error.downcast_ref::<HttpError>() {
        return http(error);
    }
    #[cfg(all(feature = "exec", unix))]
    if error.is::<ProgramEnd>() {
        return FailureReason::Program;
    }
    #[cfg(all(feature = "v4l2", target_os = "linux"))]
    if let Some(error) = error.downcast_ref::<V4l2Error>() {
        return v4l2(error);
    }
    if error.is::<RelayError>() {
        return FailureReason::MaxRelays;
    }
    if error.is::<NoImage>() {
        FailureReason::File
    } else {
        FailureReason::Other
    }
}

#[cfg(feature = "http")]
fn http(error: &HttpError) -> FailureReason {
    match error {
        HttpError::Status { code: 401, .. }
        | HttpError::LoginNeeded
        | HttpError::LoginRefused { .. }
        | HttpError::LoginForbidden { .. }
        | HttpError::LoginDowngraded { .. }
        | HttpError::UnknownLogin { .. }
        | HttpError::LoginElsewhere { .. } => FailureReason::Login,
        HttpError::CutShort | HttpError::Broken { .. } => FailureReason::Closed,
        HttpError::NoPicture(_) => FailureReason::NoPicture,
        HttpError::AnswerTimedOut { .. } => FailureReason::AnswerTimeout,
        HttpError::PictureTimedOut { .. } => FailureReason::StallLimit,
        HttpError::HeadTooLarge { .. } => FailureReason::MaxHeadBytes,
        HttpError::TooManyInformational { .. } => FailureReason::MaxInformationalHeads,
        HttpError::TooManyRedirects(_) | HttpError::RedirectLoop => FailureReason::MaxRedirects,
        HttpError::Relay(_) => FailureReason::MaxRelays,
        HttpError::Certificate { .. }
        | HttpError::OldTls { .. }
        | HttpError::Tls { .. }
        | HttpError::Authorities { .. } => FailureReason::Unreachable,
        _ => FailureReason::Unusable,
    }
}

#[cfg(feature = "rtsp")]
fn rtsp(error: &RtspError) -> FailureReason {
    match error {
        RtspError::Answer(error) => http(error),
        RtspError::LoginNeeded => FailureReason::Login,
        _ => FailureReason::Unusable,
    }
}

#[cfg(all(feature = "v4l2", target_os = "linux"))]
fn v4l2(error: &V4l2Error) -> FailureReason {
    match error {
        V4l2Error::Open { .. } | V4l2Error::Busy { .. } => FailureReason::Unreachable,
        V4l2Error::BadBuffer { .. } | V4l2Error::Unplugged { .. } => FailureReason::Closed,
        V4l2Error::Request { .. } | V4l2Error::List(_) => FailureReason::Other,
        V4l2Error::NotVideo { .. }
        | V4l2Error::NoCapture { .. }
        | V4l2Error::Multiplanar { .. }
        | V4l2Error::NoJpeg { .. }
        | V4l2Error::NoControl { .. }
        | V4l2Error::ControlBounds { .. }
        | V4l2Error::Control { .. } => FailureReason::Unusable,
    }
}
