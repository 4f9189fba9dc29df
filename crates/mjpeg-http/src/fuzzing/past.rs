//! The oracle of what a query asks of the past.

use std::time::{Duration, SystemTime};

use http::HeaderMap;
use jiff::Timestamp;
use mjpeg_mux::ClipFormat;
use tokio::time::Instant;

use crate::{
    config::stream::StreamConfig,
    replay::moment::{Moment, MomentClock},
    request::{
        query::Query,
        replay::{BadReplay, PastRequest, past},
        stream::StreamRequest,
    },
};

/// Checks that a query is read as what the docs say of `at`, `from`, `to` and `speed`, or refused
/// for one of a few fixed reasons, whatever the time is; and that a time that is accepted can be
/// shown, and read again. The first byte of the input says whether the next eight are the time, in
/// seconds since 1970; the rest is the query.
pub fn http_past(data: &[u8]) {
    let Some((clock, query)) = clock(data) else {
        return;
    };
    let Ok(query) = str::from_utf8(query) else {
        return;
    };
    let query = Query::parse(Some(query));
    let config = StreamConfig::default();
    let requests = [
        PastRequest::stream(&query, &StreamRequest::default()),
        PastRequest::snapshot(&query, &HeaderMap::new(), &config),
        Some(PastRequest::clip(ClipFormat::Mov, &query)),
    ];
    for request in requests.into_iter().flatten() {
        check(request, clock);
    }
}

/// Splits the input into what time it is and the query.
fn clock(data: &[u8]) -> Option<(MomentClock, &[u8])> {
    let (&how, rest) = data.split_first()?;
    let (seconds, query) = if how.is_multiple_of(2) {
        (1_796_040_000, rest)
    } else {
        let (seconds, query) = rest.split_first_chunk()?;
        (i64::from_le_bytes(*seconds), query)
    };
    let since_1970 = Duration::from_secs(seconds.unsigned_abs());
    let wall = if seconds < 0 {
        SystemTime::UNIX_EPOCH.checked_sub(since_1970)
    } else {
        SystemTime::UNIX_EPOCH.checked_add(since_1970)
    };
    Some((MomentClock::new(Instant::now(), wall?), query))
}

fn check(request: PastRequest, clock: MomentClock) {
    match request {
        PastRequest::Bad(bad) => refused(bad),
        PastRequest::Snapshot(_, at) => {
            moment(at, clock);
            match past(at, "at", clock) {
                Ok(at) => assert!(at <= clock.now() + SLACK),
                Err(bad) => refused(bad),
            }
        }
        PastRequest::Stream(request, replay) => {
            assert!(request.is_past);
            let speed = replay.speed;
            assert!((0.1..=100.0).contains(&speed), "{speed}");
            moment(replay.from, clock);
            replay.to.into_iter().for_each(|to| moment(to, clock));
            match replay.span(clock) {
                Ok((from, to)) => {
                    assert!(from <= clock.now() + SLACK && to.is_none_or(|to| to >= from));
                }
                Err(bad) => refused(bad),
            }
        }
        PastRequest::Clip(clip) => {
            moment(clip.from, clock);
            moment(clip.to, clock);
            match clip.span(clock) {
                Ok((from, to)) => {
                    assert!(from <= clock.now() + SLACK && to >= from);
                    assert!(to <= clock.now() + LONGEST_WAIT);
                }
                Err(bad) => refused(bad),
            }
        }
    }
}

/// The reason names a parameter and says what to write. It repeats nothing of the request.
fn refused(bad: BadReplay) {
    let reason = bad.reason();
    let known = |name| {
        REASONS
            .iter()
            .any(|text| text.replace("{}", name) == reason)
    };
    assert!(["at", "from", "to"].into_iter().any(known), "{reason:?}");
}

fn moment(moment: Moment, clock: MomentClock) {
    let at = clock.instant(moment);
    match moment {
        Moment::Ago(time) => assert!(time <= FURTHEST && at <= clock.now()),
        Moment::Ahead(time) => assert!(time <= FURTHEST && at >= clock.now()),
        Moment::At(time) => assert!(distance(SystemTime::UNIX_EPOCH, time) <= FARTHEST_BACK),
    }
    let wall = clock.wall(at);
    if let Moment::At(time) = moment
        && distance(clock.wall(clock.now()), time) <= 2 * FURTHEST
    {
        assert_eq!(wall, time, "the monotonic clock reaches as far");
    }
    shown(at, clock);
}

/// A time that is shown can be asked for, and means the same to the millisecond.
fn shown(at: Instant, clock: MomentClock) {
    let (text, wall) = (clock.text(at), clock.wall(at));
    let Ok(time) = Timestamp::try_from(wall) else {
        assert_eq!(text, "an unknown time");
        return;
    };
    // RFC 3339 has no years before 0.
    if time.as_second() < YEAR_0 {
        return;
    }
    let again = text.parse();
    let Ok(Moment::At(again)) = again else {
        panic!("{text} of {time} is read as {again:?}");
    };
    assert!(distance(again, wall) <= PRECISION, "{text} of {time}");
    // Unless the clock is set to a time from which that one cannot be reached.
    if distance(clock.wall(clock.now()), wall) <= 2 * FURTHEST {
        let again = clock.instant(Moment::At(again));
        let off = at.max(again) - at.min(again);
        assert!(off <= PRECISION, "{off:?}");
    }
}

fn distance(one: SystemTime, other: SystemTime) -> Duration {
    let distance = one.duration_since(other);
    distance.unwrap_or_else(|negative| negative.duration())
}

/// With the name of a parameter in place of the braces.
const REASONS: [&str; 6] = [
    "The parameter {} is not a time. Write now, a time ago such as -30s or -5m, seconds since 1970, \
     or a time such as 2026-11-30T12:00:00Z.\n",
    "The time in {} has not come yet.\n",
    "The time in {} is more than 30 s ahead.\n",
    "The speed is a number from 0.1 to 100; 2 is twice as fast.\n",
    "Say where the clip begins, such as ?from=-30s.\n",
    "The end, to, is before the beginning, from.\n",
];

/// How far ahead the beginning may be, and the end of a clip.
const SLACK: Duration = Duration::from_secs(5);
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// What times are shown, and found again, to.
const PRECISION: Duration = Duration::from_millis(1);

/// To the end of the year 9999; and back to the year -9999, which is the first that is read.
const FURTHEST: Duration = Duration::from_secs(253_402_300_799);
const FARTHEST_BACK: Duration = Duration::from_secs(377_705_116_800);

/// In seconds since 1970.
const YEAR_0: i64 = -62_167_219_200;
