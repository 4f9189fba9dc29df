//! How sockets and tiles end.

use mjpeg_manager::mjpeg_http::{WatchEnd, WatchRefusal};
use tokio_websockets::CloseCode;

use super::message::ServerMessage;
use crate::{code::ErrorCode, error::Error};

/// Why a socket is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WallEnd {
    /// The client closes it, or is gone.
    Client,
    /// The relay ends.
    GoingAway,
    /// A message was not understood.
    Invalid,
    Flood,
    /// The client may no longer look.
    Forbidden,
    /// It neither acknowledges nor answers.
    Stalled,
    /// A frame took too long.
    TooSlow,
    /// There are as many sockets as allowed.
    Full,
}

impl WallEnd {
    /// What the client is told; `None` if it is cut.
    pub(crate) fn told(self) -> Option<(CloseCode, &'static str)> {
        Some(match self {
            Self::Client => (CloseCode::NORMAL_CLOSURE, ""),
            Self::GoingAway => (CloseCode::GOING_AWAY, "the relay ends"),
            Self::Invalid => (CloseCode::POLICY_VIOLATION, "not understood"),
            Self::Flood => (CloseCode::POLICY_VIOLATION, "too many messages"),
            Self::Forbidden => (CloseCode::POLICY_VIOLATION, "not allowed any more"),
            Self::Full => (CloseCode::SERVICE_OVERLOAD, "too many sockets"),
            Self::Stalled | Self::TooSlow => return None,
        })
    }
}

/// Says that a tile that was running shows nothing any more.
pub(crate) fn ended(tile: u16, end: WatchEnd) -> ServerMessage {
    let (code, detail) = match end {
        WatchEnd::Kicked => ("kicked", "this viewer was disconnected"),
        WatchEnd::Denied => ("forbidden", "the stream may not be watched any more"),
        WatchEnd::Expired => ("expired", "the time to watch is over"),
        WatchEnd::Replaced => ("replaced", "another viewer from this address has its place"),
        WatchEnd::Duration => ("expired", "the longest time to watch is over"),
        WatchEnd::InFlight => ("too_slow", "old frames have taken up too much memory"),
        _ => ("not_found", "the stream has ended"),
    };
    ServerMessage::Tile {
        tile,
        state: "ended",
        code: Some(code),
        detail: Some(detail.to_owned()),
    }
}

/// Says that a tile shows nothing, and why.
pub(crate) fn refused(tile: u16, why: &Error) -> ServerMessage {
    ServerMessage::Tile {
        tile,
        state: "refused",
        code: Some(why.code().as_str()),
        detail: Some(why.detail().to_owned()),
    }
}

/// A refusal as a problem of the API.
pub(crate) fn problem(refusal: &WatchRefusal) -> Error {
    match refusal {
        WatchRefusal::Denied(response) => {
            let code = match response.status() {
                status if status.is_redirection() => ErrorCode::Unauthorized,
                status => ErrorCode::of_refusal(status),
            };
            match code {
                ErrorCode::Unauthorized => Error::new(code, "log in to watch this stream"),
                ErrorCode::NotFound => Error::not_found(),
                code => Error::new(code, "this stream may not be watched"),
            }
        }
        WatchRefusal::Undecided => {
            let detail = "access could not be checked in time";
            Error::new(ErrorCode::GateTimeout, detail)
        }
        WatchRefusal::Full(reason) => Error::new(ErrorCode::TooManyViewers, reason),
        _ => Error::not_found(),
    }
}
