//! What is known of a camera's answers.

use std::{collections::BTreeMap, time::Duration};

use super::quirk::CameraQuirk;
use crate::framing::Framing;

/// What the answers of a camera that speaks HTTP are like, from
/// [`Source::observed`](crate::Source::observed). Texts of the camera are short, escaped and
/// without secrets.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Observed {
    /// How many answers came that hold pictures.
    pub answers: u64,
    /// How the pictures lie in the last one; `None` if none has come.
    pub framing: Option<Framing>,
    /// Whether the end of the last one was announced, so that it is no stream.
    pub has_length: bool,
    /// The value of its `Content-Type`.
    pub content_type: Option<String>,
    /// The value of its `Server`.
    pub server: Option<String>,
    /// How long the camera took from the request to the head of its last answer, whatever it was.
    pub answered_in: Option<Duration>,
    /// How it asks for a login, in lower case: `basic`, `digest md5`, `digest sha-256` or
    /// `digest sha-512-256`. `None` if it does not.
    pub login: Option<&'static str>,
    /// Where it redirected to, as its header says.
    pub redirected_to: Option<String>,
    /// The version of TLS that was agreed on, such as `TLSv1.2`.
    pub tls: Option<&'static str>,
    /// How many polls in a row or now and then brought no picture.
    pub missed: u64,
    /// Why the last of them did not, for people.
    pub last_miss: Option<String>,
    /// What it does that it should not and that is tolerated, and how often.
    pub quirks: BTreeMap<CameraQuirk, u64>,
}
