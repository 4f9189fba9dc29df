//! The latest events, each with its number.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use mjpeg_manager::{Events, StreamEvent, StreamName};
use tokio::sync::watch;

use crate::events::ids::EventIds;

/// The latest events. Older ones are forgotten; whoever comes too late is told how many.
pub(crate) struct EventLog {
    ids: EventIds,
    ring: Mutex<Ring>,
    /// The number of the latest event.
    latest: watch::Sender<u64>,
}

struct Ring {
    entries: VecDeque<Arc<LogEntry>>,
    most: usize,
    /// The number of the next entry. The first is 1.
    next: u64,
}

/// An event, or how many there was no time to take.
pub(crate) struct LogEntry {
    pub(crate) number: u64,
    pub(crate) what: Logged,
}

pub(crate) enum Logged {
    Event(StreamEvent),
    #[cfg_attr(
        not(feature = "replay"),
        allow(dead_code, reason = "nothing keeps clips")
    )]
    Clip(LoggedClip),
    Missed(u64),
}

/// A clip that was kept.
#[cfg_attr(
    not(feature = "replay"),
    allow(dead_code, reason = "nothing keeps clips")
)]
pub(crate) struct LoggedClip {
    pub(crate) stream: StreamName,
    pub(crate) at: SystemTime,
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) event: Option<String>,
    pub(crate) first: Option<SystemTime>,
    pub(crate) last: Option<SystemTime>,
    pub(crate) frames: u64,
    pub(crate) bytes: u64,
}

impl Logged {
    /// The stream to which it has happened.
    pub(crate) fn stream(&self) -> Option<&StreamName> {
        match self {
            Self::Event(event) => Some(&event.stream),
            Self::Clip(clip) => Some(&clip.stream),
            Self::Missed(_) => None,
        }
    }
}

/// What follows a place in the log.
pub(crate) enum Following {
    Nothing,
    Entry(Arc<LogEntry>),
    /// This many are forgotten; what is left follows this number.
    Gap {
        missed: u64,
        resume: u64,
    },
}

impl EventLog {
    pub(crate) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self {
            ids: EventIds::new(),
            ring: Mutex::new(Ring {
                entries: VecDeque::new(),
                most,
                next: 1,
            }),
            latest: watch::Sender::new(0),
        })
    }

    /// Takes events until the manager is gone.
    pub(crate) async fn run(self: Arc<Self>, mut events: Events) {
        let mut missed = 0;
        while let Some(event) = events.next().await {
            let now_missed = events.missed();
            if now_missed > missed {
                self.add(Logged::Missed(now_missed - missed));
                missed = now_missed;
            }
            self.add(Logged::Event(event));
        }
    }

    pub(crate) fn add(&self, what: Logged) {
        let mut ring = self.ring();
        let number = ring.next;
        ring.next += 1;
        if ring.entries.len() == ring.most {
            ring.entries.pop_front();
        }
        ring.entries.push_back(Arc::new(LogEntry { number, what }));
        drop(ring);
        self.latest.send_replace(number);
    }

    /// What follows the event of this number.
    pub(crate) fn after(&self, number: u64) -> Following {
        let ring = self.ring();
        let oldest = ring.next - ring.entries.len() as u64;
        if number + 1 < oldest {
            return Following::Gap {
                missed: oldest - 1 - number,
                resume: oldest - 1,
            };
        }
        let index = usize::try_from(number + 1 - oldest).unwrap_or(usize::MAX);
        let entry = ring.entries.get(index).map(Arc::clone);
        entry.map_or(Following::Nothing, Following::Entry)
    }

    /// The number of the latest event; 0 before the first.
    pub(crate) fn latest(&self) -> u64 {
        self.ring().next - 1
    }

    /// Tells of new events.
    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.latest.subscribe()
    }

    /// The id of the event with this number.
    pub(crate) fn id(&self, number: u64) -> String {
        self.ids.of_event(number)
    }

    /// An id of the place behind the event with this number, for somebody who must not learn from
    /// it whether something has happened since the last one.
    pub(crate) fn id_of_place(&self, number: u64) -> String {
        self.ids.of_place(number)
    }

    /// The number in an id; `None` for one of another run, or of none.
    pub(crate) fn number(&self, id: &str) -> Option<u64> {
        let number = self.ids.number(id);
        number.filter(|&number| number <= self.latest())
    }

    /// Nothing that is done under the lock can panic.
    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(most: usize, count: u64) -> Arc<EventLog> {
        let log = EventLog::new(most);
        for at in 0..count {
            log.add(Logged::Missed(at));
        }
        log
    }

    fn number(following: &Following) -> Option<u64> {
        match following {
            Following::Entry(entry) => Some(entry.number),
            _ => None,
        }
    }

    #[test]
    fn entries_follow_one_another_until_they_are_forgotten() {
        let log = filled(3, 5);
        assert_eq!(log.latest(), 5);
        for at in 2..5 {
            assert_eq!(number(&log.after(at)), Some(at + 1));
        }
        assert!(matches!(log.after(5), Following::Nothing));
        for at in 0..2 {
            match log.after(at) {
                Following::Gap { missed, resume } => assert_eq!((missed, resume), (2 - at, 2)),
                _ => panic!("entry {at} is forgotten"),
            }
        }
        assert!(matches!(filled(3, 0).after(0), Following::Nothing));
    }

    #[test]
    fn ids_of_other_runs_and_of_the_future_are_none() {
        let (log, other) = (filled(3, 5), filled(3, 5));
        assert_eq!(log.number(&log.id(4)), Some(4));
        assert_eq!(log.number(&log.id(6)), None);
        assert_eq!(log.number(&log.id_of_place(4)), Some(4));
        assert_eq!(log.number(&other.id(4)), None);
        for id in ["", "4", "-4", "x-4", "\u{1b}"] {
            assert_eq!(log.number(id), None, "{id:?}");
        }
    }
}
