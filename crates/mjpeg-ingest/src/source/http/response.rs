//! Errors and texts of responses, as people see them.

use std::{error::Error as StdError, io};

use hyper::StatusCode;

use super::link::MAX_HEAD_BYTES;
use crate::{
    error::{HttpError, relay::RelayError},
    source::redact::redacted,
};

/// Names a status other than 200.
pub(super) fn unexpected(status: StatusCode) -> HttpError {
    if status == StatusCode::LOOP_DETECTED {
        return RelayError::Loop.into();
    }
    HttpError::Status {
        code: status.as_u16(),
        reason: status.canonical_reason().unwrap_or_default(),
    }
}

/// Translates an error of hyper. Not a `From`: hyper is no part of the public API.
pub(super) fn translated(error: hyper::Error) -> HttpError {
    // hyper's client has no other way to recognise this one (`is_parse_too_large` is for servers).
    if error.is_parse() && error.to_string().contains("too large") {
        return HttpError::HeadTooLarge {
            limit: MAX_HEAD_BYTES,
        };
    }
    if error.is_incomplete_message() || error.is_canceled() || error.is_closed() {
        return HttpError::CutShort;
    }
    let Some(source) = error.source() else {
        return HttpError::BadResponse(Box::new(error));
    };
    match source.downcast_ref::<io::Error>() {
        Some(io) if io.kind() == io::ErrorKind::UnexpectedEof => HttpError::CutShort,
        // hyper reports malformed chunks this way.
        Some(io) if io.kind() == io::ErrorKind::InvalidInput || io.get_ref().is_some() => {
            HttpError::BadResponse(Box::new(io::Error::new(io.kind(), io.to_string())))
        }
        Some(io) => HttpError::Broken(io.kind().into()),
        None => HttpError::BadResponse(Box::new(error)),
    }
}

/// Prepares a text from the network to be shown: short, printable, without secrets.
pub(super) fn shown(text: &[u8]) -> String {
    const SHOWN_BYTES: usize = 100;
    let text = &text[..text.len().min(SHOWN_BYTES)];
    redacted(&text.escape_ascii().to_string())
}
