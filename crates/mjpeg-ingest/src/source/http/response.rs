//! Errors and texts of responses, as people see them.

use std::io;

use http::StatusCode;

use crate::{error::HttpError, source::redact::redacted};

/// Names a status that brings no pictures.
pub(super) fn unexpected(code: u16) -> HttpError {
    let status = StatusCode::from_u16(code).ok();
    let reason = status.and_then(|status| status.canonical_reason());
    HttpError::Status {
        code,
        reason: reason.unwrap_or_default(),
    }
}

/// Says what about a response is no HTTP.
pub(super) fn malformed(what: impl Into<String>) -> HttpError {
    let what = io::Error::new(io::ErrorKind::InvalidData, what.into());
    HttpError::BadResponse(Box::new(what))
}

/// Prepares a text from the network to be shown: short, printable, without secrets.
pub(super) fn shown(text: &[u8]) -> String {
    const SHOWN_BYTES: usize = 100;
    let text = &text[..text.len().min(SHOWN_BYTES)];
    redacted(&text.escape_ascii().to_string())
}

/// As [`shown`], for the address of a redirect: its query may hold the key of a session.
pub(super) fn shown_address(text: &[u8]) -> String {
    let end = text.iter().position(|b| b"?#;".contains(b));
    match end {
        Some(end) => format!("{}{}***", shown(&text[..end]), char::from(text[end])),
        None => shown(text),
    }
}
