//! Counts frames by the numbers and times in their stamps.

use kit::load_report::{Ages, Counts};

use crate::fanout::load::viewer::Arrival;

/// Counts arrivals, and keeps the ages of the frames stamped within the window.
pub(crate) struct Tally {
    /// The number of each viewer's last frame; 0 before its first.
    last: Vec<u64>,
    newest: u64,
    /// Viewers that have received a frame.
    started: usize,
    /// The number of the newest frame when the window opened, and when it closed.
    opened: Option<u64>,
    closed: Option<u64>,
    ages_us: Vec<u32>,
    counts: Counts,
}

impl Tally {
    pub(crate) fn new(viewers: usize) -> Self {
        Self {
            last: vec![0; viewers],
            newest: 0,
            started: 0,
            opened: None,
            closed: None,
            ages_us: Vec::new(),
            counts: Counts::default(),
        }
    }

    /// Whether all viewers have received a frame.
    pub(crate) fn all_started(&self) -> bool {
        self.started == self.last.len()
    }

    pub(crate) fn started(&self) -> usize {
        self.started
    }

    /// Opens the window.
    pub(crate) fn open(&mut self) {
        self.opened = Some(self.newest);
    }

    /// Closes the window. Frames that the camera sends later do not count.
    pub(crate) fn close(&mut self) {
        self.closed = Some(self.newest);
    }

    /// Whether all expected frames have arrived.
    pub(crate) fn complete(&self) -> bool {
        self.ages_us.len() as u64 >= self.expected()
    }

    pub(crate) fn arrived(&mut self, viewer: usize, arrival: &Arrival, now_ns: u64) {
        let counts = &mut self.counts;
        counts.total += 1;
        counts.part_bytes = arrival.part_len as u64;
        counts.checked += u64::from(arrival.checked);
        counts.bad += u64::from(!arrival.sound);
        let open = self.opened.is_some() && self.closed.is_none();
        counts.delivered += u64::from(open);
        let Some(stamp) = arrival.stamp else {
            return;
        };
        let number = stamp.number;
        let last = std::mem::replace(&mut self.last[viewer], number);
        self.started += usize::from(last == 0);
        self.newest = self.newest.max(number);
        if number <= last {
            counts.repeated += u64::from(number == last);
            counts.out_of_order += u64::from(number < last);
            return;
        }
        let expected = self.opened.is_some_and(|opened| number > opened)
            && self.closed.is_none_or(|closed| number <= closed);
        if expected {
            counts.gaps += u64::from(last > 0 && number > last + 1);
            let age_us = now_ns.saturating_sub(stamp.sent_ns) / 1000;
            let age_us = u32::try_from(age_us).unwrap_or(u32::MAX);
            self.ages_us.push(age_us);
        }
    }

    fn offered(&self) -> u64 {
        let opened = self.opened.unwrap_or(self.newest);
        self.closed.unwrap_or(self.newest) - opened
    }

    fn expected(&self) -> u64 {
        self.offered() * self.last.len() as u64
    }

    pub(crate) fn counts(mut self) -> Counts {
        let (offered, expected) = (self.offered(), self.expected());
        let ages = &mut self.ages_us;
        ages.sort_unstable();
        Counts {
            offered,
            expected,
            missed: expected.saturating_sub(ages.len() as u64),
            age_ms: Ages {
                p50: percentile(ages, 50),
                p99: percentile(ages, 99),
                max: percentile(ages, 100),
            },
            ..self.counts
        }
    }
}

/// The least value that `percent` of all values do not exceed, in milliseconds.
fn percentile(sorted_us: &[u32], percent: usize) -> f64 {
    let rank = (sorted_us.len() * percent).div_ceil(100).max(1);
    let us = sorted_us.get(rank - 1);
    us.map_or(0.0, |&us| f64::from(us) / 1000.0)
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

    /// Frame `number` arrives at `viewer`, two milliseconds old.
    fn arrive(tally: &mut Tally, viewer: usize, number: u64) {
        tally.arrived(viewer, &arrival(number), number * 1_000_000 + 2_000_000);
    }

    /// Two viewers that have started, and an open window.
    fn opened() -> Tally {
        let mut tally = Tally::new(2);
        arrive(&mut tally, 0, 1);
        assert!(!tally.all_started());
        arrive(&mut tally, 1, 1);
        assert!(tally.all_started());
        tally.open();
        tally
    }

    #[test]
    fn a_run_without_loss_misses_nothing() {
        let mut tally = opened();
        for number in 2..=11 {
            arrive(&mut tally, 0, number);
            arrive(&mut tally, 1, number);
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
    fn frames_that_one_viewer_lacks_are_missed() {
        let mut tally = opened();
        (2..=6).for_each(|number| arrive(&mut tally, 0, number));
        // 3 and 4 are skipped, which is one gap of two frames. 6 never arrives.
        arrive(&mut tally, 1, 2);
        arrive(&mut tally, 1, 5);
        tally.close();
        assert!(!tally.complete());
        let counts = tally.counts();
        assert_eq!((counts.gaps, counts.missed), (1, 3));
        assert_eq!((counts.delivered, counts.expected), (7, 10));
    }

    #[test]
    fn frames_that_arrive_after_the_window_are_not_missed() {
        let mut tally = opened();
        arrive(&mut tally, 0, 2);
        tally.close();
        arrive(&mut tally, 1, 2);
        assert!(tally.complete());
        // Sent after the window, so it does not count.
        arrive(&mut tally, 0, 9);
        let counts = tally.counts();
        assert_eq!((counts.missed, counts.delivered, counts.gaps), (0, 1, 0));
    }

    #[test]
    fn bad_repeated_and_disordered_frames_are_counted() {
        let mut tally = opened();
        for number in [3, 3, 2] {
            arrive(&mut tally, 0, number);
            arrive(&mut tally, 1, number);
        }
        let bad = Arrival {
            stamp: None,
            sound: false,
            ..arrival(0)
        };
        tally.arrived(0, &bad, 0);
        tally.close();
        let counts = tally.counts();
        assert_eq!((counts.bad, counts.missed), (1, 2));
        assert_eq!((counts.repeated, counts.out_of_order), (2, 2));
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
