//! What a failure is called, and what to do about it.

use mjpeg_ingest::Error as IngestError;
#[cfg(feature = "http")]
use mjpeg_ingest::{ConnectError, HttpError};

use super::{
    evidence::{ProbeEvidence, ProbeFailure},
    finding::{FindingLevel, ProbeFinding},
};

/// Names a failure.
pub(super) fn code(error: &IngestError) -> &'static str {
    #[cfg(feature = "http")]
    if let Some(error) = http_error(error) {
        match error {
            HttpError::LoginNeeded => return "login_needed",
            HttpError::LoginRefused { .. } | HttpError::LoginForbidden { .. } => {
                return "login_refused";
            }
            HttpError::UnknownLogin(_) => return "unknown_login",
            HttpError::Certificate { .. } => return "certificate",
            HttpError::OldTls { .. } => return "old_tls",
            HttpError::Status { .. } => return "status",
            HttpError::ContentType(_) => return "no_pictures",
            HttpError::ContentEncoding(_) => return "compressed",
            _ => {}
        }
    }
    error.reason().as_str()
}

#[cfg(feature = "http")]
fn http_error(error: &IngestError) -> Option<&HttpError> {
    let error = match error {
        IngestError::Connect(error) => error,
        IngestError::Source(error) => error.downcast_ref::<ConnectError>()?,
        _ => return None,
    };
    match error {
        ConnectError::Http(error) => Some(error),
        _ => None,
    }
}

/// Judges why there are no pictures.
pub(super) fn findings(evidence: &ProbeEvidence, found: &mut Vec<ProbeFinding>) {
    let Some(ProbeFailure { code, text }) = &evidence.failure else {
        return;
    };
    let level = match *code {
        "idle" | "paused" | "ended" => FindingLevel::Note,
        // It had pictures, and lost the camera only then.
        _ if evidence.tally.frames() > 0 => FindingLevel::Problem,
        _ => FindingLevel::Fault,
    };
    let finding = ProbeFinding::new(level, code, text, advice(code));
    found.push(match *code {
        "connect_timeout" => finding.setting("connect_timeout", "\"20s\""),
        "answer_timeout" => finding.setting("answer_timeout", "\"60s\""),
        "silent" | "stall_limit" | "no_picture" => finding.setting("stall_limit", "\"2m\""),
        _ => finding,
    });
}

fn advice(code: &str) -> &'static str {
    match code {
        "login_needed" => "Write user name and password into the URL: http://USER:PASSWORD@HOST/…",
        "login_refused" => {
            "Check user name and password; after too many tries, some cameras are locked for half \
             an hour."
        }
        "unknown_login" => "Choose Basic or Digest in the camera's settings.",
        "certificate" => "Trust its certificate with #ca=FILE, or any with #insecure, in the URL.",
        "old_tls" => "Update its firmware, turn on TLS 1.2, or use http:// in a trusted network.",
        "status" => "Check the path in the URL, and what the camera's manual calls its stream.",
        "no_pictures" => "Use the URL of the stream or of a picture, not of a page around it.",
        "compressed" => "Turn compression off in the camera or the proxy before it.",
        "unreachable" => "Check address and port, and whether the camera is on.",
        "connect_timeout" => {
            "Check address and port; a camera that is far away may need a longer connect_timeout."
        }
        "answer_timeout" => "If the camera needs that long for a picture, set answer_timeout.",
        "silent" | "stall_limit" | "no_picture" => {
            "If the camera sends pictures more rarely than that, set stall_limit to several of its \
             intervals."
        }
        "idle" => "Open the stream and probe it meanwhile.",
        "paused" => "Resume the stream, and probe it again.",
        "program" => "Run the program by hand and see what it says.",
        "max_relays" => "Point the stream at the camera itself.",
        _ => "See what the sentence says; without pictures there is nothing else to judge.",
    }
}
