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
    HttpConfig, ResponseBody,
    query::Query,
    respond::{self, NEVER_STORED},
    stats::Counters,
};

/// Which picture is asked for.
#[derive(Debug)]
pub(crate) struct SnapshotWish {
    /// At most so old.
    max_age: Option<Duration>,
    /// Captured after the request came.
    fresh: bool,
    /// Another one than that with this tag, which the client has.
    after: Option<String>,
    /// How long it waits for it.
    wait: Option<Duration>,
    if_none_match: Option<String>,
}

impl SnapshotWish {
    pub(crate) fn read(query: &Query<'_>, headers: &HeaderMap) -> Self {
        // camera-streamer's spelling of both: the most milliseconds, 0 for a new one.
        let max_delay = query.time("max_delay", Duration::from_millis(1));
        let no_delay = max_delay.is_some_and(|delay| delay.is_zero());
        let if_none_match = headers.get(header::IF_NONE_MATCH);
        Self {
            max_age: query
                .time("max_age", Duration::from_secs(1))
                .or(max_delay.filter(|_| !no_delay)),
            fresh: query.switch("fresh").unwrap_or(no_delay),
            after: query
                .text("after")
                .map(|tag| tag.trim_matches('"').to_owned()),
            wait: query.time("wait", Duration::from_secs(1)),
            if_none_match: if_none_match
                .and_then(|value| value.to_str().ok())
                .map(str::to_owned),
        }
    }

    /// Whether only some pictures will do: then none is better than another one.
    fn is_strict(&self) -> bool {
        self.fresh || self.max_age.is_some() || self.after.is_some()
    }

    /// Whether this picture will do, without waiting for another.
    fn suits(&self, picture: &Published, asked_at: Instant, status: Status) -> bool {
        let now = Instant::now();
        let captured = Instant::from_std(picture.stamp.monotonic());
        let young = self
            .max_age
            .is_none_or(|most| now.saturating_duration_since(captured) <= most);
        let fresh = !self.fresh || captured >= asked_at;
        let other = self
            .after
            .as_deref()
            .is_none_or(|tag| is_news(picture, tag));
        let current = self.is_strict() || status == Status::Online || captured >= asked_at;
        young && fresh && other && current
    }
}

/// Whether a picture is news to who has the one with this tag. A tag of another epoch, or of a number that was not reached yet, was given by an
/// earlier run: then every picture is.
fn is_news(picture: &Published, tag: &str) -> bool {
    let had = tag.split_once('-').and_then(|(epoch, seq)| {
        let epoch = u64::from_str_radix(epoch, 16).ok()?;
        let seq: u64 = seq.parse().ok()?;
        (epoch == picture.epoch).then_some(seq)
    });
    had != Some(picture.seq)
}

/// Answers with the picture asked for, when it is there or has come.
pub(crate) async fn answer(
    consumer: Consumer,
    wish: SnapshotWish,
    config: &HttpConfig,
    counters: Arc<Counters>,
) -> Response<ResponseBody> {
    counters.snapshots.add_one();
    let asked_at = Instant::now();
    // A picture that is there at once is a wish for pictures too.
    let _wanted = consumer.viewing();
    let suits = |picture: &Published, status| wish.suits(picture, asked_at, status);
    if let Some(picture) = consumer
        .picture()
        .filter(|picture| suits(picture, consumer.status()))
    {
        return respond(&picture, &wish, consumer.status(), &counters);
    }
    let wait = wish.wait.unwrap_or(config.snapshot_wait).min(LONGEST_WAIT);
    let mut newer = consumer.clone();
    let found = timeout_at(asked_at + wait, async {
        loop {
            let picture = newer.next().await?;
            if !picture.is_placeholder && suits(&picture, newer.status()) {
                return Some(picture);
            }
        }
    });
    let found = found.await.ok().flatten();
    let any = || consumer.picture().or_else(|| consumer.placeholder());
    let status = consumer.status();
    if let Some(picture) = found {
        return respond(&picture, &wish, status, &counters);
    }
    match any().filter(|_| !wish.is_strict()) {
        Some(picture) => respond(&picture, &wish, Status::Offline, &counters),
        None => {
            counters.snapshots_unavailable.add_one();
            let text = if consumer.picture().is_some() {
                "The picture asked for has not come in time.\n"
            } else {
                "The camera has sent no picture yet.\n"
            };
            let mut response = respond::error(StatusCode::SERVICE_UNAVAILABLE, text);
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            response
        }
    }
}

fn respond(
    picture: &Published,
    wish: &SnapshotWish,
    status: Status,
    counters: &Counters,
) -> Response<ResponseBody> {
    let tag = format!("\"{:016x}-{}\"", picture.epoch, picture.seq);
    // Placeholders have no numbers to be known by.
    let has_it = !picture.is_placeholder
        && wish.if_none_match.as_deref().is_some_and(|tags| {
            let mut tags = tags
                .split(',')
                .map(|one| one.trim().trim_start_matches("W/"));
            tags.any(|one| one == tag || one == "*")
        });
    let body = if has_it {
        counters.snapshots_not_modified.add_one();
        ResponseBody::whole("")
    } else {
        ResponseBody::whole(picture.frame.bytes().clone())
    };
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    if !has_it {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("image/jpeg"));
    }
    let age =
        Instant::now().saturating_duration_since(Instant::from_std(picture.stamp.monotonic()));
    let since_epoch = picture
        .stamp
        .shown()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    let (seconds, micros) = (since_epoch.as_secs(), since_epoch.subsec_micros());
    let online = status == Status::Online;
    let told = [
        (header::ETAG, tag),
        (
            header::LAST_MODIFIED,
            httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + since_epoch.min(LATEST_DATE)),
        ),
        (header::AGE, age.as_secs().to_string()),
        (
            HeaderName::from_static("x-timestamp"),
            format!("{seconds}.{micros:06}"),
        ),
        (HeaderName::from_static("x-online"), online.to_string()),
    ];
    for (name, value) in told {
        if picture.is_placeholder && name == header::ETAG {
            continue;
        }
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    }
    for (name, value) in NEVER_STORED {
        headers.insert(name, value);
    }
    if has_it {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    response
}

/// However long a client says it would wait: proxies and browsers give up after a minute or so.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// What the form of an HTTP date can tell ends with the year 9999.
const LATEST_DATE: Duration = Duration::from_secs(253_402_300_799);
