//! What happens to streams, for whoever wants to know.

use std::time::SystemTime;

use tokio::sync::broadcast::{self, error::RecvError};

use crate::{State, StreamName};

/// Something that happened to a stream.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StreamEvent {
    /// The stream.
    pub stream: StreamName,
    /// When.
    pub at: SystemTime,
    /// What.
    pub change: Change,
}

/// What happened to a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// It was started.
    Started,
    /// Its camera is doing otherwise than before.
    State(State),
    /// Its frames come from another one of its sources.
    Source {
        /// Which of them, from 0.
        index: usize,
        /// As people write it; never with a password.
        source: String,
    },
    /// Its camera has sent the same frame for the [set time](crate::StreamSpec::frozen_after).
    Frozen,
    /// The frames of its camera differ again.
    Moving,
    /// It was stopped.
    Stopped,
}

/// The events of all streams of a [`Manager`](crate::Manager), from [`Manager::events`](crate::Manager::events) on.
#[derive(Debug)]
pub struct Events {
    events: broadcast::Receiver<StreamEvent>,
    missed: u64,
}

impl Events {
    /// Waits for the next event. `None` when the manager is gone.
    ///
    /// Who does not pull for a while misses the oldest: 256 are kept.
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

    /// How many events were missed so far, because more came than are kept.
    pub fn missed(&self) -> u64 {
        self.missed
    }
}

/// Where events are told. Telling never waits.
#[derive(Clone, Debug)]
pub(crate) struct Herald(broadcast::Sender<StreamEvent>);

impl Herald {
    pub(crate) fn new() -> Self {
        Self(broadcast::Sender::new(KEPT))
    }

    pub(crate) fn tell(&self, stream: &StreamName, change: Change) {
        // An error means that nobody listens.
        let _ = self.0.send(StreamEvent {
            stream: stream.clone(),
            at: SystemTime::now(),
            change,
        });
    }

    pub(crate) fn listen(&self) -> Events {
        Events {
            events: self.0.subscribe(),
            missed: 0,
        }
    }
}

/// How many events are kept for a listener that is busy.
const KEPT: usize = 256;
