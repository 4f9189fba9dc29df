//! Events of streams, and who sends and receives them.

use std::time::SystemTime;

use tokio::sync::broadcast::{self, error::RecvError};

use crate::{detect::kind::Detection, name::StreamName, state::StreamState};

/// Something that happened to a stream.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct StreamEvent {
    /// The stream.
    pub stream: StreamName,
    /// When.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::json::time"))]
    pub at: SystemTime,
    /// What happened.
    pub change: Change,
}

/// What happened to a stream. [`Started`](Self::Started) is the first event of each stream,
/// [`Stopped`](Self::Stopped) the last.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Change {
    /// It was started.
    Started,
    /// The state of its camera changed.
    State(StreamState),
    /// Its frames come from another one of its sources.
    Source {
        /// Which source, counted from 0.
        index: usize,
        /// The source, for people; never with a password.
        source: String,
    },
    /// Its spec was replaced by [`Manager::apply`](crate::Manager::apply).
    Reconfigured,
    /// Its camera has sent the same frame for the
    /// [set time](crate::StreamSpec::with_frozen_after).
    Frozen,
    /// The frames of its camera differ again.
    Moving,
    /// Its pictures [show](crate::StreamSpec::detect) something from now on.
    Detected(Detection),
    /// Its pictures no longer show it, or there are none.
    Cleared(Detection),
    /// It was stopped.
    Stopped,
}

/// The events of all streams of a manager, from the call of
/// [`Manager::events`](crate::Manager::events) on.
#[derive(Debug)]
pub struct Events {
    events: broadcast::Receiver<StreamEvent>,
    missed: u64,
}

impl Events {
    /// Waits for the next event. Returns `None` when the manager is gone.
    ///
    /// The latest 256 events are kept for a slow receiver; it [misses](Self::missed) older ones.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a dropped future has taken nothing.
    pub async fn next(&mut self) -> Option<StreamEvent> {
        loop {
            match self.events.recv().await {
                Ok(event) => return Some(event),
                Err(RecvError::Lagged(count)) => self.missed += count,
                Err(RecvError::Closed) => return None,
            }
        }
    }

    /// Returns how many events were missed so far because more came than are kept.
    pub fn missed(&self) -> u64 {
        self.missed
    }
}

/// Sends events to all subscribers, without waiting.
#[derive(Clone, Debug)]
pub(crate) struct EventSender(broadcast::Sender<StreamEvent>);

impl EventSender {
    pub(crate) fn new() -> Self {
        Self(broadcast::Sender::new(KEPT))
    }

    pub(crate) fn send(&self, stream: &StreamName, change: Change) {
        // An error means that nobody has subscribed.
        let _ = self.0.send(StreamEvent {
            stream: stream.clone(),
            at: SystemTime::now(),
            change,
        });
    }

    pub(crate) fn subscribe(&self) -> Events {
        Events {
            events: self.0.subscribe(),
            missed: 0,
        }
    }
}

/// How many events are kept for a subscriber that is busy.
const KEPT: usize = 256;
