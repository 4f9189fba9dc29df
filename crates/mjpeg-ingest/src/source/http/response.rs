//! Errors and texts of responses, as people see them.

use std::io;

use http::StatusCode;

use crate::{
    error::{HttpError, relay::RelayError},
    source::redact::redacted,
};

/// Names a status that brings no pictures.
pub(in crate::source) fn unexpected(code: u16) -> HttpError {
    let status = StatusCode::from_u16(code).ok();
    if status == Some(StatusCode::LOOP_DETECTED) {
        return RelayError::Loop.into();
    }
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
pub(in crate::source) fn shown_address(text: &[u8]) -> String {
    let end = text.iter().position(|b| b"?#;".contains(b));
    let address = &text[..end.unwrap_or(text.len())];
    // Without a scheme, a password in it would not be recognised.
    let address = match address.strip_prefix(b"//") {
        Some(_) => shown(&[b"http:", address].concat()),
        None => shown(address),
    };
    match end {
        Some(end) => format!("{address}{}***", char::from(text[end])),
        None => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_shown_without_what_may_be_secret() {
        for (text, to) in [
            (
                "rtsp://me:hunter2@cam/1?key=hunter2",
                "rtsp://***@cam/1?***",
            ),
            ("//me:hunter2@cam:x/a", "http://***@cam:x/a"),
            ("ftp://cam/a;hunter2", "ftp://cam/a;***"),
            ("mailto:x", "mailto:x"),
            ("\u{1b}[2J", "\\x1b[2J"),
        ] {
            assert_eq!(shown_address(text.as_bytes()), to);
        }
    }
}
