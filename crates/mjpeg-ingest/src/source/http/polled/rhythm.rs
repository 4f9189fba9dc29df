//! When a camera is polled next, and when it is lost.

use std::time::Duration;

use tokio::time::Instant;

use crate::within::STOOD_STILL;

/// Follows the polls of one connection.
///
/// A poll that brings no picture is skipped: the next comes in the same rhythm. The camera is lost
/// when several polls in a row have brought none and none has come for some time, or when none has
/// come for a long time.
#[derive(Debug)]
pub(in crate::source::http) struct Rhythm {
    interval: Duration,
    /// How long no picture may come when several polls in a row have brought none.
    limit: Duration,
    /// How long no picture may come at all.
    utmost: Duration,
    /// When the last poll began.
    asked: Instant,
    /// When the last poll that brought a picture began, and when that came.
    last_picture: Option<(Instant, Instant)>,
    /// How many polls in a row have brought no picture.
    misses: u32,
    /// An answer ended, or was left, behind its picture: the others are no streams either.
    sends_snapshots: bool,
}

/// What follows a poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::source::http) enum AfterPoll {
    /// Poll again at this time.
    Poll(Instant),
    /// Give the camera up: what was wrong with the last poll is why.
    Lost,
}

impl Rhythm {
    /// Begins with a first poll. `stall_limit` is how long no picture may come when several polls
    /// in a row have brought none, and `answer_timeout` how long at all; both are at least three
    /// intervals.
    pub(in crate::source::http) fn new(
        asked: Instant,
        interval: Duration,
        stall_limit: Duration,
        answer_timeout: Duration,
    ) -> Self {
        let limit = stall_limit.max(interval.saturating_mul(INTERVALS));
        Self {
            interval,
            limit,
            utmost: limit.max(answer_timeout),
            asked,
            last_picture: None,
            misses: 0,
            sends_snapshots: false,
        }
    }

    /// Records that a poll begins, which was due at this time. If it is late, this process stood
    /// still meanwhile, and no picture could come.
    pub(in crate::source::http) fn asked(&mut self, due: Instant, now: Instant) {
        let late = now.saturating_duration_since(due);
        if late >= STOOD_STILL {
            self.last_picture = self
                .last_picture
                .map(|(asked, came)| (asked + late, came + late));
        }
        self.asked = now;
    }

    /// Records that a picture has come.
    pub(in crate::source::http) fn picture(&mut self, now: Instant) {
        self.last_picture = Some((self.asked, now));
        self.misses = 0;
    }

    /// Whether a picture has come.
    pub(in crate::source::http) fn has_picture(&self) -> bool {
        self.last_picture.is_some()
    }

    /// Decides what follows a poll that brought a picture.
    ///
    /// A camera that takes longer than the interval is asked again at once.
    pub(in crate::source::http) fn after_picture(&mut self, now: Instant) -> AfterPoll {
        self.sends_snapshots = true;
        AfterPoll::Poll((self.asked + self.interval).max(now))
    }

    /// Decides what follows a poll that brought none. `is_final` if no other poll can bring one
    /// either, such as after a refused password.
    pub(in crate::source::http) fn after_miss(
        &mut self,
        now: Instant,
        is_final: bool,
    ) -> AfterPoll {
        self.misses = self.misses.saturating_add(1);
        let Some((asked, came)) = self.last_picture.filter(|_| !is_final) else {
            return AfterPoll::Lost;
        };
        let is_over = |since: Instant, limit| now.saturating_duration_since(since) >= limit;
        let missed_several = self.misses >= MISSES && is_over(asked, self.limit);
        if missed_several || is_over(came, self.utmost) {
            return AfterPoll::Lost;
        }
        let interval = match self.misses {
            0..MISSES => self.interval,
            // It is in trouble, and a fast rhythm would be a burden.
            _ => self.interval.max(SLOWER),
        };
        AfterPoll::Poll((self.asked + interval).max(now))
    }

    /// When an answer whose picture is whole is no longer waited for: when the next poll is due,
    /// but not before its rest, such as the last chunk, had a moment to come. If the answer may
    /// turn out to be a stream, its next picture has a whole interval, unless an answer before was
    /// none.
    pub(in crate::source::http) fn leaves_at(&self, may_be_stream: bool) -> Instant {
        let due = self.asked + self.interval;
        let moment = if may_be_stream && !self.sends_snapshots {
            self.interval
        } else {
            self.interval.min(MOMENT)
        };
        self.last_picture
            .map_or(due, |(_, came)| due.max(came + moment))
    }

    /// Whether a connection is kept until the next poll. After a longer time, a router in between
    /// may have forgotten it, and the request would never be answered.
    pub(in crate::source::http) fn keeps_connection(&self) -> bool {
        self.interval <= LONGEST_IDLE
    }

    /// How long an answer may bring no byte.
    pub(in crate::source::http) fn silence(&self) -> Duration {
        self.limit
    }

    /// How long an answer may take to bring a whole picture once it has begun.
    pub(in crate::source::http) fn patience(&self) -> Duration {
        self.limit.saturating_mul(PATIENCE)
    }
}

/// How many polls in a row without a picture lose a camera.
const MISSES: u32 = 3;

/// How many intervals without a picture lose it, at least.
const INTERVALS: u32 = 3;

/// How long the rest of an answer has to come.
const MOMENT: Duration = Duration::from_millis(100);

/// How long a connection is kept without use. Web servers close it after 5 to 60 s.
const LONGEST_IDLE: Duration = Duration::from_secs(10);

/// The shortest interval after several polls without a picture.
const SLOWER: Duration = Duration::from_millis(250);

/// How many limits a slow link may need for one picture, as for a stream.
const PATIENCE: u32 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    /// Plays polls, each with the second at which it ended, and whether it brought a picture, and
    /// returns the seconds of the polls that follow; `None` if the camera is lost.
    fn play(interval: f64, limit: f64, polls: &[(f64, bool)]) -> Vec<Option<f64>> {
        let start = Instant::now();
        let at = |seconds: f64| start + Duration::from_secs_f64(seconds);
        let secs = Duration::from_secs_f64;
        let mut rhythm = Rhythm::new(start, secs(interval), secs(limit), secs(30.0));
        let next = polls.iter().map(|&(ended, has_picture)| {
            let next = if has_picture {
                rhythm.picture(at(ended));
                rhythm.after_picture(at(ended))
            } else {
                rhythm.after_miss(at(ended), false)
            };
            match next {
                AfterPoll::Poll(when) => {
                    rhythm.asked(when, when);
                    let millis = (when - start).as_millis();
                    Some(millis as f64 / 1000.0)
                }
                AfterPoll::Lost => None,
            }
        });
        next.collect()
    }

    #[test]
    fn rhythm_is_kept_through_misses_and_the_camera_lost_after_several_and_a_time() {
        for (interval, limit, polls, next) in [
            // Pictures in time.
            (
                0.5,
                10.0,
                &[(0.1, true), (0.6, true)][..],
                &[Some(0.5), Some(1.0)][..],
            ),
            // A camera that is slower than the interval is asked again at once.
            (
                0.5,
                10.0,
                &[(2.0, true), (4.0, true)],
                &[Some(2.0), Some(4.0)],
            ),
            // A miss now and then does not change the rhythm.
            (
                0.5,
                10.0,
                &[
                    (0.1, true),
                    (0.6, false),
                    (1.1, true),
                    (1.6, false),
                    (2.1, false),
                    (2.6, true),
                ],
                &[
                    Some(0.5),
                    Some(1.0),
                    Some(1.5),
                    Some(2.0),
                    Some(2.5),
                    Some(3.0),
                ],
            ),
            // Without a picture ever, the first miss is the end.
            (0.5, 10.0, &[(0.1, false)], &[None]),
            // Several misses, and ten seconds.
            (
                5.0,
                10.0,
                &[(0.0, true), (5.0, false), (10.0, false), (15.0, false)],
                &[Some(5.0), Some(10.0), Some(15.0), None],
            ),
            // Two misses are not several, but half a minute is long.
            (
                1.0,
                10.0,
                &[(0.0, true), (15.0, false), (29.0, false), (30.0, false)],
                &[Some(1.0), Some(15.0), Some(29.0), None],
            ),
            (
                1.0,
                10.0,
                &[(0.0, true), (15.0, false), (30.0, false)],
                &[Some(1.0), Some(15.0), None],
            ),
            // A camera that needs 20 s for an answer is not lost by one that holds nothing.
            (
                1.0,
                10.0,
                &[(20.0, true), (40.0, false), (60.0, true)],
                &[Some(20.0), Some(40.0), Some(60.0)],
            ),
            // A slow rhythm has three intervals.
            (
                60.0,
                10.0,
                &[(0.0, true), (60.0, false), (120.0, false), (180.0, false)],
                &[Some(60.0), Some(120.0), Some(180.0), None],
            ),
            // A fast one slows down when the camera is in trouble.
            (
                0.02,
                10.0,
                &[
                    (0.0, true),
                    (0.02, false),
                    (0.04, false),
                    (0.06, false),
                    (0.31, false),
                ],
                &[Some(0.02), Some(0.04), Some(0.06), Some(0.31), Some(0.56)],
            ),
        ] {
            assert_eq!(play(interval, limit, polls), next, "{interval} {polls:?}");
        }
    }

    #[test]
    fn time_in_which_the_process_stood_still_loses_no_camera() {
        let start = Instant::now();
        let secs = Duration::from_secs;
        let mut rhythm = Rhythm::new(start, secs(1), secs(10), secs(30));
        rhythm.picture(start);
        let minute = start + secs(60);
        rhythm.asked(start + secs(1), minute);
        let next = rhythm.after_miss(minute + secs(1), false);
        assert_eq!(next, AfterPoll::Poll(minute + secs(1)));
        assert_eq!(rhythm.after_miss(minute + secs(30), false), AfterPoll::Lost);
    }

    #[test]
    fn what_no_other_poll_can_cure_is_the_end() {
        let now = Instant::now();
        let mut rhythm = Rhythm::new(
            now,
            Duration::from_secs(1),
            Duration::from_secs(10),
            Duration::ZERO,
        );
        rhythm.picture(now);
        assert_eq!(rhythm.after_miss(now, true), AfterPoll::Lost);
    }

    #[test]
    fn rest_of_an_answer_is_waited_for_until_the_next_poll_and_a_moment_at_least() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        for (interval, may_be_stream, came, leaves) in [
            (500, false, 100, 500),
            (500, false, 450, 550),
            (500, false, 9000, 9100),
            (20, false, 50, 70),
            (500, true, 100, 600),
            (500, true, 9000, 9500),
        ] {
            let interval = Duration::from_millis(interval);
            let mut rhythm = Rhythm::new(start, interval, Duration::from_secs(10), Duration::ZERO);
            rhythm.picture(at(came));
            assert_eq!(rhythm.leaves_at(may_be_stream), at(leaves));
            rhythm.after_picture(at(leaves));
            let moment = interval.min(MOMENT);
            let due = (start + interval).max(at(came) + moment);
            assert_eq!(rhythm.leaves_at(may_be_stream), due);
        }
    }

    #[test]
    fn limits_of_an_answer_grow_with_the_interval() {
        let secs = Duration::from_secs;
        let rhythm = Rhythm::new(Instant::now(), secs(60), secs(10), secs(30));
        assert_eq!(
            (rhythm.silence(), rhythm.patience()),
            (secs(180), secs(540))
        );
        assert!(!rhythm.keeps_connection());
        let rhythm = Rhythm::new(Instant::now(), secs(1), secs(10), secs(30));
        assert!(rhythm.keeps_connection());
        assert_eq!((rhythm.silence(), rhythm.patience()), (secs(10), secs(30)));
    }
}
