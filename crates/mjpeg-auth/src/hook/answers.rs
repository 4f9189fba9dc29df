//! KeptAnswers that are remembered for a while.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use tokio::time::Instant;

/// Stands for a question, and tells nothing about it.
pub(crate) type QuestionTag = [u8; 32];

/// Questions that had the same answer. Pure: times are given from outside.
pub(crate) struct KeptAnswers {
    at: HashMap<QuestionTag, Instant>,
    /// The same in the order of their times, with some that are out of date.
    order: VecDeque<(QuestionTag, Instant)>,
    kept: Duration,
    most: usize,
}

impl KeptAnswers {
    /// Remembers at most so many, each for so long.
    pub(crate) fn new(kept: Duration, most: usize) -> Self {
        Self {
            at: HashMap::new(),
            order: VecDeque::new(),
            kept,
            most,
        }
    }

    /// Whether this answer was given, and will still be remembered after this time.
    pub(crate) fn has(&self, tag: &QuestionTag, now: Instant, margin: Duration) -> bool {
        let is_kept = |at: &Instant| now.saturating_duration_since(*at) + margin < self.kept;
        self.at.get(tag).is_some_and(is_kept)
    }

    /// Remembers an answer. Where there are too many, the oldest one is forgotten.
    pub(crate) fn insert(&mut self, tag: QuestionTag, now: Instant) {
        self.at.insert(tag, now);
        self.order.push_back((tag, now));
        while let Some(&(oldest, at)) = self.order.front() {
            let is_over = now.saturating_duration_since(at) >= self.kept;
            let is_current = self.at.get(&oldest) == Some(&at);
            let is_too_many = self.at.len() > self.most || self.order.len() > 2 * self.most;
            if !(is_over || !is_current || is_too_many) {
                return;
            }
            self.order.pop_front();
            if is_current {
                self.at.remove(&oldest);
            }
        }
    }

    pub(crate) fn remove(&mut self, tag: &QuestionTag) {
        self.at.remove(tag);
    }

    pub(crate) fn clear(&mut self) {
        self.at.clear();
        self.order.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(number: u8) -> QuestionTag {
        [number; 32]
    }

    #[test]
    fn answers_are_remembered_for_their_time_and_the_oldest_are_forgotten_first() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut answers = KeptAnswers::new(Duration::from_secs(60), 3);
        answers.insert(tag(0), at(0));
        assert!(answers.has(&tag(0), at(59), Duration::ZERO));
        assert!(!answers.has(&tag(0), at(60), Duration::ZERO));
        assert!(!answers.has(&tag(0), at(50), Duration::from_secs(10)));
        for number in 1..=3 {
            answers.insert(tag(number), at(number.into()));
        }
        assert!(!answers.has(&tag(0), at(4), Duration::ZERO));
        assert!(answers.has(&tag(1), at(4), Duration::ZERO));
        // What is given again is as good as new.
        answers.insert(tag(1), at(5));
        answers.insert(tag(4), at(6));
        let known = [0, 1, 2, 3, 4].map(|number| answers.has(&tag(number), at(6), Duration::ZERO));
        assert_eq!(known, [false, true, false, true, true]);
        answers.remove(&tag(4));
        assert!(!answers.has(&tag(4), at(6), Duration::ZERO));
    }

    #[test]
    fn what_is_kept_is_bounded_whatever_is_given_again() {
        let now = Instant::now();
        let mut answers = KeptAnswers::new(Duration::from_secs(60), 3);
        for number in 0..1000_u32 {
            answers.insert(tag((number % 3) as u8), now);
            answers.insert(tag(7), now);
            answers.insert(tag(number as u8), now + Duration::from_nanos(number.into()));
            assert!(answers.at.len() <= 3 && answers.order.len() <= 6);
        }
    }
}
