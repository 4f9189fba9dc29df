//! What the relay at the other end says about its camera.

use std::{sync::Arc, time::Duration};

use mjpeg_codec::{FrameId, multipart::RelayHeaders};

use crate::{error::Error, event::Event};

/// What the relay at the other end has said so far. A camera says nothing, and counts as online.
#[derive(Debug, Default)]
pub(crate) struct Upstream {
    last: Option<FrameId>,
    is_offline: bool,
    is_reported: bool,
}

impl Upstream {
    /// Records what the relay says of a part. Returns whether its frame is one that has not come
    /// before.
    pub(crate) fn is_new(&mut self, said: &RelayHeaders) -> bool {
        if said.is_online {
            self.is_reported = false;
        }
        self.is_offline = !said.is_online;
        // What an outage has left behind long ago is no picture of now.
        let is_old = !said.is_online && said.age > RelayHeaders::OLDEST;
        if said.is_repeat || is_old || self.last == Some(said.id) {
            return false;
        }
        self.last = Some(said.id);
        true
    }

    /// Returns the event that the relay has lost its camera, once for each outage.
    pub(crate) fn report(&mut self) -> Option<Event> {
        if !self.is_offline || self.is_reported {
            return None;
        }
        self.is_reported = true;
        Some(Event::Offline {
            error: Arc::new(Error::RelayOffline),
            retry_in: Duration::ZERO,
        })
    }
}
