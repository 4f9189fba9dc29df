//! What a viewer has received, and what follows from it. Without a clock and without IO.

use std::time::Duration;

use tokio::time::Instant;

use crate::pictures::{INTERVAL, Made};

/// A new picture at a viewer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Arrival {
    pub(crate) at: Instant,
    pub(crate) number: u32,
    pub(crate) made: Instant,
    /// Epoch and sequence, which the first relay gave it.
    pub(crate) id: (u64, u64),
}

/// A part that a viewer has read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    pub(crate) at: Instant,
    /// `None`: the part is no picture of the camera.
    pub(crate) number: Option<u32>,
    /// `None` if the relay says nothing of it.
    pub(crate) id: Option<(u64, u64)>,
}

/// What a viewer has received so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) arrivals: Vec<Arrival>,
    /// All parts, repeats included.
    pub(crate) parts: u64,
    /// Parts in which something went backwards.
    pub(crate) backwards: Vec<String>,
    /// How the response ended, if it has.
    pub(crate) ended: Option<String>,
    last: Option<(u64, u64)>,
}

impl Seen {
    /// Takes the next part.
    pub(crate) fn take(&mut self, part: Part, made: &Made) {
        self.parts += 1;
        let number = part.number.unwrap_or(0);
        let before = self.arrivals.last().map_or(0, |arrival| arrival.number);
        if part.number.is_some() && number < before {
            self.backwards
                .push(format!("picture {number} after picture {before}"));
        }
        // A picture that the relay has made itself has an identity of its own.
        let id = part.id.filter(|_| part.number.is_some());
        if let (Some(id), Some(last)) = (id, self.last)
            && id < last
        {
            self.backwards.push(format!("{id:?} after {last:?}"));
        }
        self.last = id.max(self.last);
        if number > before
            && let Some(made) = made.at(number)
        {
            self.arrivals.push(Arrival {
                at: part.at,
                number,
                made,
                id: part.id.unwrap_or_default(),
            });
        }
    }

    /// The first picture that was made then or later.
    pub(crate) fn first_made_after(&self, then: Instant) -> Option<Arrival> {
        let at = self.arrivals.partition_point(|arrival| arrival.made < then);
        self.arrivals.get(at).copied()
    }

    /// The first picture of a later epoch than this.
    pub(crate) fn first_of_later_epoch(&self, epoch: u64) -> Option<Arrival> {
        let mut arrivals = self.arrivals.iter();
        arrivals.find(|arrival| arrival.id.0 > epoch).copied()
    }

    /// The epoch of the newest picture.
    pub(crate) fn epoch(&self) -> Option<u64> {
        self.arrivals.last().map(|arrival| arrival.id.0)
    }

    /// The longest time between two points without a new picture. The time until a picture was due
    /// does not count where the camera made it late.
    pub(crate) fn longest_gap(&self, from: Instant, to: Instant, made: &Made) -> Duration {
        let at = self.arrivals.partition_point(|arrival| arrival.at < from);
        let mut before = at.checked_sub(1).map(|at| self.arrivals[at]);
        let mut longest = Duration::ZERO;
        for arrival in &self.arrivals[at..] {
            longest = longest.max(gap(before, from, arrival.at.min(to), made));
            before = Some(*arrival);
            if arrival.at >= to {
                return longest;
            }
        }
        longest.max(gap(before, from, to, made))
    }

    /// The ages of the pictures that arrived between two points.
    pub(crate) fn ages(&self, from: Instant, to: Instant) -> Vec<Duration> {
        let within = self.within(from, to);
        within.map(|arrival| arrival.at - arrival.made).collect()
    }

    pub(crate) fn within(&self, from: Instant, to: Instant) -> impl Iterator<Item = &Arrival> {
        let within = move |arrival: &&Arrival| (from..to).contains(&arrival.at);
        self.arrivals.iter().filter(within)
    }
}

/// The time up to `to` for which nothing new had come. It begins with the picture before, but not
/// before `from`, nor before the next picture was due.
fn gap(before: Option<Arrival>, from: Instant, to: Instant, made: &Made) -> Duration {
    let Some(before) = before else {
        return to.saturating_duration_since(from);
    };
    let next = made.at(before.number + 1).unwrap_or(to);
    let due = next.checked_sub(INTERVAL).unwrap_or(next);
    to.saturating_duration_since(before.at.max(due).max(from))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten pictures, one per interval; picture N is made at N intervals.
    fn made(begin: Instant) -> Made {
        Made::of((1..=10).map(|n| begin + n * INTERVAL))
    }

    fn part(at: Instant, number: u32, id: (u64, u64)) -> Part {
        Part {
            at,
            number: Some(number),
            id: Some(id),
        }
    }

    fn seen(begin: Instant, made: &Made, numbers: &[u32]) -> Seen {
        let mut seen = Seen::default();
        for &number in numbers {
            let at = begin + number * INTERVAL + INTERVAL / 4;
            seen.take(part(at, number, (1, u64::from(number))), made);
        }
        seen
    }

    #[test]
    fn number_epoch_and_sequence_must_not_go_backwards() {
        let begin = Instant::now();
        let made = made(begin);
        let mut seen = seen(begin, &made, &[1, 2]);
        seen.take(part(begin, 2, (1, 2)), &made);
        assert!(seen.backwards.is_empty(), "{:?}", seen.backwards);
        assert_eq!((seen.arrivals.len(), seen.parts), (2, 3));
        seen.take(part(begin, 1, (1, 2)), &made);
        assert_eq!(seen.backwards, ["picture 1 after picture 2"]);
        seen.take(part(begin, 3, (1, 1)), &made);
        assert_eq!(seen.backwards[1], "(1, 1) after (1, 2)");
        seen.take(part(begin, 4, (0, 9)), &made);
        assert_eq!(seen.backwards[2], "(0, 9) after (1, 2)");
        seen.take(part(begin, 5, (2, 0)), &made);
        assert_eq!(seen.backwards.len(), 3);
    }

    #[test]
    fn placeholder_is_no_picture_and_not_backwards() {
        let begin = Instant::now();
        let made = made(begin);
        let mut seen = seen(begin, &made, &[1, 2]);
        let placeholder = Part {
            number: None,
            ..part(begin, 0, (9, 0))
        };
        seen.take(placeholder, &made);
        seen.take(part(begin, 3, (1, 3)), &made);
        assert!(seen.backwards.is_empty() && seen.arrivals.len() == 3);
    }

    #[test]
    fn gap_is_between_two_pictures_or_up_to_the_end() {
        let begin = Instant::now();
        let made = made(begin);
        let seen = seen(begin, &made, &[1, 2, 6, 7]);
        let gap = |from: u32, to: u32| {
            let (from, to) = (begin + from * INTERVAL, begin + to * INTERVAL);
            seen.longest_gap(from, to, &made)
        };
        assert_eq!(gap(2, 8), 4 * INTERVAL);
        // From the beginning of the window on.
        assert_eq!(gap(4, 7), 2 * INTERVAL + INTERVAL / 4);
        // Up to its end.
        assert_eq!(gap(7, 10), 3 * INTERVAL - INTERVAL / 4);
        assert_eq!(gap(3, 5), 2 * INTERVAL);
    }

    #[test]
    fn delay_of_the_camera_is_no_gap() {
        let begin = Instant::now();
        let made = Made::of([1, 2, 9].map(|n| begin + n * INTERVAL));
        let mut seen = seen(begin, &made, &[1, 2]);
        let at = begin + 9 * INTERVAL + INTERVAL / 4;
        seen.take(part(at, 3, (1, 3)), &made);
        let longest = seen.longest_gap(begin, begin + 10 * INTERVAL, &made);
        assert_eq!(longest, INTERVAL + INTERVAL / 4);
    }

    #[test]
    fn first_picture_after_a_fault_is_one_that_was_made_after_it() {
        let begin = Instant::now();
        let made = made(begin);
        let seen = seen(begin, &made, &[1, 2, 3, 4]);
        // The second was made before, and arrives after it.
        let first = seen.first_made_after(begin + 2 * INTERVAL + INTERVAL / 8);
        assert_eq!(first.unwrap().number, 3);
        assert_eq!(seen.first_made_after(begin + 5 * INTERVAL), None);
    }

    #[test]
    fn ages_are_those_of_the_window() {
        let begin = Instant::now();
        let made = made(begin);
        let seen = seen(begin, &made, &[1, 2, 3, 4]);
        let ages = seen.ages(begin + 2 * INTERVAL, begin + 4 * INTERVAL);
        assert_eq!(ages, [INTERVAL / 4; 2]);
    }
}
