//! What another relay sends, in a protocol that its source reads.

use std::time::SystemTime;

use mjpeg_codec::{Frame, Stamp, multipart::RelayHeaders};

/// What another relay sends, in a protocol that its source reads: see
/// [`Connection::relayed`](crate::Connection::relayed).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum RelayedPart {
    /// A frame, and what the relay says of it.
    Frame {
        /// The image.
        frame: Frame,
        /// When it was captured, as the relay shows it to viewers.
        timestamp: Option<SystemTime>,
        /// Which frame it is, its age, and whether its camera is online.
        said: RelayHeaders,
    },
    /// What the relay says of its camera between two frames. It is a sign of life.
    State {
        /// False if the camera is lost. It is true while it is being connected, too.
        is_online: bool,
    },
}

/// What a stream of whole frames carries.
pub(crate) enum Delivered {
    Frame(Frame, Stamp),
    Relayed(RelayedPart),
}
