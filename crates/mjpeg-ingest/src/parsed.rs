//! What is found in a connection, and sources that find it themselves.

use std::{
    io,
    task::{Context, Poll},
};

use mjpeg_codec::DiscardReason;
use tokio::time::Instant;

use crate::event::Captured;

/// Something found in a connection.
pub(crate) enum Parsed {
    Frame(Captured),
    Discarded { reason: DiscardReason, bytes: u64 },
}

/// A connection that finds its frames itself, as one that consists of many answers does.
///
/// First [`poll_read`](Self::poll_read), then [`found`](Self::found) until it returns `None`, and
/// so on; after the end [`finish`](Self::finish), and `found` once more.
pub(crate) trait Feed: Send {
    /// Returns the next finding in the data read so far; `None` when more must be read.
    fn found(&mut self) -> Option<Parsed>;

    /// Reads once; false at the end.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>>;

    /// Ends the reading; [`found`](Self::found) returns the rest.
    fn finish(&mut self);

    /// When something was last read, or the reading began.
    fn last_read(&self) -> Instant;

    /// Whether the feed itself decides at present when the camera is lost, as it alone knows what
    /// it waits for.
    fn keeps_time(&self) -> bool;
}
