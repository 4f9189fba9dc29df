//! What an error of etcd means for the request.

use std::{error::Error as StdError, io};

use etcd_client::Error;

use crate::engine::error::EngineError;

/// Sorts an error. In doubt, the request may have been executed.
pub(super) fn failed(error: Error) -> EngineError {
    let refused = match &error {
        Error::GRpcStatus(status) => is_refusal(status.code() as i32),
        Error::InvalidArgs(_) | Error::InvalidUri(_) | Error::InvalidMetadataValue(_) => true,
        _ => false,
    };
    let (unsent, untrusted) = match &error {
        Error::GRpcStatus(status) => (is_unsent(status), is_untrusted(status)),
        _ => (false, false),
    };
    if untrusted {
        EngineError::Tls(Box::new(error))
    } else if is_login(&error) {
        EngineError::Login(Box::new(error))
    } else if refused {
        EngineError::Refused(Box::new(error))
    } else if unsent {
        EngineError::Unreachable(Box::new(error))
    } else {
        EngineError::Unknown(Box::new(error))
    }
}

pub(super) fn too_late() -> EngineError {
    EngineError::Unknown(Box::new(io::Error::from(io::ErrorKind::TimedOut)))
}

/// Whether a lease is gone, from what a keepalive says of it.
pub(super) fn is_lease_gone(error: &Error) -> bool {
    match error {
        Error::LeaseKeepAliveError(text) => text == "lease not found",
        Error::GRpcStatus(status) => status.code() as i32 == NOT_FOUND,
        _ => false,
    }
}

/// Whether etcd does not know, or does not take any more, who asks.
pub(super) fn is_login_lost(error: &Error) -> bool {
    let Error::GRpcStatus(status) = error else {
        return false;
    };
    let texts = [
        "invalid auth token",
        "user name is empty",
        "revision of auth store is old",
    ];
    let message = status.message();
    status.code() as i32 == NO_LOGIN || texts.iter().any(|text| message.contains(text))
}

/// Whether a login is missing or refused.
fn is_login(error: &Error) -> bool {
    let is_refused = |message: &str| message.contains("authentication failed");
    let refused = matches!(error, Error::GRpcStatus(status) if is_refused(status.message()));
    refused || is_login_lost(error)
}

/// The number of gRPC for a login that is missing or not valid.
const NO_LOGIN: i32 = 16;

const NOT_FOUND: i32 = 5;

/// Whether a status means that etcd has looked at the request and not executed it, by its number in
/// the protocol gRPC: an invalid argument, something not found or there already, no permission, too
/// much at once, a failed precondition, a number out of range, something unknown, no login.
fn is_refusal(code: i32) -> bool {
    [3, NOT_FOUND, 6, 7, 8, 9, 11, 12, 16].contains(&code)
}

/// Whether one of the two sides does not take the other's certificate: an error of TLS is one of IO
/// whose kind says that the data are invalid.
fn is_untrusted(error: &(dyn StdError + 'static)) -> bool {
    let is_tls = |error: &io::Error| {
        let text = error.to_string();
        error.kind() == io::ErrorKind::InvalidData
            && (text.contains("certificate") || text.contains("alert"))
    };
    let mut cause = error.source();
    while let Some(error) = cause {
        if error.downcast_ref::<io::Error>().is_some_and(is_tls) {
            return true;
        }
        cause = error.source();
    }
    false
}

/// Whether no connection could be made, so that the request was not sent.
fn is_unsent(error: &(dyn StdError + 'static)) -> bool {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            let kinds = [
                io::ErrorKind::ConnectionRefused,
                io::ErrorKind::HostUnreachable,
                io::ErrorKind::NetworkUnreachable,
            ];
            return kinds.contains(&error.kind());
        }
        cause = error.source();
    }
    false
}
