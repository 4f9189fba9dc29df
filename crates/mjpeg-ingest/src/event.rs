//! What an ingest tells its owner.

use std::{sync::Arc, time::Duration};

use mjpeg_codec::{DiscardReason, Frame, Stamp};

use crate::Error;

/// What happened to a source, in order.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// A connection attempt begins.
    Connecting,
    /// The connection stands. Frames may follow.
    Online {
        /// Whom it leads to, for people to read.
        peer: String,
    },
    /// A whole frame.
    Frame(Captured),
    /// Bytes that were part of no frame.
    Discarded {
        /// Why.
        reason: DiscardReason,
        /// How many.
        bytes: u64,
    },
    /// The connection stands, but its frames have ceased: none for ten of its usual intervals, and 2 s at least. Told once; the next frame ends it.
    Stalled {
        /// How long no frame has come.
        after: Duration,
    },
    /// The connection is gone, or could not be made; the next attempt begins by itself.
    Offline {
        /// Why.
        error: Arc<Error>,
        /// How long from now the next attempt begins.
        retry_in: Duration,
    },
    /// The source has come to its end and is read no more. Told by a [`Failover`](crate::Failover), whose other sources go on; an [`Ingest`](crate::Ingest) gives `None`
    /// instead.
    Ended,
    /// The connection was closed on demand of a [`Control`](crate::Control), which can also end the pause.
    Paused,
}

/// A frame and when it came.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Captured {
    /// The image.
    pub frame: Frame,
    /// When it was captured.
    pub stamp: Stamp,
}
