//! The judgement of a camera.

use mjpeg_ingest::{Framing, Observed};

use super::{
    answers,
    evidence::{ProbeEvidence, SecondClient},
    failures,
    finding::{FindingLevel, ProbeFinding},
    pictures, rhythm, second,
    tally::ProbeTally,
};

/// Whether a camera can be relayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProbeVerdict {
    /// Nothing is wrong.
    Clean,
    /// It can be relayed; the findings say what is odd.
    Relayable,
    /// It cannot be relayed like this.
    NotRelayable,
}

impl ProbeVerdict {
    /// Returns a stable word for machines: `clean`, `relayable` or `not_relayable`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Relayable => "relayable",
            Self::NotRelayable => "not_relayable",
        }
    }
}

/// What a camera is, what is odd about it, and what to set. From [`ProbeReport::new`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ProbeReport {
    /// Whether it can be relayed.
    pub verdict: ProbeVerdict,
    /// The source, for people; never with a password.
    pub source: String,
    /// What it is: `multipart` or `concatenated` streams, `snapshots` that are polled, or the
    /// scheme of its URL. `unknown` where no answer told.
    pub kind: String,
    /// How the relay reads it: one sentence.
    pub relayed: String,
    /// The other end of its connection.
    pub peer: Option<String>,
    /// What its answers are like.
    pub observed: Observed,
    /// What its pictures are like.
    pub tally: ProbeTally,
    /// What it does with a second client.
    pub second: SecondClient,
    /// What was found, the worst first.
    pub findings: Vec<ProbeFinding>,
}

impl ProbeReport {
    /// Judges a camera.
    pub fn new(evidence: ProbeEvidence) -> Self {
        let mut findings = Vec::new();
        failures::findings(&evidence, &mut findings);
        if evidence.tally.frames() > 0 {
            pictures::findings(&evidence, &mut findings);
            rhythm::findings(&evidence, &mut findings);
        }
        answers::findings(&evidence, &mut findings);
        second::findings(&evidence, &mut findings);
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.level));
        let verdict = match findings.first().map(|finding| finding.level) {
            Some(FindingLevel::Fault) => ProbeVerdict::NotRelayable,
            None | Some(FindingLevel::Note) => ProbeVerdict::Clean,
            Some(_) => ProbeVerdict::Relayable,
        };
        Self {
            verdict,
            kind: kind(&evidence),
            relayed: relayed(&evidence, verdict),
            source: evidence.source,
            peer: evidence.peer,
            observed: evidence.observed,
            tally: evidence.tally,
            second: evidence.second,
            findings,
        }
    }

    /// The keys of the stream to set, and their values as TOML writes them, each key once.
    pub fn set(&self) -> Vec<(&'static str, &str)> {
        let mut set: Vec<(&'static str, &str)> = Vec::new();
        for (key, value) in self.findings.iter().flat_map(|finding| &finding.set) {
            if set.iter().all(|(known, _)| known != key) {
                set.push((*key, value.as_str()));
            }
        }
        set
    }

    /// The longest gap between two pictures, and how much longer a late one takes than an early
    /// one, both in milliseconds; `None` before the second picture.
    pub fn gap_and_jitter_ms(&self) -> Option<(u64, u64)> {
        let intervals = self.tally.intervals();
        let at = |part: usize| intervals.get(intervals.len() * part / 20).copied();
        let (longest, early, late) = (*intervals.last()?, at(2)?, at(18)?);
        let millis =
            |time: std::time::Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        Some((millis(longest), millis(late.saturating_sub(early))))
    }
}

fn kind(evidence: &ProbeEvidence) -> String {
    let scheme = evidence.source.split(':').next().unwrap_or_default();
    match (scheme, evidence.observed.framing) {
        ("http" | "https", None) => "unknown".into(),
        ("http" | "https", Some(_)) if evidence.is_polled() => "snapshots".into(),
        ("http" | "https", Some(Framing::Multipart)) => "multipart".into(),
        ("http" | "https", Some(_)) => "concatenated".into(),
        ("tcp" | "unix" | "tcp-listen" | "file" | "exec", _) => "concatenated".into(),
        (scheme, _) => scheme.into(),
    }
}

fn relayed(evidence: &ProbeEvidence, verdict: ProbeVerdict) -> String {
    if verdict == ProbeVerdict::NotRelayable {
        return "It cannot be relayed like this.".into();
    }
    let over = match evidence.source.split(':').next().unwrap_or_default() {
        "https" => " through TLS",
        "rtsp" | "rtsps" => " over RTSP",
        "v4l2" => " from the device",
        _ => "",
    };
    if evidence.is_polled() {
        return format!("The relay asks for one picture after another{over} (poll_interval).");
    }
    format!("The relay holds one connection{over} and passes on each picture as it comes.")
}
