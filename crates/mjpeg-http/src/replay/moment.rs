//! Moments as people write them.

use std::{
    str::FromStr,
    time::{Duration, SystemTime},
};

use jiff::Timestamp;
use tokio::time::Instant;

/// A moment as a request names it: relative to now, or by the wall clock. See
/// [the past](crate#the-past) for how it is written.
///
/// ```
/// use mjpeg_http::{Moment, MomentClock};
///
/// let clock = MomentClock::now_by_system();
/// let moment: Moment = "-30s".parse()?;
/// assert_eq!(clock.now() - clock.instant(moment), std::time::Duration::from_secs(30));
/// # Ok::<(), mjpeg_http::BadMoment>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Moment {
    /// So long before now.
    Ago(Duration),
    /// So long after now.
    Ahead(Duration),
    /// At this time.
    At(SystemTime),
}

/// The text is no [`Moment`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is no time: write now, -30s, +5s, seconds since 1970, or 2026-11-30T12:00:00Z")]
#[non_exhaustive]
pub struct BadMoment;

/// Now, by both clocks: finds out when a [`Moment`] is.
#[derive(Clone, Copy, Debug)]
pub struct MomentClock {
    now: Instant,
    wall: SystemTime,
}

impl Moment {
    /// Now.
    pub const NOW: Self = Self::Ago(Duration::ZERO);
}

impl FromStr for Moment {
    type Err = BadMoment;

    /// Reads `now`; `-30s` and `+5s`, with `ms`, `s`, `m`, `h` or `d`, or nothing for seconds;
    /// seconds since 1970, with decimals; or a time as RFC 3339 writes it. In a query, a `+` that
    /// is not encoded is a space.
    fn from_str(text: &str) -> Result<Self, BadMoment> {
        if text.len() > LONGEST_TEXT {
            return Err(BadMoment);
        }
        if text.eq_ignore_ascii_case("now") {
            return Ok(Self::NOW);
        }
        if let Some(ago) = text.strip_prefix('-') {
            return duration(ago).map(Self::Ago);
        }
        if let Some(ahead) = text.strip_prefix(['+', ' ']) {
            return duration(ahead).map(Self::Ahead);
        }
        let time = match seconds(text) {
            Some(since_1970) => SystemTime::UNIX_EPOCH.checked_add(since_1970),
            None => {
                // The time zone's `+`, too.
                let time: Timestamp = text.replace(' ', "+").parse().map_err(|_| BadMoment)?;
                Some(time.into())
            }
        };
        time.map(Self::At).ok_or(BadMoment)
    }
}

fn duration(text: &str) -> Result<Duration, BadMoment> {
    let unit_at = text.find(|c: char| c.is_ascii_alphabetic());
    let (number, unit) = text.split_at(unit_at.unwrap_or(text.len()));
    let unit_ms = match unit {
        "ms" => 1,
        "" | "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(BadMoment),
    };
    let number = seconds(number).ok_or(BadMoment)?;
    let unit = f64::from(unit_ms) / 1000.0;
    let time = Duration::try_from_secs_f64(number.as_secs_f64() * unit);
    time.ok().filter(|time| *time <= FURTHEST).ok_or(BadMoment)
}

/// A number of seconds in decimal digits, which may have a point.
fn seconds(text: &str) -> Option<Duration> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_number = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !is_number(whole) || !is_number(fraction) {
        return None;
    }
    let fraction = fraction.get(..9).unwrap_or(fraction);
    let nanos = format!("{fraction:0<9}").parse().ok()?;
    let time = Duration::new(whole.parse().ok()?, nanos);
    (time <= FURTHEST).then_some(time)
}

impl MomentClock {
    #[cfg(feature = "__fuzzing")]
    pub(crate) fn new(now: Instant, wall: SystemTime) -> Self {
        Self { now, wall }
    }

    /// Reads both clocks.
    pub fn now_by_system() -> Self {
        Self {
            now: Instant::now(),
            wall: SystemTime::now(),
        }
    }

    /// Returns now, by the monotonic clock.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// Returns when a moment is, by the monotonic clock, which captured frames are found by. The
    /// wall clock counts as it is set now. What is before the monotonic clock began counts as a day
    /// ago.
    pub fn instant(&self, moment: Moment) -> Instant {
        let ago = |time| {
            let at = self.now.checked_sub(time);
            at.or_else(|| self.now.checked_sub(A_DAY))
                .unwrap_or(self.now)
        };
        let ahead = |time| self.now.checked_add(time).unwrap_or(self.now);
        match moment {
            Moment::Ago(time) => ago(time),
            Moment::Ahead(time) => ahead(time),
            Moment::At(time) => match self.wall.duration_since(time) {
                Ok(time) => ago(time),
                Err(earlier) => ahead(earlier.duration()),
            },
        }
    }

    /// The wall-clock time of an instant, in UTC, to the millisecond.
    pub(crate) fn text(&self, at: Instant) -> String {
        match Timestamp::try_from(self.wall(at)) {
            Ok(time) => format!("{time:.3}"),
            Err(_) => "an unknown time".into(),
        }
    }

    /// Returns the wall-clock time of an instant.
    pub fn wall(&self, at: Instant) -> SystemTime {
        let ago = self.now.saturating_duration_since(at);
        let ahead = at.saturating_duration_since(self.now);
        let time = self.wall.checked_sub(ago);
        time.and_then(|time| time.checked_add(ahead))
            .unwrap_or(self.wall)
    }
}

/// The longest that RFC 3339 needs, with nanoseconds and a time zone, has 35.
const LONGEST_TEXT: usize = 64;

/// Until the year 9999.
const FURTHEST: Duration = Duration::from_secs(253_402_300_799);

const A_DAY: Duration = Duration::from_secs(86_400);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_of_every_form_are_read() {
        let (ago, ahead) = (Moment::Ago, Moment::Ahead);
        let at = |ms| Moment::At(SystemTime::UNIX_EPOCH + Duration::from_millis(ms));
        let ms = Duration::from_millis;
        let forms = [
            ("now", Moment::NOW),
            ("NOW", Moment::NOW),
            ("-30s", ago(ms(30_000))),
            ("-30", ago(ms(30_000))),
            ("-1.5m", ago(ms(90_000))),
            ("-250ms", ago(ms(250))),
            ("-2h", ago(ms(7_200_000))),
            ("-1d", ago(ms(86_400_000))),
            ("+5s", ahead(ms(5000))),
            (" 5s", ahead(ms(5000))),
            ("0", at(0)),
            ("1796040000", at(1_796_040_000_000)),
            ("1796040000.125", at(1_796_040_000_125)),
            ("2026-11-30T12:00:00Z", at(1_796_040_000_000)),
            ("2026-11-30T12:00:00.5Z", at(1_796_040_000_500)),
            ("2026-11-30T13:00:00+01:00", at(1_796_040_000_000)),
            ("2026-11-30T13:00:00 01:00", at(1_796_040_000_000)),
        ];
        for (text, moment) in forms {
            assert_eq!(text.parse(), Ok(moment), "{text}");
        }
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        let long = "0".repeat(65);
        let texts = [
            "",
            "-",
            "+",
            "--3",
            "-3x",
            "-s",
            "-3 s",
            "yesterday",
            "1e9",
            "-1e9",
            "-inf",
            "NaN",
            "1.2.3",
            "-99999999999999999999",
            "99999999999999999999",
            "2026-11-30",
            "12:00",
            "2026-11-30T12:00:00",
            "\0",
            &long,
        ];
        for text in texts {
            assert_eq!(text.parse::<Moment>(), Err(BadMoment), "{text:?}");
        }
    }

    #[test]
    fn moment_by_the_wall_clock_is_found_by_the_monotonic_one_and_back() {
        let clock = MomentClock::now_by_system();
        let time = clock.wall - Duration::from_millis(90_125);
        let at = clock.instant(Moment::At(time));
        assert_eq!(clock.now() - at, Duration::from_millis(90_125));
        assert_eq!(clock.wall(at), time);
        assert_eq!(clock.instant(Moment::NOW), clock.now());
        // Before everything, which some systems' clocks cannot tell.
        assert!(clock.instant(Moment::At(SystemTime::UNIX_EPOCH)) < clock.now());
    }
}
