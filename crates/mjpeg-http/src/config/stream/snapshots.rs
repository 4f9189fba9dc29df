//! The settings of snapshots.

use std::time::Duration;

use super::StreamConfig;
use crate::config::LONGEST;

impl StreamConfig {
    /// Sets how long a snapshot waits for a picture that satisfies the request, unless the request
    /// says otherwise with `?wait=`. Default 800 ms: Moonraker gives up after 1 s.
    pub fn with_snapshot_wait(mut self, limit: Duration) -> Self {
        self.snapshot_wait = limit.min(LONGEST);
        self
    }

    /// Sets how long a snapshot waits instead while a source that is read on demand is being
    /// connected ([`Status::Idle`](mjpeg_fanout::Status::Idle) and
    /// [`Starting`](mjpeg_fanout::Status::Starting)). Default 5 s; the longer of the two waits
    /// holds.
    ///
    /// Most cameras need 1 to 3 s from the connection to the first picture.
    pub fn with_snapshot_connect_wait(mut self, limit: Duration) -> Self {
        self.snapshot_connect_wait = limit.min(LONGEST);
        self
    }

    /// Sets how old the picture of a snapshot may be, as if requests that say nothing had
    /// `?max_age=`. Default: as old as it is.
    ///
    /// Where no picture is young enough in time, they are answered `503`: so programs that only
    /// look at the status notice that a camera is dead. A request with `max_age`, `max_delay`,
    /// `fresh` or `after` overrides it; `?fresh=0` gives any picture.
    pub fn with_snapshot_max_age(mut self, most: impl Into<Option<Duration>>) -> Self {
        self.snapshot_max_age = most.into();
        self
    }

    /// Sets whether a snapshot is the next picture, captured after the request came, as if requests
    /// that say nothing had `?fresh=1`. Default: off.
    ///
    /// Programs that ask again as soon as they have an answer then get each picture once.
    /// Overridden as the [age](Self::with_snapshot_max_age) is.
    pub fn with_snapshot_fresh(mut self, on: bool) -> Self {
        self.snapshot_fresh = on;
        self
    }

    /// Sets how many requests for snapshots or `/state` may be waiting or on their way at once.
    /// Default 1000. One more is answered `503`.
    ///
    /// From one address there may be as many as
    /// [viewers](Self::with_max_viewers_per_address), at least one.
    ///
    /// Counted in [`StreamStats::snapshots_refused`](crate::StreamStats::snapshots_refused).
    pub fn with_max_snapshots(mut self, most: usize) -> Self {
        self.max_snapshots = most;
        self
    }

    /// Sets how many viewers `/state` lists one by one, the newest; `clients` counts all. Default
    /// 100. Listing a thousand takes 3 ms, in which no viewer gets a frame.
    pub fn with_max_listed_viewers(mut self, most: usize) -> Self {
        self.max_listed_viewers = most;
        self
    }

    /// How long a snapshot waits for a picture that satisfies the request.
    pub fn snapshot_wait(&self) -> Duration {
        self.snapshot_wait
    }

    /// How long a snapshot waits while a source that is read on demand is being connected.
    pub fn snapshot_connect_wait(&self) -> Duration {
        self.snapshot_connect_wait
    }

    /// How old the picture of a snapshot may be; `None` for any age.
    pub fn snapshot_max_age(&self) -> Option<Duration> {
        self.snapshot_max_age
    }

    /// Whether a snapshot is the next picture.
    pub fn snapshot_fresh(&self) -> bool {
        self.snapshot_fresh
    }

    /// How many snapshots may be waiting or on their way at once.
    pub fn max_snapshots(&self) -> usize {
        self.max_snapshots
    }

    /// How many viewers `/state` lists.
    pub fn max_listed_viewers(&self) -> usize {
        self.max_listed_viewers
    }
}
