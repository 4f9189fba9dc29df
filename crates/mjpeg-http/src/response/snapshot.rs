//! A single picture.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use http::{
    HeaderMap, HeaderValue, Response, StatusCode,
    header::{self, HeaderName},
};
use mjpeg_fanout::{Consumer, Published, Status};
use tokio::time::{Instant, timeout_at};

use crate::{
    feed::SourceState,
    request::snapshot::{SnapshotRequest, tag},
    response::{body::ResponseBody, head::NEVER_STORED, short},
    stats::StreamCounters,
};

/// One requested snapshot.
pub(crate) struct Snapshot {
    pub(crate) consumer: Consumer,
    pub(crate) request: SnapshotRequest,
    pub(crate) counters: Arc<StreamCounters>,
    pub(crate) requested_at: Instant,
    /// How long to wait for a picture, unless the request says otherwise.
    pub(crate) wait: Duration,
}

impl Snapshot {
    /// Answers as soon as a picture satisfies the request or the wait is over.
    pub(crate) async fn answer(self) -> Response<ResponseBody> {
        self.counters.snapshots.add_one();
        // Even if a picture is there already: a snapshot keeps an on-demand camera connected.
        let _viewing = self.consumer.viewing();
        let status = self.consumer.status();
        let newest = self.consumer.picture();
        if let Some(picture) = newest.filter(|picture| self.is_satisfied_by(picture, status)) {
            return self.respond(&picture, status, Instant::now());
        }
        let found = self.wait_for_one().await;
        let (now, status) = (Instant::now(), self.consumer.status());
        if let Some(picture) = found {
            return self.respond(&picture, status, now);
        }
        let any = || {
            let picture = self.consumer.picture();
            picture.or_else(|| self.consumer.placeholder())
        };
        match any().filter(|_| !self.request.is_strict()) {
            Some(picture) => self.respond(&picture, Status::Offline, now),
            None => self.unavailable(),
        }
    }

    async fn wait_for_one(&self) -> Option<Arc<Published>> {
        let mut newer = self.consumer.clone();
        let until = self.requested_at + self.request.wait(self.wait);
        let found = timeout_at(until, async {
            loop {
                let picture = newer.next().await?;
                if !picture.is_placeholder && self.is_satisfied_by(&picture, newer.status()) {
                    return Some(picture);
                }
            }
        });
        found.await.ok().flatten()
    }

    fn is_satisfied_by(&self, picture: &Published, status: Status) -> bool {
        self.request
            .is_satisfied_by(picture, status, self.requested_at, Instant::now())
    }

    fn respond(&self, picture: &Published, status: Status, now: Instant) -> Response<ResponseBody> {
        let tag = format!("\"{}\"", tag(picture));
        // A placeholder has no tag.
        let client_has_it = !picture.is_placeholder && self.request.has(&tag);
        let body = if client_has_it {
            self.counters.snapshots_not_modified.add_one();
            ResponseBody::whole("")
        } else {
            ResponseBody::whole(picture.frame.bytes().clone())
        };
        let mut response = Response::new(body);
        if client_has_it {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        } else {
            response
                .headers_mut()
                .insert(header::CONTENT_TYPE, HeaderValue::from_static("image/jpeg"));
        }
        describe(response.headers_mut(), picture, status, now);
        if self.request.is_relay {
            self.describe_to_relay(response.headers_mut(), picture, now);
        }
        if !picture.is_placeholder
            && let Ok(tag) = HeaderValue::try_from(tag)
        {
            response.headers_mut().insert(header::ETAG, tag);
        }
        response
    }

    /// Adds what another relay needs to pass the picture on as it is.
    fn describe_to_relay(&self, headers: &mut HeaderMap, picture: &Published, now: Instant) {
        let source = SourceState::of(&self.consumer);
        for (name, value) in source.describe(picture, false, now).fields() {
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
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

fn since_epoch(time: SystemTime) -> Duration {
    time.duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
}

/// The format of HTTP dates ends with the year 9999.
const LATEST_DATE: Duration = Duration::from_secs(253_402_300_799);
