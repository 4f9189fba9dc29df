//! What the relay at the other end says about its camera.

use std::{error::Error as StdError, sync::Arc, time::Duration};

use mjpeg_codec::{
    FrameId,
    multipart::{RelayHeaders, RelayId, Via},
};

use crate::{
    error::{Error, relay::RelayError},
    event::Event,
};

/// What the relay at the other end has said so far. A camera says nothing, and counts as online.
#[derive(Debug, Default)]
pub(crate) struct Upstream {
    last: Option<FrameId>,
    is_offline: bool,
    via: Via,
    offline_is_reported: bool,
    via_is_reported: bool,
}

impl Upstream {
    /// Begins with the relays that the head of the answer names.
    pub(crate) fn of(via: Via) -> Self {
        Self {
            via_is_reported: via == Via::default(),
            via,
            ..Self::default()
        }
    }

    /// Records what the relay says of a part. Returns whether its frame is one that has not come
    /// before.
    pub(crate) fn is_new(&mut self, said: RelayHeaders) -> bool {
        self.is_offline = !said.is_online;
        if said.via != self.via {
            self.via_is_reported = false;
            self.via = said.via;
        }
        // What an outage has left behind long ago is no picture of now.
        let is_old = !said.is_online && said.age > RelayHeaders::OLDEST;
        if said.is_repeat || is_old || self.last == Some(said.id) {
            return false;
        }
        self.last = Some(said.id);
        // The outage is over when a picture comes.
        self.offline_is_reported &= self.is_offline;
        true
    }

    /// Records what the relay says of its camera without a frame.
    pub(crate) fn state(&mut self, is_online: bool) {
        self.is_offline = !is_online;
    }

    /// Returns what has changed and is not reported yet.
    pub(crate) fn report(&mut self) -> Option<Event> {
        if !self.via_is_reported {
            self.via_is_reported = true;
            return Some(Event::Via(self.via.clone()));
        }
        if self.is_offline && !self.offline_is_reported {
            self.offline_is_reported = true;
            return Some(Event::Offline {
                error: Arc::new(Error::RelayOffline),
                retry_in: Duration::ZERO,
            });
        }
        None
    }

    /// Returns why nothing more may be read from the relay, if so.
    pub(crate) fn refusal(&self) -> Option<Box<dyn StdError + Send + Sync>> {
        let error = check(&self.via).err()?;
        Some(Box::new(error))
    }
}

/// Refuses relays of which this is one, and too many in a row.
pub(crate) fn check(via: &Via) -> Result<(), RelayError> {
    if via.contains(RelayId::of_this_process()) {
        Err(RelayError::Loop)
    } else if via.is_too_long() {
        Err(RelayError::TooMany(Via::MAX_HOPS))
    } else {
        Ok(())
    }
}
