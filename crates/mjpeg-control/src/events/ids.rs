//! Ids of events, which tell nothing of how many there were.

use std::{
    hash::{BuildHasher, RandomState},
    sync::atomic::{AtomicU64, Ordering},
};

/// Turns the number of an event into its id, and back. The numbers count the events of all streams.
/// A client that may see only some streams must not learn from ids how active the others are.
///
/// An id is the number and a salt, encrypted and authenticated under a key of this run; both by the
/// keyed hash of the standard library, for which nobody can compute values without its key. So an
/// id of another run is unknown, like any text that is no id.
pub(crate) struct EventIds {
    key: RandomState,
    /// The salt of the next id that shall be like no other.
    next_salt: AtomicU64,
}

impl EventIds {
    pub(crate) fn new() -> Self {
        Self {
            key: RandomState::new(),
            next_salt: AtomicU64::new(1),
        }
    }

    /// The id of an event: the same for everybody who may see it.
    pub(crate) fn of_event(&self, number: u64) -> String {
        self.sealed(number, 0)
    }

    /// An id of the place behind an event, which is like no other of that place: two of them do not
    /// tell whether something has happened in between.
    pub(crate) fn of_place(&self, number: u64) -> String {
        let salt = self.next_salt.fetch_add(1, Ordering::Relaxed);
        self.sealed(number, salt)
    }

    /// The number in an id; `None` if it is not one of this run.
    pub(crate) fn number(&self, id: &str) -> Option<u64> {
        let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if id.len() != 3 * WORD || !id.bytes().all(is_hex) {
            return None;
        }
        let word = |at: usize| u64::from_str_radix(&id[at * WORD..][..WORD], 16).ok();
        let (tag, number, salt) = (word(0)?, word(1)?, word(2)?);
        let (number, salt) = self.covered(tag, number, salt);
        (self.tag(number, salt) == tag).then_some(number)
    }

    fn sealed(&self, number: u64, salt: u64) -> String {
        let tag = self.tag(number, salt);
        let (number, salt) = self.covered(tag, number, salt);
        format!("{tag:016x}{number:016x}{salt:016x}")
    }

    fn tag(&self, number: u64, salt: u64) -> u64 {
        self.key.hash_one((0_u8, number, salt))
    }

    /// Covers both, or uncovers them.
    fn covered(&self, tag: u64, number: u64, salt: u64) -> (u64, u64) {
        let pad = |which: u8| self.key.hash_one((which, tag));
        (number ^ pad(1), salt ^ pad(2))
    }
}

/// Hexadecimal digits of 64 bits.
const WORD: usize = 16;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn number_is_found_by_its_ids_and_by_no_others() {
        let (ids, other) = (EventIds::new(), EventIds::new());
        for number in [0, 1, 7, u64::MAX] {
            let id = ids.of_event(number);
            assert_eq!(ids.number(&id), Some(number));
            assert_eq!(ids.number(&ids.of_place(number)), Some(number));
            assert_eq!(other.number(&id), None, "of another run");
            for at in 0..id.len() {
                let digit = if &id[at..=at] == "0" { "1" } else { "0" };
                let garbled = [&id[..at], digit, &id[at + 1..]].concat();
                assert_eq!(ids.number(&garbled), None, "{garbled}");
            }
        }
        let id = ids.of_event(7);
        let long = id.clone() + "0";
        for text in [
            "",
            "7",
            &id[1..],
            &*long,
            &id.to_uppercase(),
            &"ä".repeat(24),
        ] {
            assert_eq!(ids.number(text), None, "{text:?}");
        }
    }

    #[test]
    fn ids_of_one_event_are_the_same_and_those_of_a_place_never() {
        let ids = EventIds::new();
        assert_eq!(ids.of_event(7), ids.of_event(7));
        let of_place: BTreeSet<String> = (0..100).map(|_| ids.of_place(7)).collect();
        assert_eq!(of_place.len(), 100);
        // Nothing of one number is left in the next one.
        let digits = |number| ids.of_event(number).into_bytes();
        let same = (0..48)
            .filter(|at| digits(7)[*at] == digits(8)[*at])
            .count();
        assert!(same < 24, "{same}");
    }
}
