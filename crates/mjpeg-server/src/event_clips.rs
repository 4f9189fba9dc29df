//! Clips that a stream keeps by itself when something happens: how they are configured.

use std::{collections::BTreeSet, time::Duration};

use mjpeg_manager::{Change, Detection, StreamState};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Something of which a stream keeps a clip.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
#[schemars(inline, extend("x-type" = "word"))]
pub(crate) enum ClipEvent {
    /// Something moves.
    Motion,
    /// The picture is dark.
    Dark,
    /// Something covers the camera.
    Covered,
    /// The camera sends the same picture again and again.
    Frozen,
    /// The camera cannot be reached, or sends nothing.
    Offline,
}

impl ClipEvent {
    /// What a change of a stream means.
    pub(crate) fn of(change: &Change) -> Option<Self> {
        match change {
            Change::Detected(Detection::Motion) => Some(Self::Motion),
            Change::Detected(Detection::Dark) => Some(Self::Dark),
            Change::Detected(Detection::Covered) => Some(Self::Covered),
            Change::Frozen => Some(Self::Frozen),
            Change::State(StreamState::Offline { .. }) => Some(Self::Offline),
            _ => None,
        }
    }

    /// The word of the configuration for it, which is the title of its clips.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Motion => "motion",
            Self::Dark => "dark",
            Self::Covered => "covered",
            Self::Frozen => "frozen",
            Self::Offline => "offline",
        }
    }

    /// Whether no pictures come after it.
    pub(crate) fn ends_pictures(self) -> bool {
        self == Self::Offline
    }
}

/// Of what a stream keeps clips, and how long they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EventClipPlan {
    pub(crate) on: BTreeSet<ClipEvent>,
    /// How much of the time before an event a clip holds.
    pub(crate) before: Duration,
    /// How long it goes on after an event.
    pub(crate) after: Duration,
    /// The longest clip.
    pub(crate) longest: Duration,
}
