//! Which sequence numbers came lately (RFC 3550 appendix A.1).

/// The newest sequence number, and which of the [`WINDOW`] before it have come.
#[derive(Debug, Default)]
pub(super) struct Recent {
    newest: Option<u16>,
    /// Bit n is set if `newest - n` has come.
    seen: u64,
    /// What would follow the last one, if that was far off.
    suspected: Option<u16>,
}

/// What a sequence number is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arrival {
    /// The next one, or a later one: so many are missing before it.
    New { missing: u16 },
    /// One that was missing.
    Late,
    /// It has come before.
    Repeated,
    /// Far off: a stray packet, or the first of a sender that has begun anew.
    FarOff,
    /// It follows the one that was far off: the sender has begun anew.
    Restarted,
}

impl Recent {
    pub(super) fn admit(&mut self, sequence: u16) -> Arrival {
        let Some(newest) = self.newest else {
            *self = Self::beginning(sequence);
            return Arrival::New { missing: 0 };
        };
        let suspected = self.suspected.take();
        let ahead = sequence.wrapping_sub(newest);
        let behind = newest.wrapping_sub(sequence);
        if behind < WINDOW {
            let bit = 1 << behind;
            if self.seen & bit != 0 {
                return Arrival::Repeated;
            }
            self.seen |= bit;
            return Arrival::Late;
        }
        if ahead > MOST_AHEAD {
            if suspected == Some(sequence) {
                *self = Self::beginning(sequence);
                return Arrival::Restarted;
            }
            self.suspected = Some(sequence.wrapping_add(1));
            return Arrival::FarOff;
        }
        self.newest = Some(sequence);
        self.seen = self.seen.checked_shl(ahead.into()).unwrap_or(0) | 1;
        Arrival::New { missing: ahead - 1 }
    }

    fn beginning(sequence: u16) -> Self {
        Self {
            newest: Some(sequence),
            seen: 1,
            suspected: None,
        }
    }
}

/// How many sequence numbers are remembered.
const WINDOW: u16 = 64;

/// How many packets may be lost in a row (RFC 3550 appendix A.1: MAX_DROPOUT).
const MOST_AHEAD: u16 = 3000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrivals_are_told_apart_at_the_edges_of_the_window() {
        let begun_at = |sequence| {
            let mut recent = Recent::default();
            recent.admit(sequence);
            recent
        };
        for begin in [0u16, 100, u16::MAX] {
            let after = |distance: u16| begun_at(begin).admit(begin.wrapping_add(distance));
            assert_eq!(after(0), Arrival::Repeated);
            assert_eq!(after(1), Arrival::New { missing: 0 });
            assert_eq!(after(3000), Arrival::New { missing: 2999 });
            assert_eq!(after(3001), Arrival::FarOff);
            assert_eq!(after(u16::MAX), Arrival::Late, "one before");
            assert_eq!(after(0u16.wrapping_sub(63)), Arrival::Late);
            assert_eq!(after(0u16.wrapping_sub(64)), Arrival::FarOff);
            let mut recent = begun_at(begin);
            let far = begin.wrapping_add(20_000);
            for sequence in [
                far,
                far,
                begin.wrapping_add(5_000),
                far.wrapping_add(1),
                far,
            ] {
                assert_eq!(recent.admit(sequence), Arrival::FarOff);
            }
            assert_eq!(recent.admit(far.wrapping_add(1)), Arrival::Restarted);
            assert_eq!(
                recent.admit(far.wrapping_add(2)),
                Arrival::New { missing: 0 }
            );
        }
    }

    #[test]
    fn each_of_the_window_is_late_once() {
        let mut recent = Recent::default();
        recent.admit(65530);
        assert_eq!(recent.admit(20), Arrival::New { missing: 25 });
        for sequence in (65531..=65535).chain(0..20) {
            assert_eq!(recent.admit(sequence), Arrival::Late, "{sequence}");
            assert_eq!(recent.admit(sequence), Arrival::Repeated, "{sequence}");
        }
        assert_eq!(recent.admit(65530), Arrival::Repeated);
    }
}
