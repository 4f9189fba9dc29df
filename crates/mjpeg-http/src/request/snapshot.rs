//! Which picture a client wants.

use std::time::Duration;

use http::{HeaderMap, header};
use mjpeg_fanout::{Published, Status};
use tokio::time::Instant;

use crate::{
    config::stream::StreamConfig,
    request::{query::Query, relay},
};

/// Which picture a client wants.
#[derive(Clone, Debug)]
pub(crate) struct SnapshotRequest {
    /// It may be at most this old.
    max_age: Option<Duration>,
    /// It was captured after the request came.
    fresh: bool,
    /// It differs from the picture with this tag, which the client has.
    after: Option<String>,
    /// How long the client waits for it.
    wait: Option<Duration>,
    if_none_match: Option<String>,
    /// At an eighth of its size, if the picture can be had so without decoding.
    pub(crate) is_small: bool,
    /// The client is a relay, which wants to know more about the picture.
    pub(crate) is_relay: bool,
}

impl SnapshotRequest {
    pub(crate) fn read(query: &Query<'_>, headers: &HeaderMap, config: &StreamConfig) -> Self {
        // camera-streamer's name for both: the greatest age in milliseconds, 0 for a new picture.
        let max_delay = query.time("max_delay", Duration::from_millis(1));
        let no_delay = max_delay.is_some_and(|delay| delay.is_zero());
        let if_none_match = headers.get(header::IF_NONE_MATCH);
        let max_age = query
            .time("max_age", Duration::from_secs(1))
            .or(max_delay.filter(|_| !no_delay));
        let fresh = query.switch("fresh").or(no_delay.then_some(true));
        let after = query
            .text("after")
            .map(|tag| tag.trim_matches('"').trim_end_matches(SMALL_SUFFIX))
            .map(str::to_owned);
        // The stream's own wishes are for requests that have none.
        let says_nothing = max_age.is_none() && fresh.is_none() && after.is_none();
        Self {
            max_age: max_age.or(config.snapshot_max_age().filter(|_| says_nothing)),
            fresh: fresh.unwrap_or(says_nothing && config.snapshot_fresh()),
            after,
            wait: query.time("wait", Duration::from_secs(1)),
            if_none_match: if_none_match
                .and_then(|value| value.to_str().ok())
                .map(str::to_owned),
            is_small: cfg!(feature = "small")
                && matches!(query.text("scale"), Some("8" | "eighth")),
            is_relay: relay::via(headers).is_some(),
        }
    }

    /// Whether a picture that does not satisfy it must not be sent instead.
    pub(crate) fn is_strict(&self) -> bool {
        self.fresh || self.max_age.is_some() || self.after.is_some()
    }

    /// How long to wait for a picture that satisfies it, and how long while a camera that is read
    /// on demand is being connected.
    pub(crate) fn waits(&self, config: &StreamConfig) -> (Duration, Duration) {
        let wait = self.wait.unwrap_or(config.snapshot_wait());
        let longer = self.wait.unwrap_or(config.snapshot_connect_wait());
        (wait.min(LONGEST_WAIT), longer.max(wait).min(LONGEST_WAIT))
    }

    /// Whether this picture satisfies it now.
    pub(crate) fn is_satisfied_by(
        &self,
        picture: &Published,
        status: Status,
        requested_at: Instant,
        now: Instant,
    ) -> bool {
        let captured = Instant::from_std(picture.stamp.monotonic());
        let age = now.saturating_duration_since(captured);
        // A picture captured after the request is as young as any can be.
        let young = self
            .max_age
            .is_none_or(|most| age <= most || captured >= requested_at);
        let fresh = !self.fresh || captured >= requested_at;
        let other = self
            .after
            .as_deref()
            .is_none_or(|tag| is_other(picture, tag));
        let current = self.is_strict() || status == Status::Online || captured >= requested_at;
        young && fresh && other && current
    }

    /// Whether the client has the picture with this tag.
    pub(crate) fn has(&self, tag: &str) -> bool {
        let tags = self.if_none_match.as_deref().unwrap_or_default();
        let mut tags = tags
            .split(',')
            .map(|one| one.trim().trim_start_matches("W/"));
        tags.any(|one| one == tag || one == "*")
    }
}

/// The tag of a picture, without quotes.
pub(crate) fn tag(picture: &Published) -> String {
    let id = picture.id();
    format!("{:016x}-{}", id.epoch, id.seq)
}

/// Whether a picture differs from the one with this tag. A tag of another epoch, or with a number
/// not reached yet, comes from an earlier run: every picture differs from it.
fn is_other(picture: &Published, tag: &str) -> bool {
    let id = picture.id();
    let had = tag.split_once('-').and_then(|(epoch, seq)| {
        let epoch = u64::from_str_radix(epoch, 16).ok()?;
        let seq: u64 = seq.parse().ok()?;
        (epoch == id.epoch).then_some(seq)
    });
    had != Some(id.seq)
}

/// What the tag of a small picture has behind that of the whole one.
pub(crate) const SMALL_SUFFIX: &str = "-eighth";

/// The longest wait, whatever the client asks for: proxies and browsers give up after about a
/// minute.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
