//! Which picture a client wants.

use std::time::Duration;

use http::{HeaderMap, header};
use mjpeg_fanout::{Published, Status};
use tokio::time::Instant;

use crate::request::{query::Query, relay};

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
    /// The client is a relay, which wants to know more about the picture.
    pub(crate) is_relay: bool,
}

impl SnapshotRequest {
    pub(crate) fn read(query: &Query<'_>, headers: &HeaderMap) -> Self {
        // camera-streamer's name for both: the greatest age in milliseconds, 0 for a new picture.
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
            is_relay: relay::via(headers).is_some(),
        }
    }

    /// Whether a picture that does not satisfy it must not be sent instead.
    pub(crate) fn is_strict(&self) -> bool {
        self.fresh || self.max_age.is_some() || self.after.is_some()
    }

    /// How long to wait for a picture that satisfies it; `default` is the stream's own wait.
    pub(crate) fn wait(&self, default: Duration) -> Duration {
        self.wait.unwrap_or(default).min(LONGEST_WAIT)
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
        let young = self.max_age.is_none_or(|most| age <= most);
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

/// The longest wait, whatever the client asks for: proxies and browsers give up after about a
/// minute.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
