//! What is counted over all rounds of a case.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use crate::seen::Seen;

/// Samples by what they are of, and what must hold in every round.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) samples: BTreeMap<&'static str, Vec<f64>>,
    pub(crate) failures: Vec<String>,
    /// Parts that viewers have read.
    pub(crate) parts: u64,
    /// Parts in which something went backwards.
    pub(crate) backwards: Vec<String>,
    /// Responses that were to last.
    pub(crate) responses: u64,
    /// How those ended that did.
    pub(crate) ended: Vec<String>,
    /// Pictures whose identity was known from another node.
    pub(crate) compared: u64,
    /// Pictures that had another identity there.
    pub(crate) differing: Vec<String>,
    identities: HashMap<u32, (u64, u64)>,
}

impl Tally {
    /// Notes a sample.
    pub(crate) fn sample(&mut self, what: &'static str, value: f64) {
        self.samples.entry(what).or_default().push(value);
    }

    /// Notes a time, in seconds.
    pub(crate) fn time(&mut self, what: &'static str, value: Duration) {
        self.sample(what, value.as_secs_f64());
    }

    /// Takes what a viewer has seen. `lasts`: its response was not to end.
    pub(crate) fn take(&mut self, viewer: &str, seen: &Seen, lasts: bool) {
        self.parts += seen.parts;
        let backwards = seen.backwards.iter();
        self.backwards
            .extend(backwards.map(|what| format!("{viewer}: {what}")));
        self.responses += u64::from(lasts);
        if let Some(why) = seen.ended.as_ref().filter(|_| lasts) {
            self.ended.push(format!("{viewer}: {why}"));
        }
        for arrival in &seen.arrivals {
            self.identify(viewer, arrival.number, arrival.id);
        }
    }

    /// Compares the identity of a picture with the one that it had elsewhere.
    pub(crate) fn identify(&mut self, at: &str, number: u32, id: (u64, u64)) {
        let known = *self.identities.entry(number).or_insert(id);
        self.compared += 1;
        if known != id {
            self.differing.push(format!(
                "{at}: picture {number} is {id:?}, elsewhere {known:?}"
            ));
        }
    }

    /// Forgets identities: the next rig numbers its pictures from 1 again.
    pub(crate) fn next_rig(&mut self) {
        self.identities.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn picture_with_two_identities_is_noted() {
        let mut tally = Tally::default();
        tally.identify("a", 7, (1, 7));
        tally.identify("b", 7, (1, 7));
        assert!(tally.differing.is_empty());
        tally.identify("c", 7, (2, 0));
        assert_eq!((tally.differing.len(), tally.compared), (1, 3));
        tally.next_rig();
        tally.identify("a", 7, (9, 9));
        assert_eq!(tally.differing.len(), 1);
    }

    #[test]
    fn only_a_response_that_was_to_last_must_not_end() {
        let mut seen = Seen::default();
        seen.ended = Some("cut off".into());
        let mut tally = Tally::default();
        tally.take("a", &seen, false);
        assert!(tally.ended.is_empty());
        tally.take("a", &seen, true);
        assert_eq!((tally.ended.len(), tally.responses), (1, 1));
    }
}
