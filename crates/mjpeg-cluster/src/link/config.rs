//! Limits of the link.

use std::time::Duration;

use mjpeg_codec::SplitterConfig;

/// Limits of a node's link, of both of its sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkConfig {
    max_edges: usize,
    max_frame_bytes: usize,
    connect_timeout: Duration,
    engine_timeout: Duration,
}

impl Default for LinkConfig {
    fn default() -> Self {
        Self {
            max_edges: 64,
            max_frame_bytes: SplitterConfig::default().max_frame_bytes(),
            connect_timeout: Duration::from_secs(3),
            engine_timeout: Duration::from_secs(1),
        }
    }
}

impl LinkConfig {
    /// Sets how many nodes may read one stream from this one. Default 64. One more is sent to
    /// another of them ([`LinkNode::hub`](crate::LinkNode::hub)).
    ///
    /// Counted in [`LinkServerStats::redirected`](crate::LinkServerStats::redirected) and
    /// [`LinkServerStats::refused_edges`](crate::LinkServerStats::refused_edges).
    pub fn with_max_edges(mut self, most: usize) -> Self {
        self.max_edges = most;
        self
    }

    /// Sets the length of the largest frame that is read from another node, in bytes. Default: that
    /// of a [splitter](SplitterConfig::max_frame_bytes). A larger one ends the connection.
    ///
    /// Counted in [`LinkClientStats::broken`](crate::LinkClientStats::broken).
    pub fn with_max_frame_bytes(mut self, bytes: usize) -> Self {
        self.max_frame_bytes = bytes;
        self
    }

    /// Sets how long each step towards another node may take: its connection with TLS, and its
    /// answer. Default 3 s.
    pub fn with_connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = limit;
        self
    }

    /// Sets how long a node may take to say whether it reaches the engine. Default 1 s.
    pub fn with_engine_timeout(mut self, limit: Duration) -> Self {
        self.engine_timeout = limit;
        self
    }

    /// How many nodes may read one stream from this one.
    pub fn max_edges(&self) -> usize {
        self.max_edges
    }

    /// The length of the largest frame that is read, in bytes.
    pub fn max_frame_bytes(&self) -> usize {
        self.max_frame_bytes
    }

    /// How long each step towards another node may take.
    pub fn connect_timeout(&self) -> Duration {
        self.connect_timeout
    }

    /// How long a node may take to say whether it reaches the engine.
    pub fn engine_timeout(&self) -> Duration {
        self.engine_timeout
    }
}
