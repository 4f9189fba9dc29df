//! The relays behind a stream's sources.

use mjpeg_codec::multipart::Via;
use mjpeg_ingest::Event;

/// The relays that each source's frames come through, and which source is in use.
#[derive(Debug, Default)]
pub(crate) struct Upstreams {
    by_source: Vec<Via>,
    active: usize,
}

impl Upstreams {
    /// Records an event of a source. Returns the relays behind the source in use if they may have
    /// changed.
    pub(crate) fn record(&mut self, index: usize, event: &Event) -> Option<Via> {
        match event {
            Event::Online { .. } => self.set(index, Via::default()),
            Event::Via(via) => self.set(index, via.clone()),
            Event::Frame(_) if index != self.active => self.active = index,
            _ => return None,
        }
        Some(self.by_source.get(self.active).cloned().unwrap_or_default())
    }

    fn set(&mut self, index: usize, via: Via) {
        if self.by_source.len() <= index {
            self.by_source.resize(index + 1, Via::default());
        }
        self.by_source[index] = via;
    }
}

#[cfg(test)]
mod tests {
    use mjpeg_codec::multipart::RelayId;

    use super::*;

    #[test]
    fn relays_are_those_of_the_source_in_use() {
        let via = |n| Via::through(RelayId::new(n), &Via::default());
        let online = |peer: &str| Event::Online { peer: peer.into() };
        let mut upstreams = Upstreams::default();
        assert_eq!(upstreams.record(0, &online("camera")), Some(Via::default()));
        // The second source is connected while the first is silent; it is a relay.
        assert_eq!(upstreams.record(1, &online("relay")), Some(Via::default()));
        assert_eq!(
            upstreams.record(1, &Event::Via(via(7))),
            Some(Via::default())
        );
        upstreams.active = 1;
        assert_eq!(upstreams.record(0, &online("camera")), Some(via(7)));
        assert_eq!(upstreams.record(1, &Event::Via(via(8))), Some(via(8)));
        upstreams.active = 0;
        assert_eq!(upstreams.record(0, &online("camera")), Some(Via::default()));
        assert_eq!(upstreams.record(0, &Event::Paused), None);
    }
}
