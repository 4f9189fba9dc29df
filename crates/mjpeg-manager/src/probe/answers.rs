//! Judges the answers of a camera that speaks HTTP.

use mjpeg_ingest::CameraQuirk;

use super::{
    evidence::ProbeEvidence,
    finding::{FindingLevel, ProbeFinding},
};

/// Judges heads, parts and logins.
pub(super) fn findings(evidence: &ProbeEvidence, found: &mut Vec<ProbeFinding>) {
    let observed = &evidence.observed;
    for quirk in observed.quirks.keys() {
        if let Some(text) = sentence(*quirk) {
            found.push(ProbeFinding::quirk(quirk.as_str(), text));
        }
    }
    if let Some(to) = &observed.redirected_to {
        let text = format!("It redirects to {to}.");
        let advice = "Nothing needs to be set; the address that it leads to may be given instead.";
        let level = FindingLevel::Note;
        found.push(ProbeFinding::new(level, "redirect", text, advice));
    }
    if observed.login == Some("basic") && observed.tls.is_none() {
        let text = "It asks for the password itself (Basic), which the network can read.";
        let advice = "Choose Digest or https:// in the camera's settings, if it has them.";
        let level = FindingLevel::Note;
        found.push(ProbeFinding::new(level, "plain_login", text, advice));
    }
}

/// What a quirk is, in one sentence.
fn sentence(quirk: CameraQuirk) -> Option<&'static str> {
    Some(match quirk {
        CameraQuirk::NoHead => "Its answer has no head, as in HTTP/0.9.",
        CameraQuirk::IcyStatus => "Its answer begins with ICY in place of HTTP.",
        CameraQuirk::OtherStatus => "It answers with a status of success other than 200.",
        CameraQuirk::LongHead => "The head of its answer has more than 64 lines.",
        CameraQuirk::UselessLength => {
            "The Content-Length of its answer is no number, is too large, or is given twice."
        }
        CameraQuirk::LengthOfStream => "The Content-Length of its stream is 0.",
        CameraQuirk::NoCoding => {
            "Its answer names a Content-Encoding that is none, and is read as it is."
        }
        CameraQuirk::OldChunked => "Its answer is chunked, which HTTP/1.0 does not know.",
        CameraQuirk::NoType => "Its answer has no Content-Type.",
        CameraQuirk::OtherType => {
            "The Content-Type of its answer does not say what it is; its bytes are believed instead."
        }
        CameraQuirk::NoBoundary => "Its multipart type declares no boundary.",
        CameraQuirk::DashedBoundary => "It declares its boundary with the dashes before it.",
        CameraQuirk::OtherBoundary => {
            "Its parts are separated by another boundary than it declares."
        }
        CameraQuirk::UnseparatedParts => "No boundary separates its parts.",
        CameraQuirk::OtherPartLength => {
            "The Content-Length of its parts is not that of the picture."
        }
        CameraQuirk::OtherPartType => "The Content-Type of its parts is not image/jpeg.",
        CameraQuirk::OddLocation => "Its redirect holds characters that no URL has.",
        CameraQuirk::Informational => "It sends informational heads (1xx) that nobody asked for.",
        CameraQuirk::NoChallenge => "It asks for a login and does not say how; Basic is tried.",
        CameraQuirk::Cookies => "It sets cookies, which it gets back for the length of a session.",
        CameraQuirk::ClosesEarly => {
            "It closes the connection before the end that it announced, although the picture is whole."
        }
        // The enum may grow.
        _ => return None,
    })
}
