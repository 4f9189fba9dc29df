//! What is found in a connection, and sources that find it themselves.

use std::{
    io,
    task::{Context, Poll},
    time::Duration,
};

use mjpeg_codec::{DiscardReason, multipart::RelayHeaders};
use tokio::time::Instant;

use crate::event::Captured;

/// Something found in a connection.
pub(crate) enum Parsed {
    Frame {
        captured: Captured,
        /// What another relay says of it.
        relay: Option<RelayHeaders>,
    },
    Discarded {
        reason: DiscardReason,
        bytes: u64,
    },
    /// What another relay says of its camera.
    State {
        is_online: bool,
    },
}

/// A connection that finds its frames itself, as one that consists of many answers does.
///
/// First [`poll_read`](Self::poll_read), then [`poll_found`](Self::poll_found) until it returns
/// `None`, and so on; after the end [`finish`](Self::finish) or [`cut_off`](Self::cut_off), and
/// `poll_found` once more.
pub(crate) trait ParsedFeed: Send {
    /// Returns the next finding in the data read so far; `None` when more must be read. Pending
    /// when it is the turn of other tasks.
    fn poll_found(&mut self, cx: &mut Context<'_>) -> Poll<Option<Parsed>>;

    /// Reads once; false at the end.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>>;

    /// Ends the reading; [`poll_found`](Self::poll_found) returns the rest.
    fn finish(&mut self);

    /// Ends the reading where the source may not have meant to end.
    fn cut_off(&mut self);

    /// What the codec's decisions have cost, and how many bytes were read.
    fn cost(&self) -> (u64, u64);

    /// When something was last read, or the reading began.
    fn last_read(&self) -> Instant;

    /// Whether the feed itself decides at present when the camera is lost, as it alone knows what
    /// it waits for.
    fn keeps_time(&self) -> bool;

    /// The time from frame to frame, if the feed has learned it, so that a slow sender is not taken
    /// for a dead one. Default: unknown.
    fn interval(&self) -> Option<Duration> {
        None
    }
}
