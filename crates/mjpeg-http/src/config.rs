//! Limits and times of the HTTP side.

use std::time::Duration;

/// Limits and times of a [`StreamService`](crate::StreamService) and its [`Listener`](crate::Listener).
#[derive(Clone, Debug)]
pub struct HttpConfig {
    pub(crate) keepalive: Duration,
    pub(crate) header_timeout: Duration,
    pub(crate) max_header_bytes: usize,
    pub(crate) write_stall: Duration,
    pub(crate) grace: Duration,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            keepalive: Duration::from_secs(5),
            header_timeout: Duration::from_secs(10),
            max_header_bytes: 2 * SMALLEST_HEADER_LIMIT_BYTES,
            write_stall: Duration::from_secs(30),
            grace: Duration::from_secs(5),
        }
    }
}

impl HttpConfig {
    /// Sets how long a viewer waits for a frame before the last one is sent again. Default 5 s.
    ///
    /// A value below 100 ms is taken as 100 ms.
    ///
    /// Known readers give up after 10 s of silence (Mainsail, Home Assistant), so stay below that.
    pub fn keepalive(mut self, interval: Duration) -> Self {
        self.keepalive = interval.clamp(SHORTEST_KEEPALIVE, LONGEST);
        self
    }

    /// Sets how long a connection may take to send a whole request head, idle time before it included. Default 10 s.
    ///
    /// Counted in [`Stats::header_timeouts`](crate::Stats::header_timeouts).
    pub fn header_timeout(mut self, limit: Duration) -> Self {
        self.header_timeout = limit.min(LONGEST);
        self
    }

    /// Sets how large a request head may be, in bytes; a larger one is answered `431`. Default 16 KiB; a value below 8 KiB is
    /// taken as 8 KiB.
    ///
    /// The same number bounds what waits unwritten in the connection's own buffer before the next frame is asked for.
    ///
    /// Counted in [`Stats::bad_requests`](crate::Stats::bad_requests).
    pub fn max_header_bytes(mut self, limit: usize) -> Self {
        self.max_header_bytes = limit.max(SMALLEST_HEADER_LIMIT_BYTES);
        self
    }

    /// Sets how long a viewer may take no byte, while there are bytes for it, before its connection is closed. Default 30 s.
    ///
    /// Counted in [`Stats::write_stalls`](crate::Stats::write_stalls).
    pub fn write_stall(mut self, limit: Duration) -> Self {
        self.write_stall = limit.min(LONGEST);
        self
    }

    /// Sets how long [`Listener::serve`](crate::Listener::serve) waits for responses to end before it cuts them. Default 5 s.
    pub fn grace(mut self, limit: Duration) -> Self {
        self.grace = limit.min(LONGEST);
        self
    }
}

/// hyper's own minimum for a connection's buffer.
const SMALLEST_HEADER_LIMIT_BYTES: usize = 8 << 10;

/// Repeats are for silence; faster than this they would be a load of their own.
const SHORTEST_KEEPALIVE: Duration = Duration::from_millis(100);

/// As good as no limit, and far from where adding it to a time would overflow.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 3600);
