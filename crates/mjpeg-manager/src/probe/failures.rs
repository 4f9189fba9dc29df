//! What to do about a failure.

use super::{
    evidence::{ProbeEvidence, ProbeFailure},
    finding::{FindingLevel, ProbeFinding},
};

/// Judges why there are no pictures.
pub(super) fn findings(evidence: &ProbeEvidence, found: &mut Vec<ProbeFinding>) {
    let Some(ProbeFailure { code, text }) = &evidence.failure else {
        return;
    };
    let code = *code;
    let level = match code {
        "idle" | "paused" | "ended" => FindingLevel::Note,
        // It had pictures, and lost the camera only then.
        _ if evidence.tally.frames() > 0 => FindingLevel::Problem,
        _ => FindingLevel::Fault,
    };
    let finding = ProbeFinding::new(level, code, text, advice(code));
    found.push(match code {
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
