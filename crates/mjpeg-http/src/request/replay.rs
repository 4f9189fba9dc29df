//! Requests for the past of a stream.

use std::time::Duration;

use http::HeaderMap;
use mjpeg_mux::ClipFormat;
use tokio::time::Instant;

use crate::{
    config::stream::StreamConfig,
    replay::moment::{BadMoment, Moment, MomentClock},
    request::{query::Query, snapshot::SnapshotRequest, stream::StreamRequest},
};

/// A request for the past of a stream.
#[derive(Clone, Debug)]
pub(crate) enum PastRequest {
    Stream(StreamRequest, ReplayRequest),
    Snapshot(SnapshotRequest, Moment),
    Clip(ClipRequest),
    Bad(BadReplay),
}

impl PastRequest {
    /// What a request for a stream asks of the past; `None` if it is to be live.
    pub(crate) fn stream(query: &Query<'_>, wanted: &StreamRequest) -> Option<Self> {
        match ReplayRequest::read(query) {
            Ok(replay) => Some(Self::Stream(wanted.clone().of_the_past(), replay?)),
            Err(bad) => Some(Self::Bad(bad)),
        }
    }

    /// What a request for a snapshot asks of the past; `None` if it is to be live.
    pub(crate) fn snapshot(
        query: &Query<'_>,
        headers: &HeaderMap,
        config: &StreamConfig,
    ) -> Option<Self> {
        match moment(query, "at") {
            Ok(at) => {
                let wanted = SnapshotRequest::read(query, headers, config);
                Some(Self::Snapshot(wanted, at?))
            }
            Err(bad) => Some(Self::Bad(bad)),
        }
    }

    pub(crate) fn clip(format: ClipFormat, query: &Query<'_>) -> Self {
        ClipRequest::read(format, query).map_or_else(Self::Bad, Self::Clip)
    }
}

/// A part of the past that is to be shown, or downloaded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct ReplayRequest {
    pub(crate) from: Moment,
    /// `None` for no end.
    pub(crate) to: Option<Moment>,
    /// How much faster than it was captured.
    pub(crate) speed: f64,
}

/// A part of the past that is to be downloaded as a file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct ClipRequest {
    pub(crate) format: ClipFormat,
    pub(crate) from: Moment,
    pub(crate) to: Moment,
}

/// What is wrong with a request for the past.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadReplay {
    /// The parameter of this name is not a time.
    Moment(&'static str),
    /// The parameter of this name is a time that has not come yet.
    Ahead(&'static str),
    Speed,
    NoFrom,
    /// `to` is before `from`.
    Backwards,
}

impl BadReplay {
    /// Says what to write instead.
    pub(crate) fn reason(self) -> String {
        match self {
            Self::Moment(name) => format!(
                "The parameter {name} is not a time. Write now, a time ago such as -30s or -5m, \
                 seconds since 1970, or a time such as 2026-11-30T12:00:00Z.\n"
            ),
            Self::Ahead("to") => "The time in to is more than 30 s ahead.\n".into(),
            Self::Ahead(name) => format!("The time in {name} has not come yet.\n"),
            Self::Speed => {
                format!("The speed is a number from {SLOWEST} to {FASTEST}; 2 is twice as fast.\n")
            }
            Self::NoFrom => "Say where the clip begins, such as ?from=-30s.\n".into(),
            Self::Backwards => "The end, to, is before the beginning, from.\n".into(),
        }
    }
}

impl ReplayRequest {
    /// Reads the parameters of a stream; `None` if it is to be live.
    pub(crate) fn read(query: &Query<'_>) -> Result<Option<Self>, BadReplay> {
        let Some(from) = moment(query, "from")? else {
            return Ok(None);
        };
        let speed = match query.text("speed") {
            None => 1.0,
            Some(_) => query
                .positive("speed")
                .filter(|speed| (SLOWEST..=FASTEST).contains(speed))
                .ok_or(BadReplay::Speed)?,
        };
        let to = moment(query, "to")?;
        Ok(Some(Self { from, to, speed }))
    }

    /// When what is shown begins and ends.
    pub(crate) fn span(&self, clock: MomentClock) -> Result<(Instant, Option<Instant>), BadReplay> {
        let from = past(self.from, "from", clock)?;
        let to = self.to.map(|to| clock.instant(to));
        match to {
            Some(to) if to < from => Err(BadReplay::Backwards),
            to => Ok((from, to)),
        }
    }
}

impl ClipRequest {
    pub(crate) fn read(format: ClipFormat, query: &Query<'_>) -> Result<Self, BadReplay> {
        let from = moment(query, "from")?.ok_or(BadReplay::NoFrom)?;
        let to = moment(query, "to")?.unwrap_or(Moment::NOW);
        Ok(Self { format, from, to })
    }

    /// When the clip begins and ends. The end may be a little ahead.
    pub(crate) fn span(&self, clock: MomentClock) -> Result<(Instant, Instant), BadReplay> {
        let from = past(self.from, "from", clock)?;
        let to = clock.instant(self.to);
        if to < from {
            return Err(BadReplay::Backwards);
        }
        if to > clock.now() + FURTHEST_AHEAD {
            return Err(BadReplay::Ahead("to"));
        }
        Ok((from, to))
    }
}

/// A moment that must not be ahead.
pub(crate) fn past(
    moment: Moment,
    name: &'static str,
    clock: MomentClock,
) -> Result<Instant, BadReplay> {
    let at = clock.instant(moment);
    // The clock of whoever asks may be a little fast.
    if at > clock.now() + CLOCK_SLACK {
        return Err(BadReplay::Ahead(name));
    }
    Ok(at)
}

fn moment(query: &Query<'_>, name: &'static str) -> Result<Option<Moment>, BadReplay> {
    let text = query.text(name);
    let moment = text.map(|text| text.parse().map_err(|BadMoment| BadReplay::Moment(name)));
    moment.transpose()
}

const SLOWEST: f64 = 0.1;
const FASTEST: f64 = 100.0;

/// How far ahead the end of a clip may be: proxies and browsers give up after about a minute.
const FURTHEST_AHEAD: Duration = Duration::from_secs(30);

const CLOCK_SLACK: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stream_without_from_is_live_and_speed_is_bounded() {
        let read = |query| ReplayRequest::read(&Query::parse(Some(query)));
        assert_eq!(read("speed=7&to=now"), Ok(None));
        let speeds = [
            ("from=now", Ok(1.0)),
            ("from=now&speed=0.1", Ok(0.1)),
            ("from=now&speed=100", Ok(100.0)),
            ("from=now&speed=0.09", Err(BadReplay::Speed)),
            ("from=now&speed=100.1", Err(BadReplay::Speed)),
            ("from=now&speed=", Err(BadReplay::Speed)),
            ("from=now&speed=NaN", Err(BadReplay::Speed)),
            ("from=soon", Err(BadReplay::Moment("from"))),
            ("from=now&to=-", Err(BadReplay::Moment("to"))),
        ];
        for (query, expected) in speeds {
            let speed = read(query).map(|request| request.map_or(0.0, |request| request.speed));
            assert_eq!(speed, expected, "{query}");
        }
    }

    #[test]
    fn clip_ends_now_unless_it_says_when_and_not_too_far_ahead() {
        let clock = MomentClock::now_by_system();
        let span = |query| {
            let clip = ClipRequest::read(ClipFormat::Mov, &Query::parse(Some(query)))?;
            clip.span(clock)
        };
        let s = Duration::from_secs;
        let now = clock.now();
        assert_eq!(span("from=-30s"), Ok((now - s(30), now)));
        assert_eq!(span("from=-30s&to=%2B30s"), Ok((now - s(30), now + s(30))));
        assert_eq!(span("from=-30s&to=+5s"), Ok((now - s(30), now + s(5))));
        assert_eq!(span("from=-30s&to=+31s"), Err(BadReplay::Ahead("to")));
        assert_eq!(span("from=+6s&to=+7s"), Err(BadReplay::Ahead("from")));
        assert_eq!(span("from=-3s&to=-4s"), Err(BadReplay::Backwards));
        assert_eq!(span("to=now"), Err(BadReplay::NoFrom));
    }
}
