//! A part of the past as a file, and the answer if there is none.

use std::sync::Arc;

use http::{
    HeaderValue, Response, StatusCode,
    header::{self, HeaderName},
};
use mjpeg_fanout::{ReplayRing, RingFrame};
use mjpeg_mux::ClipFormat;
use tokio::time::{Instant, sleep_until};

use crate::{
    replay::{
        clip::{NoClip, PlannedClip},
        moment::MomentClock,
        places::ReplayPlace,
    },
    response::{body::ResponseBody, head::NEVER_STORED, short},
    stats::StreamCounters,
    viewers::answer_permit::AnswerPermit,
};

/// A requested clip.
pub(crate) struct ClipAnswer {
    pub(crate) ring: ReplayRing,
    pub(crate) format: ClipFormat,
    pub(crate) span: (Instant, Instant),
    /// The stream's name.
    pub(crate) name: Option<Arc<str>>,
    pub(crate) place: ReplayPlace,
    pub(crate) permit: AnswerPermit,
    pub(crate) counters: Arc<StreamCounters>,
    /// Whether the URL of the request is a secret.
    pub(crate) hides_url: bool,
}

impl ClipAnswer {
    /// Answers when the end of the clip has come.
    pub(crate) async fn answer(self) -> Response<ResponseBody> {
        sleep_until(self.span.1).await;
        let clock = MomentClock::now_by_system();
        let planned = PlannedClip::plan(self.ring.clone(), self.format, self.span, clock).await;
        let clip = match planned {
            Ok(clip) => clip,
            Err(NoClip::Nothing) => return not_kept(&self.ring, clock),
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

/// Answers that the ring has no frame of that time, and says of which times it has some.
pub(crate) fn not_kept(ring: &ReplayRing, clock: MomentClock) -> Response<ResponseBody> {
    let text = match ring.span() {
        Some((oldest, newest)) => format!(
            "No picture of that time is kept. The oldest is of {}, the newest of {}.\n",
            clock.text(oldest),
            clock.text(newest)
        ),
        None => "No picture is kept yet.\n".to_owned(),
    };
    short::error(StatusCode::NOT_FOUND, text)
}
