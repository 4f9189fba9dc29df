//! The judgement of a camera.

use std::collections::BTreeMap;

use mjpeg_manager::{ProbeFinding, ProbeReport};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// What a camera is, what is odd about it, and what to set.
#[derive(Serialize, ToSchema)]
pub(crate) struct ProbeView {
    /// The camera; never with a password.
    source: String,
    /// `clean`, `relayable` or `not_relayable`.
    verdict: &'static str,
    /// `multipart`, `concatenated`, `snapshots`, `unknown`, or the scheme of its URL.
    kind: String,
    /// How the relay reads it.
    relayed: String,
    /// The other end of its connection.
    peer: Option<String>,
    /// What it calls itself: the header `Server` of its answers.
    server: Option<String>,
    /// The header `Content-Type` of its answers.
    content_type: Option<String>,
    /// Where it redirected to.
    redirected_to: Option<String>,
    /// How it asks for a login, such as `basic` or `digest md5`.
    login: Option<String>,
    /// The version of TLS, such as `TLSv1.3`.
    tls: Option<String>,
    pictures: PicturesView,
    /// What it does with a second client: `accepted`, `refused`, `silent`, `takes_over`, `slows`,
    /// or `not_tried`.
    second_client: &'static str,
    /// What was found, the worst first.
    findings: Vec<FindingView>,
    /// All keys that findings set, and their values.
    set: BTreeMap<String, Value>,
}

/// What the pictures are like that were looked at.
#[derive(Serialize, ToSchema)]
struct PicturesView {
    /// How many they were.
    count: u64,
    /// Their width in pixels.
    width: Option<u16>,
    /// Their height in pixels.
    height: Option<u16>,
    /// Their coding, such as `baseline, 8 bit, colour`.
    coding: Option<String>,
    /// Their mean length in bytes.
    mean_bytes: u64,
    /// The length of the largest in bytes.
    largest_bytes: u64,
    /// Pictures per second, to a tenth.
    fps: Option<f64>,
    /// How much longer a late picture takes than an early one, in milliseconds.
    jitter_ms: Option<u64>,
    /// The longest time between two pictures, in milliseconds.
    longest_gap_ms: Option<u64>,
}

/// Something that was found about a camera.
#[derive(Serialize, ToSchema)]
struct FindingView {
    /// A stable word, such as `no_eoi`.
    code: &'static str,
    /// `note`, `quirk`, `problem` or `fault`.
    level: &'static str,
    /// What the camera does.
    text: String,
    /// What to do about it.
    advice: String,
    /// The keys of the stream to set, and their values.
    set: BTreeMap<String, Value>,
}

impl ProbeView {
    pub(crate) fn new(report: &ProbeReport) -> Self {
        let (tally, observed) = (&report.tally, &report.observed);
        let times = report.gap_and_jitter_ms();
        Self {
            source: report.source.clone(),
            verdict: report.verdict.as_str(),
            kind: report.kind.clone(),
            relayed: report.relayed.clone(),
            peer: report.peer.clone(),
            server: observed.server.clone(),
            content_type: observed.content_type.clone(),
            redirected_to: observed.redirected_to.clone(),
            login: observed.login.map(Into::into),
            tls: observed.tls.map(Into::into),
            pictures: PicturesView {
                count: tally.frames(),
                width: tally.size().map(|size| size.0),
                height: tally.size().map(|size| size.1),
                coding: tally.coding(),
                mean_bytes: tally.mean_bytes(),
                largest_bytes: tally.largest_bytes() as u64,
                fps: tally.fps().map(|fps| (fps * 10.0).round() / 10.0),
                jitter_ms: times.map(|(_, jitter)| jitter),
                longest_gap_ms: times.map(|(gap, _)| gap),
            },
            second_client: report.second.as_str(),
            findings: report.findings.iter().map(FindingView::new).collect(),
            set: report
                .set()
                .into_iter()
                .map(|(key, text)| (key.to_owned(), value(text)))
                .collect(),
        }
    }
}

impl FindingView {
    fn new(finding: &ProbeFinding) -> Self {
        let set = finding.set.iter();
        Self {
            code: finding.code,
            level: finding.level.as_str(),
            text: finding.text.clone(),
            advice: finding.advice.clone(),
            set: set
                .map(|(key, text)| ((*key).to_owned(), value(text)))
                .collect(),
        }
    }
}

/// A value as TOML writes it. Texts, numbers and truth values are written alike in JSON.
fn value(toml: &str) -> Value {
    serde_json::from_str(toml).unwrap_or_else(|_| toml.into())
}

/// Writes a judgement as `POST /streams/{name}/probe` answers it.
pub fn probe_json(report: &ProbeReport) -> Value {
    serde_json::to_value(ProbeView::new(report)).unwrap_or_default()
}
