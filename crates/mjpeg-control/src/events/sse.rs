//! Events as server-sent events.

use std::{
    collections::HashMap,
    convert::Infallible,
    fmt::Write,
    sync::Arc,
    time::{Duration, Instant as StdInstant},
};

use bytes::Bytes;
use futures_util::Stream;
use mjpeg_manager::mjpeg_http::Grant;
use tokio::{
    sync::{OwnedSemaphorePermit, watch},
    time::{Instant, sleep_until},
};

use crate::{
    caller::{ApiCaller, RECHECK_AGAIN, Sight},
    events::log::{EventLog, Following, LogEntry, Logged},
    view::event::EventView,
};

/// A client that receives events. It takes them from the log at its own pace, so that nothing is
/// queued for it.
pub(crate) struct Subscriber {
    log: Arc<EventLog>,
    caller: Arc<ApiCaller>,
    heartbeat: Duration,
    /// The number of the last event that was sent, or was not for this client.
    at: u64,
    latest: watch::Receiver<u64>,
    /// Changes when rights have changed; `None` when all is to end.
    rechecks: watch::Receiver<Option<u64>>,
    /// Until when the client may stay.
    until: Option<StdInstant>,
    /// When the gate is asked again, if it could not say whether the client may stay.
    recheck_at: Option<Instant>,
    /// What the client may read of each stream, and when that was decided.
    sights: HashMap<String, (Sight, Instant)>,
    /// What is to be sent before anything else.
    opening: Option<String>,
    _place: OwnedSemaphorePermit,
}

/// What a subscriber shares with all others.
pub(crate) struct EventFeed {
    pub(crate) log: Arc<EventLog>,
    pub(crate) heartbeat: Duration,
    pub(crate) rechecks: watch::Receiver<Option<u64>>,
}

impl Subscriber {
    /// Begins behind the event that the client names as its last, if it does, else now.
    pub(crate) fn new(
        feed: EventFeed,
        caller: Arc<ApiCaller>,
        grant: &Grant,
        last_id: Option<&str>,
        place: OwnedSemaphorePermit,
    ) -> Self {
        let EventFeed {
            log,
            heartbeat,
            mut rechecks,
        } = feed;
        let latest = log.watch();
        rechecks.mark_unchanged();
        let mut opening = format!(": events\nretry: {RETRY_MS}\n");
        let at = match last_id.map(|id| log.number(id)) {
            Some(Some(number)) => number,
            Some(None) => {
                // Another run's numbers say nothing of how many there were.
                opening += "event: gap\ndata: {\"missed\":null}\n";
                log.latest()
            }
            None => log.latest(),
        };
        let _ = write!(opening, "id: {}\n\n", log.id_of_place(at));
        Self {
            log,
            caller,
            heartbeat,
            at,
            latest,
            rechecks,
            until: grant.until,
            recheck_at: None,
            sights: HashMap::new(),
            opening: Some(opening),
            _place: place,
        }
    }

    /// The events, as the body of a response. It ends when the client may stay no longer.
    pub(crate) fn into_stream(self) -> impl Stream<Item = Result<Bytes, Infallible>> + Send {
        futures_util::stream::unfold(self, |mut this| async move {
            let text = this.next().await?;
            Some((Ok(Bytes::from(text)), this))
        })
    }

    async fn next(&mut self) -> Option<String> {
        if let Some(opening) = self.opening.take() {
            return Some(opening);
        }
        let silent_until = Instant::now() + self.heartbeat;
        loop {
            self.latest.borrow_and_update();
            match self.log.after(self.at) {
                Following::Entry(entry) => {
                    self.at = entry.number;
                    if let Some(text) = self.text(&entry).await {
                        return Some(text);
                    }
                    continue;
                }
                Following::Gap { missed, resume } => {
                    self.at = resume;
                    return Some(self.gap(missed).await);
                }
                Following::Nothing => {}
            }
            let until = self.until.map(Instant::from_std);
            tokio::select! {
                biased;
                changed = self.rechecks.changed() => {
                    changed.ok()?;
                    (*self.rechecks.borrow_and_update())?;
                    self.recheck().await?;
                }
                () = sleep_until(self.recheck_at.unwrap_or(silent_until)), if self.recheck_at.is_some() => {
                    self.recheck().await?;
                }
                () = sleep_until(until.unwrap_or(silent_until)), if until.is_some() => return None,
                changed = self.latest.changed() => changed.ok()?,
                () = sleep_until(silent_until) => return Some(self.heartbeat()),
            }
        }
    }

    /// Asks again whether the client may stay, and forgets what it may see.
    async fn recheck(&mut self) -> Option<()> {
        self.sights.clear();
        (self.until, self.recheck_at) = match self.caller.may_look().await {
            Ok(grant) => (grant.until, None),
            Err(denied) if denied.is_unclear() => {
                (self.until, Some(Instant::now() + RECHECK_AGAIN))
            }
            Err(_) => return None,
        };
        Some(())
    }

    /// A comment that says how far the client has come, past events that were not for it.
    fn heartbeat(&self) -> String {
        format!(": alive\nid: {}\n\n", self.log.id_of_place(self.at))
    }

    /// Says that events were missed. How many there were of all streams is for those who may see
    /// them all.
    async fn gap(&self, missed: u64) -> String {
        let missed = match self.caller.may_control(None).await {
            Ok(_) => missed.to_string(),
            Err(_) => "null".into(),
        };
        let id = self.log.id_of_place(self.at);
        format!("id: {id}\nevent: gap\ndata: {{\"missed\":{missed}}}\n\n")
    }

    /// An event for this client; `None` if it may not see the stream.
    async fn text(&mut self, entry: &LogEntry) -> Option<String> {
        if let Logged::Missed(count) = &entry.what {
            return Some(self.gap(*count).await);
        }
        let id = self.log.id(entry.number);
        let sight = self.sight(entry.what.stream()?.as_str()).await;
        let view = EventView::of(&entry.what, &id, sight)?;
        let json = serde_json::to_string(&view).ok()?;
        Some(format!("id: {id}\nevent: stream\ndata: {json}\n\n"))
    }

    async fn sight(&mut self, stream: &str) -> Sight {
        let now = Instant::now();
        if let Some((sight, at)) = self.sights.get(stream)
            && now.duration_since(*at) < KEPT
        {
            return *sight;
        }
        let sight = self.caller.sight(stream).await;
        if self.sights.len() >= MOST_SIGHTS {
            self.sights.clear();
        }
        self.sights.insert(stream.to_owned(), (sight, now));
        sight
    }
}

/// When a browser connects again.
const RETRY_MS: u32 = 3000;
/// How long a decision of the gate is taken for granted.
const KEPT: Duration = Duration::from_secs(1);
const MOST_SIGHTS: usize = 1000;
