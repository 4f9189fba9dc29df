//! How requests for the past are answered.

use std::sync::Arc;

use http::{Response, StatusCode, request::Parts};
use mjpeg_fanout::ReplayRing;

use crate::{
    config::stream::StreamConfig,
    gate::{Grant, Inquiry},
    replay::{
        moment::{Moment, MomentClock},
        places::ReplayPlace,
        player::{PlayedSpan, Player},
    },
    request::{
        replay::{BadReplay, ClipRequest, PastRequest, ReplayRequest, past},
        snapshot::SnapshotRequest,
        stream::StreamRequest,
    },
    response::{
        body::ResponseBody,
        clip::{ClipAnswer, not_kept},
        short,
    },
    service::shared::{Answer, Caller, ServiceShared},
    viewers::answer_permit::AnswerPermit,
};

/// The answer to a request that cannot be satisfied.
type PastRefusal = Box<Response<ResponseBody>>;

impl ServiceShared {
    /// Picks the answer to a request for the past that the gate admits.
    pub(super) fn past(
        &self,
        wanted: &PastRequest,
        request: &Parts,
        caller: &Caller,
        granted: (Grant, Option<Arc<Inquiry>>),
    ) -> Result<Answer, PastRefusal> {
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
    fn ring(&self) -> Result<ReplayRing, PastRefusal> {
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
    ) -> Result<Answer, PastRefusal> {
        let at = past(at, "at", clock).map_err(refused)?;
        // Who asks with a time that an answer named, in full milliseconds or not, means its frame.
        let frame = ring.at(at + PRECISION);
        let frame = frame.ok_or_else(|| Box::new(not_kept(ring, clock)))?;
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
    ) -> Result<Answer, PastRefusal> {
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
    ) -> Result<Answer, PastRefusal> {
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

    fn place(&self, config: &StreamConfig) -> Result<ReplayPlace, PastRefusal> {
        let place = self.replays.take(config, &self.counters);
        place.map_err(|full| Box::new(short::unavailable(full.reason())))
    }
}

fn refused(bad: BadReplay) -> PastRefusal {
    Box::new(short::error(StatusCode::BAD_REQUEST, bad.reason()))
}

/// Of the times in headers, and of those that people copy.
const PRECISION: std::time::Duration = std::time::Duration::from_millis(1);
