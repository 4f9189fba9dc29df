//! What a camera does with a second client.

use super::{
    evidence::{ProbeEvidence, SecondClient},
    finding::{FindingLevel, ProbeFinding},
};

/// Judges what a camera does with a second client.
pub(super) fn findings(evidence: &ProbeEvidence, found: &mut Vec<ProbeFinding>) {
    let (level, code, text) = match &evidence.second {
        SecondClient::NotTried | SecondClient::Accepted => return,
        SecondClient::Refused(error) => (
            FindingLevel::Quirk,
            "second_refused",
            format!("It serves one client: a second one is refused ({error})."),
        ),
        SecondClient::Silent => (
            FindingLevel::Quirk,
            "second_silent",
            "It serves one client: a second one is connected, but gets no pictures.".into(),
        ),
        SecondClient::TakesOver => (
            FindingLevel::Problem,
            "second_takes_over",
            "It serves one client: a second one takes the place of the first.".into(),
        ),
        SecondClient::Slows { before, during } => (
            FindingLevel::Quirk,
            "second_slows",
            format!(
                "It shares its pictures among clients: with a second one, {before:.1} pictures per \
                 second became {during:.1}."
            ),
        ),
    };
    let advice = "Let the relay alone read the camera, and everybody else watch the relay.";
    found.push(ProbeFinding::new(level, code, text, advice));
}
