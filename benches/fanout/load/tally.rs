//! What is counted: everything by the numbers and times in the stamps.

use serde::Serialize;

use crate::fanout::load::viewer::Arrival;

/// Counts what arrives, and keeps the ages of what was stamped within the window.
pub(crate) struct Tally {
    viewers: Vec<Seen>,
    newest: u64,
    /// Viewers that had a frame.
    started: usize,
    total: u64,
    window: Window,
    faults: Faults,
    part_len: usize,
}

#[derive(Clone, Copy, Default)]
struct Seen {
    last: u64,
}

/// The measured time, as numbers of frames: those after `after` up to `upto`.
#[derive(Default)]
struct Window {
    after: Option<u64>,
    upto: Option<u64>,
    delivered: u64,
    ages_us: Vec<u32>,
    gaps: u64,
}

#[derive(Default)]
struct Faults {
    bad: u64,
    checked: u64,
    repeated: u64,
    out_of_order: u64,
}

/// What came of it.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Counts {
    /// Frames that the camera sent within the window.
    pub(crate) offered: u64,
    /// Frames whose last byte came within the window, over all viewers.
    pub(crate) delivered: u64,
    /// `offered` times the viewers.
    pub(crate) expected: u64,
    /// How many of the expected ones did not come, not even after the window.
    pub(crate) missed: u64,
    /// How often a viewer's frame was not the next after its last.
    pub(crate) gaps: u64,
    /// Since the start: frames that were compared whole.
    pub(crate) checked: u64,
    /// Since the start: frames that were not as the camera sent them.
    pub(crate) bad: u64,
    /// Since the start: frames that came again, as keepalives do.
    pub(crate) repeated: u64,
    /// Since the start: frames older than the one before.
    pub(crate) out_of_order: u64,
    /// Since the start: frames.
    pub(crate) total: u64,
    /// The length of a part on the wire.
    pub(crate) part_bytes: usize,
    pub(crate) age_ms: Ages,
}

/// From the stamp to the last byte, of the expected frames that came.
#[derive(Debug, Default, PartialEq, Serialize)]
pub(crate) struct Ages {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) max: f64,
}

impl Tally {
    pub(crate) fn new(viewers: usize) -> Self {
        Self {
            viewers: vec![Seen::default(); viewers],
            newest: 0,
            started: 0,
            total: 0,
            window: Window::default(),
            faults: Faults::default(),
            part_len: 0,
        }
    }

    /// Have all viewers had a frame?
    pub(crate) fn all_started(&self) -> bool {
        self.started == self.viewers.len()
    }

    pub(crate) fn started(&self) -> usize {
        self.started
    }

    /// From here on it counts.
    pub(crate) fn open(&mut self) {
        self.window.after = Some(self.newest);
    }

    /// What the camera sends from here on does not count.
    pub(crate) fn close(&mut self) {
        self.window.upto = Some(self.newest);
    }

    /// After the close: has everything come that was expected?
    pub(crate) fn complete(&self) -> bool {
        self.window.ages_us.len() as u64 >= self.expected()
    }

    pub(crate) fn arrived(&mut self, viewer: usize, arrival: &Arrival, now_ns: u64) {
        self.total += 1;
        self.part_len = arrival.part_len;
        self.faults.checked += u64::from(arrival.checked);
        self.faults.bad += u64::from(!arrival.sound);
        let open = self.window.after.is_some() && self.window.upto.is_none();
        self.window.delivered += u64::from(open);
        let Some(stamp) = arrival.stamp else {
            return;
        };
        let number = stamp.number;
        let last = std::mem::replace(&mut self.viewers[viewer].last, number);
        self.started += usize::from(last == 0);
        self.newest = self.newest.max(number);
        if number <= last {
            self.faults.repeated += u64::from(number == last);
            self.faults.out_of_order += u64::from(number < last);
            return;
        }
        if self.window.holds(number) {
            self.window.gaps += u64::from(last > 0 && number > last + 1);
            let age_us = now_ns.saturating_sub(stamp.sent_ns) / 1000;
            let age_us = u32::try_from(age_us).unwrap_or(u32::MAX);
            self.window.ages_us.push(age_us);
        }
    }

    fn offered(&self) -> u64 {
        let after = self.window.after.unwrap_or(self.newest);
        self.window.upto.unwrap_or(self.newest) - after
    }

    fn expected(&self) -> u64 {
        self.offered() * self.viewers.len() as u64
    }

    pub(crate) fn counts(mut self) -> Counts {
        let expected = self.expected();
        self.window.ages_us.sort_unstable();
        let ages = &self.window.ages_us;
        Counts {
            offered: self.offered(),
            delivered: self.window.delivered,
            expected,
            missed: expected.saturating_sub(ages.len() as u64),
            gaps: self.window.gaps,
            checked: self.faults.checked,
            bad: self.faults.bad,
            repeated: self.faults.repeated,
            out_of_order: self.faults.out_of_order,
            total: self.total,
            part_bytes: self.part_len,
            age_ms: Ages {
                p50: percentile(ages, 50),
                p99: percentile(ages, 99),
                max: percentile(ages, 100),
            },
        }
    }
}

impl Window {
    fn holds(&self, number: u64) -> bool {
        self.after.is_some_and(|after| number > after)
            && self.upto.is_none_or(|upto| number <= upto)
    }
}

/// The least value that `percent` of all do not exceed, in milliseconds.
fn percentile(sorted_us: &[u32], percent: usize) -> f64 {
    let rank = (sorted_us.len() * percent).div_ceil(100).max(1);
    sorted_us
        .get(rank - 1)
        .map_or(0.0, |&us| f64::from(us) / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fanout::picture::Stamp;

    fn arrival(number: u64) -> Arrival {
        let sent_ns = number * 1_000_000;
        Arrival {
            stamp: Some(Stamp { number, sent_ns }),
            checked: false,
            sound: true,
            part_len: 2100,
        }
    }

    /// Frame `number` comes to `viewer`, two milliseconds old.
    fn came(tally: &mut Tally, viewer: usize, number: u64) {
        tally.arrived(viewer, &arrival(number), number * 1_000_000 + 2_000_000);
    }

    #[test]
    fn a_run_without_loss_has_none() {
        let mut tally = Tally::new(2);
        came(&mut tally, 0, 1);
        assert!(!tally.all_started());
        came(&mut tally, 1, 1);
        assert!(tally.all_started());
        tally.open();
        for number in 2..=11 {
            came(&mut tally, 0, number);
            came(&mut tally, 1, number);
        }
        tally.close();
        assert!(tally.complete());
        let counts = tally.counts();
        assert_eq!((counts.offered, counts.expected), (10, 20));
        assert_eq!((counts.delivered, counts.missed, counts.gaps), (20, 0, 0));
        assert_eq!(counts.age_ms.max, 2.0);
        assert_eq!(counts.total, 22);
    }

    #[test]
    fn what_one_viewer_lacks_is_missed() {
        let mut tally = Tally::new(2);
        came(&mut tally, 0, 1);
        came(&mut tally, 1, 1);
        tally.open();
        (2..=6).for_each(|number| came(&mut tally, 0, number));
        // 3 and 4 are skipped: one gap, two frames; and 6 never comes.
        came(&mut tally, 1, 2);
        came(&mut tally, 1, 5);
        tally.close();
        assert!(!tally.complete());
        let counts = tally.counts();
        assert_eq!((counts.gaps, counts.missed), (1, 3));
        assert_eq!((counts.delivered, counts.expected), (7, 10));
    }

    #[test]
    fn late_frames_are_not_missed_but_delivered_later() {
        let mut tally = Tally::new(2);
        came(&mut tally, 0, 1);
        came(&mut tally, 1, 1);
        tally.open();
        came(&mut tally, 0, 2);
        tally.close();
        came(&mut tally, 1, 2);
        assert!(tally.complete());
        // After the window, and of no interest.
        came(&mut tally, 0, 9);
        let counts = tally.counts();
        assert_eq!((counts.missed, counts.delivered, counts.gaps), (0, 1, 0));
    }

    #[test]
    fn bad_repeated_and_disordered_frames_are_counted() {
        let mut tally = Tally::new(1);
        came(&mut tally, 0, 1);
        tally.open();
        came(&mut tally, 0, 3);
        came(&mut tally, 0, 3);
        came(&mut tally, 0, 2);
        let bad = Arrival {
            stamp: None,
            sound: false,
            ..arrival(0)
        };
        tally.arrived(0, &bad, 0);
        tally.close();
        let counts = tally.counts();
        assert_eq!(
            (counts.bad, counts.repeated, counts.out_of_order),
            (1, 1, 1)
        );
        assert_eq!(counts.missed, 1);
    }

    #[test]
    fn percentiles_are_ranks() {
        let ages: Vec<u32> = (1..=200).map(|ms| ms * 1000).collect();
        assert_eq!(percentile(&ages, 50), 100.0);
        assert_eq!(percentile(&ages, 99), 198.0);
        assert_eq!(percentile(&ages, 100), 200.0);
        assert_eq!(percentile(&[], 99), 0.0);
        assert_eq!(percentile(&[7000], 99), 7.0);
    }
}
