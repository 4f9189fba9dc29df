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
    let unsent = match &error {
        Error::GRpcStatus(status) => is_unsent(status),
        _ => false,
    };
    if refused {
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

const NOT_FOUND: i32 = 5;

/// Whether a status means that etcd has looked at the request and not executed it, by its number in
/// the protocol gRPC: an invalid argument, something not found or there already, no permission, too
/// much at once, a failed precondition, a number out of range, something unknown, no login.
fn is_refusal(code: i32) -> bool {
    [3, NOT_FOUND, 6, 7, 8, 9, 11, 12, 16].contains(&code)
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
