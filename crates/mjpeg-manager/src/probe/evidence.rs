//! What is known of a camera.

use std::time::Duration;

use mjpeg_ingest::{Error as IngestError, Framing, Observed, Source};

use super::{error_code::code, tally::ProbeTally};
use crate::{state::StreamState, status::info::StreamInfo};

/// What is known of a camera, to be [judged](super::report::ProbeReport::new).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ProbeEvidence {
    /// The source, for people; never with a password.
    pub source: String,
    /// The other end of its connection.
    pub peer: Option<String>,
    /// What its answers are like.
    pub observed: Observed,
    /// What its pictures are like.
    pub tally: ProbeTally,
    /// For how long it was looked at.
    pub watched: Duration,
    /// Why it has no pictures, or none any more.
    pub failure: Option<ProbeFailure>,
    /// How often it ended a connection after it had sent pictures.
    pub closes: u64,
    /// How many connections were made after the first.
    pub reconnects: u64,
    /// What it does with a second client.
    pub second: SecondClient,
}

impl ProbeEvidence {
    /// Begins with what is known before the first picture.
    pub fn new(source: &Source) -> Self {
        Self {
            source: source.to_string(),
            peer: None,
            observed: source.observed(),
            tally: ProbeTally::default(),
            watched: Duration::ZERO,
            failure: None,
            closes: 0,
            reconnects: 0,
            second: SecondClient::NotTried,
        }
    }

    /// What a running stream tells of the camera in use. `source` is that camera, and `tally` holds
    /// pictures that were published. What was lost and repaired counts from the stream's start.
    pub fn of_stream(info: &StreamInfo, source: Option<&Source>, tally: ProbeTally) -> Self {
        let failure = match &info.state {
            StreamState::Offline { error, .. } | StreamState::Failed { error, .. } => Some((
                "offline",
                format!("The stream has no connection to its camera: {error}."),
            )),
            StreamState::Idle => Some((
                "idle",
                "The camera is not connected now, because nobody watches.".into(),
            )),
            StreamState::Paused => Some(("paused", "The stream is paused.".into())),
            StreamState::Ended => Some(("ended", "The recording has ended.".into())),
            _ if tally.frames() == 0 => Some((
                "silent",
                "The camera is connected, but no picture came while it was looked at.".into(),
            )),
            _ => None,
        };
        Self {
            source: info.source.clone(),
            peer: info.peer.clone(),
            observed: source.map(Source::observed).unwrap_or_default(),
            watched: tally.watched(),
            tally: tally.of_stream(info.frames, &info.discarded, &info.repaired),
            failure: failure.map(|(code, text)| ProbeFailure { code, text }),
            closes: info.failures.get("closed").copied().unwrap_or_default(),
            reconnects: info.reconnects,
            second: SecondClient::NotTried,
        }
    }

    /// Whether the camera is asked for each picture.
    pub(super) fn is_polled(&self) -> bool {
        let observed = &self.observed;
        observed.has_length
            // One connection, and several answers.
            || observed.answers > self.reconnects + 1
            || observed.framing == Some(Framing::Concatenated) && self.tally.frames() <= 1
    }
}

/// Why a camera has no pictures.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProbeFailure {
    /// A stable word for machines.
    pub code: &'static str,
    /// One sentence for people.
    pub text: String,
}

impl ProbeFailure {
    /// Names the failure of an ingest.
    pub fn of(error: &IngestError) -> Self {
        let chain = error.chain().to_string();
        let mut text = chain;
        if let Some(first) = text.get(..1).map(str::to_uppercase) {
            text.replace_range(..1, &first);
        }
        Self {
            code: code(error),
            text: text + ".",
        }
    }

    /// The camera is connected, and has sent no picture for this long.
    pub fn silent(after: Duration) -> Self {
        let after = after.as_secs_f64();
        Self {
            code: "silent",
            text: format!("The camera is connected, but sent no picture within {after:.0} s."),
        }
    }
}

/// What a camera does with a second client.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum SecondClient {
    /// It was not tried.
    NotTried,
    /// It gets pictures, and so does the first.
    Accepted,
    /// It gets none, for this reason.
    Refused(String),
    /// It is connected, and gets no pictures.
    Silent,
    /// It gets pictures, and the first is disconnected or gets none any more.
    TakesOver,
    /// Both get pictures, and the first gets fewer.
    Slows {
        /// Pictures per second before.
        before: f64,
        /// Pictures per second while both are connected.
        during: f64,
    },
}

impl SecondClient {
    /// Returns a stable word for machines: `not_tried`, `accepted`, `refused`, `silent`,
    /// `takes_over` or `slows`.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::NotTried => "not_tried",
            Self::Accepted => "accepted",
            Self::Refused(_) => "refused",
            Self::Silent => "silent",
            Self::TakesOver => "takes_over",
            Self::Slows { .. } => "slows",
        }
    }
}
