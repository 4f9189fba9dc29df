//! How requests for the past are answered.

use std::sync::Arc;

use http::{
    HeaderValue, Response, StatusCode,
    header::{self, HeaderName},
    request::Parts,
};
use mjpeg_fanout::{ReplayRing, RingFrame};
use mjpeg_mux::ClipFormat;
use tokio::time::{Instant, sleep_until};

use crate::{
    config::stream::StreamConfig,
    gate::{Grant, Inquiry},
    replay::{
        clip::{NoClip, PlannedClip},
        moment::{Moment, MomentClock},
        places::ReplayPlace,
        player::{PlayedSpan, Player},
    },
    request::{
        replay::{BadReplay, ClipRequest, PastRequest, ReplayRequest, past},
        snapshot::SnapshotRequest,
        stream::StreamRequest,
    },
    response::{body::ResponseBody, head::NEVER_STORED, short},
    service::shared::{Answer, Caller, ServiceShared},
    stats::StreamCounters,
    viewers::answer_permit::AnswerPermit,
};

/// A requested clip.
pub(crate) struct ClipAnswer {
    ring: ReplayRing,
    format: ClipFormat,
    span: (Instant, Instant),
    /// The stream's name.
    name: Option<Arc<str>>,
    place: ReplayPlace,
    permit: AnswerPermit,
    counters: Arc<StreamCounters>,
    /// Whether the URL of the request is a secret.
    pub(crate) hides_url: bool,
}

/// The answer to a request that cannot be satisfied.
type Refusal = Box<Response<ResponseBody>>;

impl ServiceShared {
    /// Picks the answer to a request for the past that the gate admits.
    pub(super) fn past(
        &self,
        wanted: &PastRequest,
        request: &Parts,
        caller: &Caller,
        granted: (Grant, Option<Arc<Inquiry>>),
    ) -> Result<Answer, Refusal> {
        let clock = MomentClock::now_by_system();
        let ring = self.ring();
        match wanted {
            PastRequest::Bad(bad) => Err(refused(*bad)),
            PastRequest::Snapshot(wanted, at) => {
                self.past_snapshot(&ring?, wanted, *at, caller, clock)
            }
            PastRequest::Stream(wanted, replay) => {
                self.replay(ring?, (wanted, replay), (request, caller), granted, clock)
            }
            PastRequest::Clip(wanted) => self.clip(ring?, wanted, caller, clock),
        }
    }

    /// The ring, if the stream keeps any frames.
    fn ring(&self) -> Result<ReplayRing, Refusal> {
        let ring = self.consumer.replay();
        let kept = ring.filter(|ring| !ring.config().tiers().is_empty());
        kept.ok_or_else(|| {
            let text = "This stream keeps no past frames.\n";
            Box::new(short::error(StatusCode::NOT_FOUND, text))
        })
    }

    fn past_snapshot(
        &self,
        ring: &ReplayRing,
        wanted: &SnapshotRequest,
        at: Moment,
        caller: &Caller,
        clock: MomentClock,
    ) -> Result<Answer, Refusal> {
        let at = past(at, "at", clock).map_err(refused)?;
        // Who asks with a time that an answer named, in full milliseconds or not, means its frame.
        let frame = ring.at(at + PRECISION);
        let frame = frame.ok_or_else(|| not_kept(ring, clock))?;
        let config = self.config();
        let permit = AnswerPermit::take(&self.entrance(&config), caller.peer)
            .map_err(|full| Box::new(short::full(full)))?;
        let mut snapshot = self.snapshot(wanted, permit, clock.now());
        snapshot.past = Some(Arc::new(frame.published()));
        Ok(Answer::Later(snapshot))
    }

    fn replay(
        &self,
        ring: ReplayRing,
        (wanted, replay): (&StreamRequest, &ReplayRequest),
        (request, caller): (&Parts, &Caller),
        granted: (Grant, Option<Arc<Inquiry>>),
        clock: MomentClock,
    ) -> Result<Answer, Refusal> {
        let (from, to) = replay.span(clock).map_err(refused)?;
        let place = self.place(&self.config())?;
        let (head, feed) = self
            .stream(wanted, request, caller, granted, clock.now())
            .map_err(|full| Box::new(short::full(full)))?;
        let speed = replay.speed;
        let (player, frames) = Player::start(ring, PlayedSpan { from, to, speed }, place);
        let feed = feed.with_replay(player, frames);
        Ok(Answer::Stream(head, Box::new(feed)))
    }

    fn clip(
        &self,
        ring: ReplayRing,
        wanted: &ClipRequest,
        caller: &Caller,
        clock: MomentClock,
    ) -> Result<Answer, Refusal> {
        let span = wanted.span(clock).map_err(refused)?;
        let config = self.config();
        let place = self.place(&config)?;
        let permit = AnswerPermit::take(&self.entrance(&config), caller.peer)
            .map_err(|full| Box::new(short::full(full)))?;
        Ok(Answer::Clip(Box::new(ClipAnswer {
            ring,
            format: wanted.format,
            span,
            name: self.name.clone(),
            place,
            permit,
            counters: Arc::clone(&self.counters),
            hides_url: false,
        })))
    }

    fn place(&self, config: &StreamConfig) -> Result<ReplayPlace, Refusal> {
        let place = self.replays.take(config, &self.counters);
        place.map_err(|full| Box::new(short::unavailable(full.reason())))
    }
}

impl ClipAnswer {
    /// Answers when the end of the clip has come.
    pub(crate) async fn answer(self) -> Response<ResponseBody> {
        sleep_until(self.span.1).await;
        let clock = MomentClock::now_by_system();
        let planned = PlannedClip::plan(self.ring.clone(), self.format, self.span, clock).await;
        let clip = match planned {
            Ok(clip) => clip,
            Err(NoClip::Nothing) => return *not_kept(&self.ring, clock),
            Err(NoClip::TooLarge(error)) => {
                let text = format!("Ask for a shorter clip: {error}.\n");
                return short::error(StatusCode::BAD_REQUEST, text);
            }
        };
        self.counters.clips.add_one();
        let (first, frames) = (clip.first.clone(), clip.frames());
        let body = clip.body(self.place, self.permit);
        let mut response = Response::new(ResponseBody::from(body));
        let headers = response.headers_mut();
        let disposition = disposition(self.name.as_deref(), self.format, &first, clock);
        let values = [
            (header::CONTENT_TYPE, self.format.media_type().to_owned()),
            (header::CONTENT_DISPOSITION, disposition),
            (HeaderName::from_static("x-frames"), frames.to_string()),
        ];
        for (name, value) in values {
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(name, value);
            }
        }
        for (name, value) in NEVER_STORED {
            headers.insert(name, value);
        }
        response
    }
}

/// Names the file after the stream and the time of its first frame.
fn disposition(
    stream: Option<&str>,
    format: ClipFormat,
    first: &RingFrame,
    clock: MomentClock,
) -> String {
    let is_plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let stream = stream.unwrap_or("clip").chars().filter(is_plain);
    let stream: String = stream.collect();
    // Some systems allow no colon in a file's name.
    let time: String = clock.text(first.at()).replace(':', "-");
    format!("attachment; filename=\"{stream}_{time}.{format}\"")
}

fn refused(bad: BadReplay) -> Refusal {
    Box::new(short::error(StatusCode::BAD_REQUEST, bad.reason()))
}

/// Answers that the ring has no frame of that time, and says of which times it has some.
fn not_kept(ring: &ReplayRing, clock: MomentClock) -> Refusal {
    let text = match ring.span() {
        Some((oldest, newest)) => format!(
            "No picture of that time is kept. The oldest is of {}, the newest of {}.\n",
            clock.text(oldest),
            clock.text(newest)
        ),
        None => "No picture is kept yet.\n".to_owned(),
    };
    Box::new(short::error(StatusCode::NOT_FOUND, text))
}

/// Of the times in headers, and of those that people copy.
const PRECISION: std::time::Duration = std::time::Duration::from_millis(1);
