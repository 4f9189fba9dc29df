//! What is said to those who ask for what is not there.

use std::fmt::Write;

use bytes::Bytes;
use http::{Response, StatusCode};
use http_body_util::Full;
use mjpeg_manager::StreamName;

use super::respond;

/// There is no such path, and these streams: for people with a terminal.
pub(super) fn not_found(names: &[StreamName]) -> Response<Full<Bytes>> {
    let mut text = String::from("Nothing here.");
    if !names.is_empty() {
        text += " The streams are at";
        for name in names {
            // Writing to a string does not fail.
            let _ = write!(text, " /{name}/");
        }
    }
    text.push('\n');
    respond::text(StatusCode::NOT_FOUND, text)
}
