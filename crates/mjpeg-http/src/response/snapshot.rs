//! A single picture.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Response, StatusCode,
    header::{self, HeaderName},
};
use mjpeg_codec::multipart::Layout;
use mjpeg_fanout::{Consumer, Published, Status};
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::{
    config::stream::StreamConfig,
    feed::SourceState,
    request::snapshot::{SMALL_SUFFIX, SnapshotRequest, tag},
    response::{body::ResponseBody, head::NEVER_STORED, short},
    stats::StreamCounters,
    viewers::answer_permit::AnswerPermit,
};

/// One requested snapshot.
pub(crate) struct Snapshot {
    pub(crate) consumer: Consumer,
    pub(crate) request: SnapshotRequest,
    pub(crate) counters: Arc<StreamCounters>,
    pub(crate) config: Arc<StreamConfig>,
    pub(crate) permit: AnswerPermit,
    pub(crate) requested_at: Instant,
    /// A picture of the past to be sent instead of the newest.
    pub(crate) past: Option<Arc<Published>>,
    /// Whether the URL of the request is a secret.
    pub(crate) hides_url: bool,
}

impl Snapshot {
    /// Answers as soon as a picture satisfies the request or the wait is over.
    pub(crate) async fn answer(self) -> Response<ResponseBody> {
        self.counters.snapshots.add_one();
        if let Some(past) = self.past.clone() {
            return self.respond(&past, Status::Online).await;
        }
        // Even if a picture is there already: a snapshot keeps an on-demand camera connected.
        let _viewing = self.consumer.viewing();
        let status = self.consumer.status();
        let newest = self.consumer.picture();
        if let Some(picture) = newest.filter(|picture| self.is_satisfied_by(picture, status)) {
            return self.respond(&picture, status).await;
        }
        let found = self.wait_for_one().await;
        let status = self.consumer.status();
        if let Some(picture) = found {
            return self.respond(&picture, status).await;
        }
        let any = || {
            // While the camera is being connected, a picture is about to come.
            let placeholder = || self.consumer.placeholder().filter(|_| !is_pending(status));
            self.consumer.picture().or_else(placeholder)
        };
        match any().filter(|_| !self.request.is_strict()) {
            Some(picture) => self.respond(&picture, Status::Offline).await,
            None => self.unavailable(),
        }
    }

    /// Waits for a picture that satisfies the request. The wait is longer while a camera that is
    /// read on demand is being connected, and only then.
    async fn wait_for_one(&self) -> Option<Arc<Published>> {
        let (shorter, longer) = self.request.waits(&self.config);
        let mut newer = self.consumer.clone();
        let mut connecting = self.consumer.clone();
        let satisfying = async {
            loop {
                let picture = newer.next().await?;
                if !picture.is_placeholder && self.is_satisfied_by(&picture, newer.status()) {
                    return Some(picture);
                }
            }
        };
        let over = async {
            sleep_until(self.requested_at + shorter).await;
            let connected = async {
                while is_on_demand(connecting.status()) {
                    if connecting.status_changed().await.is_none() {
                        break;
                    }
                }
            };
            // It makes no difference which of the two it is.
            let _ = timeout_at(self.requested_at + longer, connected).await;
        };
        tokio::select! {
            biased;
            found = satisfying => found,
            () = over => None,
        }
    }

    fn is_satisfied_by(&self, picture: &Published, status: Status) -> bool {
        self.request
            .is_satisfied_by(picture, status, self.requested_at, Instant::now())
    }

    async fn respond(self, picture: &Published, status: Status) -> Response<ResponseBody> {
        let wants_small = self.request.is_small;
        let small = if wants_small {
            small_jpeg(picture).await
        } else {
            None
        };
        // The picture is older by what that took.
        let now = Instant::now();
        let tag = match small {
            Some(_) => format!("\"{}{SMALL_SUFFIX}\"", tag(picture)),
            None => format!("\"{}\"", tag(picture)),
        };
        let scale = if small.is_some() { EIGHTH } else { WHOLE };
        let is_relay = self.request.is_relay;
        let source = is_relay.then(|| SourceState::of(&self.consumer));
        // A placeholder has no tag.
        let client_has_it = !picture.is_placeholder && self.request.has(&tag);
        let body = self.body(picture, small, client_has_it, now);
        let mut response = Response::new(body);
        if client_has_it {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        } else {
            response
                .headers_mut()
                .insert(header::CONTENT_TYPE, HeaderValue::from_static("image/jpeg"));
        }
        describe(response.headers_mut(), picture, status, now);
        if let Some(source) = source {
            describe_to_relay(response.headers_mut(), picture, &source, now);
        }
        if wants_small {
            let headers = response.headers_mut();
            headers.insert(SCALE, scale);
            let exposed = HeaderValue::from_static("X-Scale");
            headers.append(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
        }
        if picture.is_placeholder {
            let headers = response.headers_mut();
            headers.insert(PLACEHOLDER, TRUE);
            let exposed = HeaderValue::from_static("X-Placeholder");
            headers.append(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
        } else if let Ok(tag) = HeaderValue::try_from(tag) {
            response.headers_mut().insert(header::ETAG, tag);
        }
        response
    }

    fn body(
        self,
        picture: &Published,
        small: Option<Bytes>,
        client_has_it: bool,
        now: Instant,
    ) -> ResponseBody {
        if client_has_it {
            self.counters.snapshots_not_modified.add_one();
            return ResponseBody::whole("");
        }
        // Nobody shares what is of the past.
        let past = self.past.map(|past| past.frame.bytes().clone());
        if let Some(own) = small.or(past) {
            self.permit.begin_own(own.len(), &self.config, now);
            return ResponseBody::admitted(own, self.permit);
        }
        // The buffer that viewers share, so that it is counted once. In this layout it begins with
        // the image.
        let part = picture.part();
        self.permit.begin(picture.seq, part, &self.config, now);
        let image = part.bytes(Layout::Advance);
        let image = image.slice(..picture.frame.bytes().len());
        ResponseBody::admitted(image, self.permit)
    }

    fn unavailable(&self) -> Response<ResponseBody> {
        self.counters.snapshots_unavailable.add_one();
        let text = if self.consumer.picture().is_some() {
            "The picture asked for has not come in time.\n"
        } else {
            "The camera has sent no picture yet.\n"
        };
        let mut response = short::error(StatusCode::SERVICE_UNAVAILABLE, text);
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        response
    }
}

/// Returns the picture at an eighth of its size, if it has one.
#[cfg(feature = "small")]
async fn small_jpeg(picture: &Published) -> Option<Bytes> {
    picture.small_jpeg().await.ok()
}

#[cfg(not(feature = "small"))]
async fn small_jpeg(_: &Published) -> Option<Bytes> {
    None
}

/// Adds what another relay needs to pass the picture on as it is.
fn describe_to_relay(
    headers: &mut HeaderMap,
    picture: &Published,
    source: &SourceState,
    now: Instant,
) {
    for (name, value) in source.describe(picture, false, now).fields() {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
}

/// Adds the headers that tell when the picture was captured, and whether the camera is online.
fn describe(headers: &mut HeaderMap, picture: &Published, status: Status, now: Instant) {
    let stamp = &picture.stamp;
    let age = now.saturating_duration_since(Instant::from_std(stamp.monotonic()));
    let shown = since_epoch(stamp.shown());
    let (seconds, micros) = (shown.as_secs(), shown.subsec_micros());
    let received = since_epoch(stamp.received()).min(LATEST_DATE);
    let online = status == Status::Online;
    let values = [
        (
            header::LAST_MODIFIED,
            httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + received),
        ),
        (header::AGE, age.as_secs().to_string()),
        (
            HeaderName::from_static("x-timestamp"),
            format!("{seconds}.{micros:06}"),
        ),
        (HeaderName::from_static("x-online"), online.to_string()),
    ];
    for (name, value) in values {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    }
    for (name, value) in NEVER_STORED {
        headers.insert(name, value);
    }
}

/// Whether a camera that is read on demand has yet to send its first picture.
fn is_on_demand(status: Status) -> bool {
    matches!(status, Status::Idle | Status::Starting)
}

/// Whether a first picture may be about to come.
fn is_pending(status: Status) -> bool {
    is_on_demand(status) || status == Status::Connecting
}

fn since_epoch(time: SystemTime) -> Duration {
    time.duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
}

/// The divisor of the size, for requests that name one.
const SCALE: HeaderName = HeaderName::from_static("x-scale");
const EIGHTH: HeaderValue = HeaderValue::from_static("8");
const WHOLE: HeaderValue = HeaderValue::from_static("1");

const PLACEHOLDER: HeaderName = HeaderName::from_static("x-placeholder");
const TRUE: HeaderValue = HeaderValue::from_static("true");

/// The format of HTTP dates ends with the year 9999.
const LATEST_DATE: Duration = Duration::from_secs(253_402_300_799);
