//! Decides which of a stream's changes are written to the log.
//!
//! A camera that comes and goes must not fill a disk, nor hide what the others say. The caller
//! passes in the clock.

use std::time::Duration;

use mjpeg_ingest::FailureKind;
use tokio::time::Instant;

/// What was written lately about one stream.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    outage: Option<Outage>,
    /// The present minute, if anything was to be written in it.
    window: Option<Window>,
}

/// A time without a picture that was told of.
#[derive(Debug)]
struct Outage {
    since: Instant,
    attempts: u32,
    /// What the operator was told to mend.
    told: Vec<FailureKind>,
}

#[derive(Debug)]
struct Window {
    since: Instant,
    lines: u32,
    suppressed: u32,
}

/// What was not written because it was too much.
#[derive(Debug, PartialEq)]
pub(crate) struct SuppressedLines {
    pub(crate) lines: u32,
    pub(crate) within: Duration,
}

impl Journal {
    /// Begins an outage, unless it has begun already. Returns whether to tell of it: one outage is
    /// one line, however many attempts fail. Only what no further attempt can mend is told as well,
    /// once.
    pub(crate) fn begin_outage(&mut self, now: Instant, reason: FailureKind) -> bool {
        let is_first = self.outage.is_none();
        let outage = self.outage.get_or_insert_with(|| Outage {
            since: now,
            attempts: 1,
            told: Vec::new(),
        });
        let lasts = matches!(reason, FailureKind::Login | FailureKind::Unusable);
        let is_news = lasts && !outage.told.contains(&reason);
        if is_news {
            outage.told.push(reason);
        }
        is_first || is_news
    }

    /// Counts another failed attempt of an outage.
    pub(crate) fn attempt(&mut self) {
        if let Some(outage) = &mut self.outage {
            outage.attempts = outage.attempts.saturating_add(1);
        }
    }

    /// Whether an outage was told of and no picture has come since.
    pub(crate) fn is_out(&self) -> bool {
        self.outage.is_some()
    }

    /// Ends the outage. Returns how long it was, and how many attempts have failed.
    pub(crate) fn end_outage(&mut self, now: Instant) -> Option<(Duration, u32)> {
        let outage = self.outage.take()?;
        let lasted = now.saturating_duration_since(outage.since);
        Some((lasted, outage.attempts))
    }

    /// Whether a line may be written now. One that may not is counted.
    pub(crate) fn admits(&mut self, now: Instant) -> bool {
        let is_over = |window: &Window| window.suppressed == 0 && window.ends_at() <= now;
        if self.window.as_ref().is_some_and(is_over) {
            self.window = None;
        }
        let window = self.window.get_or_insert(Window {
            since: now,
            lines: 0,
            suppressed: 0,
        });
        let admitted = window.lines < MOST_LINES;
        if admitted {
            window.lines += 1;
        } else {
            window.suppressed = window.suppressed.saturating_add(1);
        }
        admitted
    }

    /// When [`take_suppressed`](Self::take_suppressed) has something to tell.
    pub(crate) fn tells_at(&self) -> Option<Instant> {
        let window = self.window.as_ref()?;
        (window.suppressed > 0).then(|| window.ends_at())
    }

    /// Takes what was held back, once a minute.
    pub(crate) fn take_suppressed(&mut self, now: Instant) -> Option<SuppressedLines> {
        if self.tells_at()? > now {
            return None;
        }
        // What goes on and on gets one line a minute, until it has been quiet for a minute.
        let next = Window {
            since: now,
            lines: MOST_LINES,
            suppressed: 0,
        };
        let window = self.window.replace(next)?;
        Some(SuppressedLines {
            lines: window.suppressed,
            within: now.saturating_duration_since(window.since),
        })
    }
}

impl Window {
    fn ends_at(&self) -> Instant {
        self.since + WINDOW
    }
}

/// For how long lines are counted.
const WINDOW: Duration = Duration::from_secs(60);

/// How many lines a stream may write in that time: three outages with their ends.
const MOST_LINES: u32 = 6;

#[cfg(test)]
mod tests {
    use super::*;

    /// Plays one change every so often for so long. Returns the lines written, summaries included,
    /// and how many changes they account for.
    fn play(every: Duration, lasts: Duration) -> (u32, u32) {
        let start = Instant::now();
        let mut journal = Journal::default();
        let (mut lines, mut told, mut at) = (0, 0, Duration::ZERO);
        while at < lasts {
            if let Some(suppressed) = journal.take_suppressed(start + at) {
                lines += 1;
                told += suppressed.lines;
            }
            if journal.admits(start + at) {
                lines += 1;
                told += 1;
            }
            at += every;
        }
        (lines, told)
    }

    #[test]
    fn rare_changes_are_all_written() {
        let hour = Duration::from_secs(3600);
        assert_eq!(play(Duration::from_secs(30), hour), (120, 120));
    }

    #[test]
    fn frequent_changes_are_counted_once_a_minute() {
        let (lines, told) = play(Duration::from_millis(4), Duration::from_secs(601));
        assert_eq!(lines, 6 + 10);
        assert!(told > 150_000 - 300, "{told}");
    }

    #[test]
    fn quiet_minute_makes_single_lines_possible_again() {
        let start = Instant::now();
        let mut journal = Journal::default();
        for _ in 0..10 {
            journal.admits(start);
        }
        assert_eq!(journal.tells_at(), Some(start + WINDOW));
        let suppressed = SuppressedLines {
            lines: 4,
            within: WINDOW,
        };
        assert_eq!(journal.take_suppressed(start + WINDOW), Some(suppressed));
        assert_eq!(journal.tells_at(), None);
        assert!(!journal.admits(start + WINDOW + Duration::from_secs(1)));
        let told = journal.take_suppressed(start + 2 * WINDOW);
        assert_eq!(told.map(|suppressed| suppressed.lines), Some(1));
        assert!(journal.admits(start + 3 * WINDOW));
    }

    #[test]
    fn outage_is_one_line_with_its_length_and_its_attempts() {
        let start = Instant::now();
        let mut journal = Journal::default();
        journal.attempt();
        assert!(journal.begin_outage(start, FailureKind::Closed));
        for _ in 0..2 {
            journal.attempt();
            assert!(!journal.begin_outage(start, FailureKind::Closed) && journal.is_out());
        }
        assert_eq!(journal.end_outage(start + WINDOW), Some((WINDOW, 3)));
        assert_eq!(journal.end_outage(start), None);
        assert!(journal.begin_outage(start, FailureKind::Closed));
    }

    #[test]
    fn what_only_the_operator_can_mend_is_told_once_even_in_an_outage() {
        let start = Instant::now();
        let mut journal = Journal::default();
        let reasons = [
            (FailureKind::Unreachable, true),
            (FailureKind::Closed, false),
            (FailureKind::Login, true),
            (FailureKind::Unreachable, false),
            (FailureKind::Login, false),
            (FailureKind::Unusable, true),
            (FailureKind::Unusable, false),
        ];
        for (reason, is_told) in reasons {
            assert_eq!(journal.begin_outage(start, reason), is_told, "{reason:?}");
        }
    }
}
