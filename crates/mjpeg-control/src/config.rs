//! Limits and times.

use std::{num::NonZeroUsize, time::Duration};

/// The limits and times of a [`ControlApi`](crate::ControlApi), and what it says of the program.
///
/// ```
/// use mjpeg_control::ControlConfig;
///
/// let config = ControlConfig::default().with_program("cameras", "1.2.3");
/// assert_eq!(config.max_subscribers(), 100);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlConfig {
    program: String,
    version: String,
    max_body_bytes: usize,
    body_timeout: Duration,
    gate_timeout: Duration,
    max_subscribers: usize,
    max_writes: usize,
    max_walls: usize,
    max_walls_per_address: usize,
    max_wall_bytes_in_flight: usize,
    wall_messages_per_second: u32,
    kept_events: usize,
    heartbeat: Duration,
}

impl ControlConfig {
    /// Sets what `/info` says of the program: its name and version. Default: those of this crate.
    pub fn with_program(mut self, name: impl Into<String>, version: impl Into<String>) -> Self {
        (self.program, self.version) = (name.into(), version.into());
        self
    }

    /// Sets how large the body of a request may be. Default 256 KiB. Larger ones are answered
    /// `413`.
    pub fn with_max_body_bytes(mut self, most: usize) -> Self {
        self.max_body_bytes = most;
        self
    }

    /// Sets how long the body of a request may take. Default 10 s. Slower ones are answered `408`.
    pub fn with_body_timeout(mut self, limit: Duration) -> Self {
        self.body_timeout = limit;
        self
    }

    /// Sets how long the gate may take for a decision. Default 5 s; then the request is refused
    /// with `504`.
    pub fn with_gate_timeout(mut self, limit: Duration) -> Self {
        self.gate_timeout = limit;
        self
    }

    /// Sets how many clients may receive events at once. Default 100; 0 refuses all. Others are
    /// answered `503`.
    pub fn with_max_subscribers(mut self, most: usize) -> Self {
        self.max_subscribers = most;
        self
    }

    /// Sets how many changes may be under way at once. Default 16; 0 refuses all. Others are
    /// answered `503`.
    pub fn with_max_writes(mut self, most: usize) -> Self {
        self.max_writes = most;
        self
    }

    /// Sets how many wall sockets may be open at once. Default 200; 0 refuses all. Others are
    /// opened and closed with the code 1013. Counted in
    /// [`WallStats::refused`](crate::WallStats::refused).
    pub fn with_max_walls(mut self, most: usize) -> Self {
        self.max_walls = most;
        self
    }

    /// Sets how many wall sockets may be open at once from one address (IPv6: from one /64), so
    /// that nobody takes them all. Default 16; 0 refuses all. It does not apply to addresses that
    /// many people may share: loopback, Unix sockets, and proxies that do not name their clients.
    /// Others are refused as with [`with_max_walls`](Self::with_max_walls), and counted in
    /// [`WallStats::refused_address`](crate::WallStats::refused_address).
    pub fn with_max_walls_per_address(mut self, most: usize) -> Self {
        self.max_walls_per_address = most;
        self
    }

    /// Sets how many bytes of pictures may be on their way to one wall socket, which its client has
    /// not acknowledged. Default 4 MiB. One picture may always be, whatever its size; a slow client
    /// gets less.
    pub fn with_max_wall_bytes_in_flight(mut self, most: usize) -> Self {
        self.max_wall_bytes_in_flight = most;
        self
    }

    /// Sets how many messages per second the client of a wall socket may send, besides one ack for
    /// each frame. Default 60. Five seconds' messages may come at once, and one that sets tiles
    /// counts as five. A client that sends more is closed, and counted in
    /// [`WallStats::floods`](crate::WallStats::floods).
    pub fn with_wall_messages_per_second(mut self, most: u32) -> Self {
        self.wall_messages_per_second = most;
        self
    }

    /// Sets how many past events are kept, for clients that were away or are slow. Default 1024;
    /// each takes some 200 bytes.
    pub fn with_kept_events(mut self, most: NonZeroUsize) -> Self {
        self.kept_events = most.get();
        self
    }

    /// Sets how long a client that receives events hears nothing before a comment tells it that
    /// the connection is alive. Default 15 s.
    pub fn with_heartbeat(mut self, interval: Duration) -> Self {
        self.heartbeat = interval;
        self
    }

    /// Returns the name of the program.
    pub fn program(&self) -> &str {
        &self.program
    }

    /// Returns the version of the program.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Returns how large the body of a request may be.
    pub fn max_body_bytes(&self) -> usize {
        self.max_body_bytes
    }

    /// Returns how long the body of a request may take.
    pub fn body_timeout(&self) -> Duration {
        self.body_timeout
    }

    /// Returns how long the gate may take for a decision.
    pub fn gate_timeout(&self) -> Duration {
        self.gate_timeout
    }

    /// Returns how many clients may receive events at once.
    pub fn max_subscribers(&self) -> usize {
        self.max_subscribers
    }

    /// Returns how many changes may be under way at once.
    pub fn max_writes(&self) -> usize {
        self.max_writes
    }

    /// Returns how many wall sockets may be open at once.
    pub fn max_walls(&self) -> usize {
        self.max_walls
    }

    /// Returns how many wall sockets may be open at once from one address.
    pub fn max_walls_per_address(&self) -> usize {
        self.max_walls_per_address
    }

    /// Returns how many bytes of pictures may be on their way to one wall socket.
    pub fn max_wall_bytes_in_flight(&self) -> usize {
        self.max_wall_bytes_in_flight
    }

    /// Returns how many messages per second the client of a wall socket may send.
    pub fn wall_messages_per_second(&self) -> u32 {
        self.wall_messages_per_second
    }

    /// Returns how many past events are kept.
    pub fn kept_events(&self) -> usize {
        self.kept_events
    }

    /// Returns how long a client that receives events hears nothing at most.
    pub fn heartbeat(&self) -> Duration {
        self.heartbeat
    }
}

impl Default for ControlConfig {
    fn default() -> Self {
        Self {
            program: env!("CARGO_PKG_NAME").into(),
            version: env!("CARGO_PKG_VERSION").into(),
            max_body_bytes: 256 * 1024,
            body_timeout: Duration::from_secs(10),
            gate_timeout: Duration::from_secs(5),
            max_subscribers: 100,
            max_writes: 16,
            max_walls: 200,
            max_walls_per_address: 16,
            max_wall_bytes_in_flight: 4 << 20,
            wall_messages_per_second: 60,
            kept_events: 1024,
            heartbeat: Duration::from_secs(15),
        }
    }
}
