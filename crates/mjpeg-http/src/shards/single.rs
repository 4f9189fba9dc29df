//! A viewer that a shard serves by itself, apart from those that are ready.

use std::sync::Arc;

use bytes::Bytes;
use mjpeg_fanout::Turn;

use crate::shards::{
    attached::Attached,
    offer::CaughtUp,
    viewer::{ActiveViewer, NewViewer},
};

/// A viewer to serve by itself.
pub(crate) struct Single {
    pub(crate) viewer: ActiveViewer,
    /// If it is new.
    pub(crate) opening: Option<Bytes>,
    /// If it was ready when the newest frame came, and busy with a repeat.
    pub(crate) turn: Option<Arc<Turn>>,
}

impl Single {
    pub(crate) fn new(viewer: NewViewer, attached: Attached) -> Self {
        let (viewer, opening) = viewer.begin(attached);
        Self {
            viewer,
            opening: Some(opening),
            turn: None,
        }
    }
}

impl From<CaughtUp> for Single {
    fn from((viewer, turn): CaughtUp) -> Self {
        Self {
            viewer,
            opening: None,
            turn,
        }
    }
}
