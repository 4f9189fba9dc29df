//! Events for the program that the API is a part of.

use std::{fmt, sync::Arc};

use mjpeg_manager::StreamName;
use tokio::sync::watch;

use crate::{
    caller::Sight,
    events::log::{EventLog, Following, Logged},
    view::event::EventView,
};

/// The events of all streams, from the oldest one that is kept on; from [`ControlApi::events`].
///
/// For what passes events on, such as webhooks. It takes them from those that are kept for
/// everybody, so a slow receiver costs nothing but events that it [misses](Self::missed).
///
/// [`ControlApi::events`]: crate::ControlApi::events
pub struct ApiEvents {
    log: Arc<EventLog>,
    /// The number of the last event that was taken.
    at: u64,
    latest: watch::Receiver<u64>,
    missed: u64,
}

/// An event as the API shows it to somebody who may see everything.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ApiEvent {
    /// Its place among all events, as `GET /events` gives it.
    pub id: String,
    /// The stream.
    pub stream: StreamName,
    /// A word: the new state if that has changed, such as `offline`, else what has changed, such
    /// as `frozen`.
    pub kind: &'static str,
    /// The event as `GET /events` sends it, with the reason of an outage and the source in use.
    /// Without passwords; what the program took from elsewhere is its own matter.
    pub json: String,
}

impl ApiEvents {
    pub(crate) fn new(log: Arc<EventLog>) -> Self {
        Self {
            at: 0,
            latest: log.watch(),
            missed: 0,
            log,
        }
    }

    /// Waits for the next event. The wait has no end when the manager is gone: drop it then.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a dropped future has taken nothing.
    pub async fn next(&mut self) -> ApiEvent {
        loop {
            self.latest.borrow_and_update();
            match self.log.after(self.at) {
                Following::Entry(entry) => {
                    self.at = entry.number;
                    match &entry.what {
                        Logged::Missed(count) => self.missed += count,
                        what => {
                            let id = self.log.id(entry.number);
                            if let Some(event) = shown(what, id) {
                                return event;
                            }
                        }
                    }
                }
                Following::Gap { missed, resume } => {
                    self.missed += missed;
                    self.at = resume;
                }
                // It fails only without the log, which this holds.
                Following::Nothing => drop(self.latest.changed().await),
            }
        }
    }

    /// Returns how many events were missed so far because more came than are kept.
    pub fn missed(&self) -> u64 {
        self.missed
    }
}

fn shown(what: &Logged, id: String) -> Option<ApiEvent> {
    let view = EventView::of(what, &id, Sight::All)?;
    Some(ApiEvent {
        id,
        stream: what.stream()?.clone(),
        kind: view.kind(),
        // All its fields are texts.
        json: serde_json::to_string(&view).ok()?,
    })
}

impl fmt::Debug for ApiEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiEvents")
            .field("at", &self.at)
            .field("missed", &self.missed)
            .finish_non_exhaustive()
    }
}
