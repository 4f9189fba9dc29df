//! Events.

use mjpeg_manager::{Change, StreamEvent};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    caller::Sight,
    events::log::{Logged, LoggedClip},
    time::rfc3339,
};

/// Something that happened to a stream.
#[derive(Serialize, ToSchema)]
pub(crate) struct EventView {
    /// What `Last-Event-ID` names it by: no order or number can be read from it.
    id: String,
    /// When (RFC 3339).
    at: String,
    stream: String,
    /// A word: `started`, `state`, `source`, `reconfigured`, `frozen`, `moving`, `detected`,
    /// `cleared`, `clip_ready` or `stopped`.
    change: &'static str,
    /// The new state, if it changed: a word.
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'static str>,
    /// The new state in words; with the reason as the operator sees it, for those who may control
    /// the stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    /// What its pictures show, or no longer show: `dark`, `covered`, `still` or `motion`. Such
    /// events are only for those who may control the stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    detection: Option<&'static str>,
    /// The source in use, if it changed, without secrets, for those who may control the stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    /// The clip that was kept. Such events are only for those who may control the stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    clip: Option<ReadyClip>,
}

/// A clip that was kept.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReadyClip {
    id: String,
    /// For people; may be empty.
    title: String,
    /// The event for which the relay has made it by itself, such as `motion`; `null` if somebody
    /// has asked for it.
    event: Option<String>,
    /// When its first picture was captured (RFC 3339).
    from: Option<String>,
    /// When its last picture was captured (RFC 3339).
    to: Option<String>,
    /// How many pictures it has.
    frames: u64,
    /// What they take on the disk.
    bytes: u64,
    /// Where it can be downloaded at the relay, without the `base_path` of the listener.
    path: String,
}

/// Past events of a stream.
#[derive(Serialize, ToSchema)]
pub(crate) struct EventPage {
    pub(crate) events: Vec<EventView>,
    /// The cursor of the next page, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<String>,
}

impl EventView {
    /// What was logged, as far as somebody may see it.
    pub(crate) fn of(logged: &Logged, id: &str, sight: Sight) -> Option<Self> {
        match logged {
            Logged::Event(event) => Self::of_stream(event, id, sight),
            Logged::Clip(clip) => (sight == Sight::All).then(|| Self::of_clip(clip, id)),
            Logged::Missed(_) => None,
        }
    }

    fn of_clip(clip: &LoggedClip, id: &str) -> Self {
        Self {
            id: id.to_owned(),
            at: rfc3339(clip.at),
            stream: clip.stream.to_string(),
            change: "clip_ready",
            state: None,
            text: None,
            detection: None,
            source: None,
            clip: Some(ReadyClip {
                id: clip.id.clone(),
                title: clip.title.clone(),
                event: clip.event.clone(),
                from: clip.first.map(rfc3339),
                to: clip.last.map(rfc3339),
                frames: clip.frames,
                bytes: clip.bytes,
                path: format!("/api/v1/clips/{}/movie.mov", clip.id),
            }),
        }
    }

    fn of_stream(event: &StreamEvent, id: &str, sight: Sight) -> Option<Self> {
        if sight == Sight::Nothing {
            return None;
        }
        let sees_all = sight == Sight::All;
        let (mut state, mut text, mut source, mut detection) = (None, None, None, None);
        let change = match &event.change {
            Change::Started => "started",
            Change::State(new) => {
                state = Some(new.as_str());
                text = Some(if sees_all {
                    new.to_string()
                } else {
                    new.public()
                });
                "state"
            }
            Change::Source { source: new, .. } => {
                source = Some(new.clone()).filter(|_| sees_all);
                "source"
            }
            Change::Reconfigured => "reconfigured",
            Change::Frozen => "frozen",
            Change::Moving => "moving",
            // What there is to see is not for everybody to be told.
            Change::Detected(_) | Change::Cleared(_) if !sees_all => return None,
            Change::Detected(kind) => {
                detection = Some(kind.as_str());
                "detected"
            }
            Change::Cleared(kind) => {
                detection = Some(kind.as_str());
                "cleared"
            }
            Change::Stopped => "stopped",
            // Of a later version of the manager.
            _ => return None,
        };
        Some(Self {
            id: id.to_owned(),
            at: rfc3339(event.at),
            stream: event.stream.to_string(),
            change,
            state,
            text,
            detection,
            source,
            clip: None,
        })
    }

    /// What has happened, as one word.
    pub(crate) fn kind(&self) -> &'static str {
        self.state.unwrap_or(self.change)
    }
}
