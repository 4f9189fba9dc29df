//! Events of an ingest, for its owner.

use std::{sync::Arc, time::Duration};

use mjpeg_codec::{DiscardReason, Frame, Stamp, multipart::Via};

use crate::error::Error;

/// What happened to a source, in order.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// A connection attempt begins.
    Connecting,
    /// The connection is open. Frames may follow.
    Online {
        /// The other side's name, for people.
        peer: String,
    },
    /// The source is a relay, and its frames come through these relays, itself in front. Sent
    /// after [`Online`](Self::Online), and again when that changes.
    Via(Via),
    /// A whole frame.
    Frame(Captured),
    /// Bytes that belong to no frame.
    Discarded {
        /// Why they do not.
        reason: DiscardReason,
        /// How many.
        bytes: u64,
    },
    /// The connection carries a flood: markers, header lines or tiny pictures, so close together
    /// that their [decisions](mjpeg_codec#floods) cost more than half of their bytes, and so many
    /// that a quarter of one core does not suffice. It is read more slowly, so that it takes no
    /// more than that; no picture is lost by it. Sent once per flood.
    Flooded,
    /// The connection is open, but no frame has come for ten of its usual intervals, and 2 s at
    /// least. Sent once; the next frame ends the stall.
    Stalled {
        /// How long no frame has come.
        after: Duration,
    },
    /// The connection has ended, or could not be made. The next attempt begins by itself. After
    /// [`Error::RelayOffline`] the connection goes on, and the next frame ends the outage.
    Offline {
        /// Why.
        error: Arc<Error>,
        /// How long from now the next attempt begins.
        retry_in: Duration,
    },
    /// The source has ended for good. Sent by a [`Failover`](crate::Failover), whose other sources
    /// go on; an [`Ingest`](crate::Ingest) returns `None` instead.
    Ended,
    /// A [`Control`](crate::Control) paused the ingest: the connection is closed until it resumes.
    Paused,
}

/// A frame and the time of its capture.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Captured {
    /// The image.
    pub frame: Frame,
    /// When it was received, and when the camera says it was captured, if it does.
    pub stamp: Stamp,
    /// Whether it came together with the frame before it, which nobody may have had time to take:
    /// an [`Ingest`](crate::Ingest) waited for its bytes less than 10 ms, or not at all.
    pub in_burst: bool,
}

impl Captured {
    pub(crate) fn new(frame: Frame, stamp: Stamp) -> Self {
        Self {
            frame,
            stamp,
            in_burst: false,
        }
    }
}
