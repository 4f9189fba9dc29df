//! What a camera has seen of its connections.

use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::{sync::oneshot, time::Instant};

/// What a camera does with a connection while it has one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mode {
    /// It serves both.
    #[default]
    Many,
    /// It resets the new one.
    RefuseSecond,
    /// It resets the old one.
    KickFirst,
}

/// An event of a connection.
#[derive(Clone, Debug)]
pub(crate) struct Note {
    pub(crate) at: Instant,
    pub(crate) from: IpAddr,
    pub(crate) what: What,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// Accepted while this many others were open.
    Accepted { beside: usize },
    /// Reset at once, in [`Mode::RefuseSecond`].
    Refused,
    /// How it ended.
    Closed(String),
}

/// All connections so far.
#[derive(Default)]
pub(crate) struct Journal(Mutex<Pages>);

#[derive(Default)]
struct Pages {
    mode: Mode,
    notes: Vec<Note>,
    accepted: u64,
    open: BTreeMap<u64, Open>,
}

struct Open {
    from: IpAddr,
    kick: Option<oneshot::Sender<()>>,
}

impl Journal {
    pub(crate) fn set_mode(&self, mode: Mode) {
        self.pages().mode = mode;
    }

    /// Notes a new connection, and returns its number, or `None` if it is refused. `kick` ends it
    /// when another takes its place.
    pub(super) fn accept(
        &self,
        from: IpAddr,
        at: Instant,
        kick: oneshot::Sender<()>,
    ) -> Option<u64> {
        let pages = &mut *self.pages();
        let beside = pages.open.len();
        if beside > 0 && pages.mode == Mode::RefuseSecond {
            let what = What::Refused;
            pages.notes.push(Note { at, from, what });
            return None;
        }
        if pages.mode == Mode::KickFirst {
            for first in pages.open.values_mut() {
                // It may have ended meanwhile.
                let _ = first.kick.take().map(|kick| kick.send(()));
            }
        }
        let what = What::Accepted { beside };
        pages.notes.push(Note { at, from, what });
        pages.accepted += 1;
        let kick = Some(kick);
        pages.open.insert(pages.accepted, Open { from, kick });
        Some(pages.accepted)
    }

    pub(super) fn close(&self, number: u64, at: Instant, why: String) {
        let pages = &mut *self.pages();
        if let Some(Open { from, .. }) = pages.open.remove(&number) {
            let what = What::Closed(why);
            pages.notes.push(Note { at, from, what });
        }
    }

    pub(super) fn close_all(&self, at: Instant, why: &str) {
        let pages = &mut *self.pages();
        for (_, Open { from, .. }) in std::mem::take(&mut pages.open) {
            let what = What::Closed(why.to_owned());
            pages.notes.push(Note { at, from, what });
        }
    }

    /// Whose connections are open.
    pub(crate) fn open(&self) -> Vec<IpAddr> {
        self.pages().open.values().map(|open| open.from).collect()
    }

    /// The events since then, in their order.
    pub(crate) fn since(&self, then: Instant) -> Vec<Note> {
        let pages = self.pages();
        let since = pages.notes.iter().filter(|note| note.at >= then);
        since.cloned().collect()
    }

    /// The most connections that were open at once since then, those refused included.
    pub(crate) fn most_open(&self, then: Instant) -> usize {
        let at_once = |note: &Note| match note.what {
            What::Accepted { beside } => Some(beside + 1),
            What::Refused => Some(2),
            What::Closed(_) => None,
        };
        let most = self.since(then).iter().filter_map(at_once).max();
        most.unwrap_or(0).max(self.open().len())
    }

    /// How many connections have ended since then.
    pub(crate) fn closed(&self, then: Instant) -> usize {
        let is_close = |note: &&Note| matches!(note.what, What::Closed(_));
        self.since(then).iter().filter(is_close).count()
    }

    /// When a connection from there has ended, if one has since then.
    pub(crate) fn closed_by(&self, then: Instant, from: IpAddr) -> Option<Instant> {
        let notes = self.since(then);
        let close = notes
            .iter()
            .find(|note| note.from == from && matches!(note.what, What::Closed(_)));
        close.map(|note| note.at)
    }

    /// When the first connection since then was accepted.
    pub(crate) fn first_accept(&self, then: Instant) -> Option<Instant> {
        let notes = self.since(then);
        let accept = notes
            .iter()
            .find(|note| matches!(note.what, What::Accepted { .. }));
        accept.map(|note| note.at)
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn accept(journal: &Journal) -> (Option<u64>, oneshot::Receiver<()>) {
        let (kick, kicked) = oneshot::channel();
        let number = journal.accept(Ipv4Addr::LOCALHOST.into(), Instant::now(), kick);
        (number, kicked)
    }

    #[test]
    fn second_connection_is_noted_whatever_the_mode() {
        for mode in [Mode::Many, Mode::RefuseSecond, Mode::KickFirst] {
            let (journal, begin) = (Journal::default(), Instant::now());
            journal.set_mode(mode);
            let (first, mut kicked) = accept(&journal);
            assert_eq!(journal.most_open(begin), 1);
            let (second, _kicked) = accept(&journal);
            assert_eq!(journal.most_open(begin), 2, "{mode:?}");
            assert_eq!(second.is_none(), mode == Mode::RefuseSecond);
            assert_eq!(kicked.try_recv().is_ok(), mode == Mode::KickFirst);
            journal.close(first.unwrap(), Instant::now(), String::new());
            let left = usize::from(mode != Mode::RefuseSecond);
            assert_eq!(journal.open().len(), left);
        }
    }

    #[test]
    fn connections_after_one_another_are_never_two() {
        let (journal, begin) = (Journal::default(), Instant::now());
        for _ in 0..3 {
            let (number, _kicked) = accept(&journal);
            journal.close(number.unwrap(), Instant::now(), String::new());
        }
        assert_eq!(journal.most_open(begin), 1);
        assert_eq!(journal.closed(begin), 3);
        assert!(journal.first_accept(begin).is_some());
        let from = Ipv4Addr::LOCALHOST.into();
        assert!(journal.closed_by(begin, from).is_some());
        assert!(journal.closed_by(Instant::now(), from).is_none());
        let another = Ipv4Addr::BROADCAST.into();
        assert!(journal.closed_by(begin, another).is_none());
    }
}
