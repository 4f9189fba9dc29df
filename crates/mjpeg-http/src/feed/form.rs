//! The bytes that a frame becomes for one viewer.

use bytes::Bytes;
use mjpeg_codec::multipart::{AllowOrigin, Boundary, Layout, Part, RelayHeaders};
use mjpeg_fanout::Published;

use crate::request::stream::StreamRequest;

/// The form in which a viewer gets frames. All viewers of one form share one buffer per frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Form {
    layout: Layout,
    /// Each part has a head of its own, for a relay.
    is_relay: bool,
    allow_origin: AllowOrigin,
}

/// What goes over the wire for a part.
pub(crate) struct Rendered {
    /// What this viewer alone gets; mostly nothing.
    pub(crate) head: Bytes,
    /// What viewers share.
    pub(crate) part: Bytes,
}

impl Rendered {
    pub(crate) fn len(&self) -> usize {
        self.head.len() + self.part.len()
    }
}

impl Form {
    pub(crate) fn new(request: &StreamRequest) -> Self {
        let allow_origin = match request.layout {
            // Parts of this layout say nothing of origins, so that all viewers can share them.
            Layout::Trailing => AllowOrigin::ANY,
            _ => request.allow_origin.clone(),
        };
        Self {
            layout: request.layout,
            is_relay: request.is_relay,
            allow_origin,
        }
    }

    /// What the body begins with, before the first part.
    pub(crate) fn opening(&self) -> Bytes {
        Boundary::default().opening_for(self.layout, &self.allow_origin)
    }

    /// Returns the frame's part. The first viewer to need it renders it for all.
    pub(crate) fn part(&self, frame: &Published) -> Part {
        frame.part_for(&self.allow_origin)
    }

    /// What goes over the wire for a part. `headers` is called for relays only.
    pub(crate) fn bytes(&self, part: &Part, headers: impl FnOnce() -> RelayHeaders) -> Rendered {
        if self.is_relay {
            let (head, part) = part.for_relay(&headers());
            return Rendered { head, part };
        }
        Rendered {
            head: Bytes::new(),
            part: part.bytes(self.layout),
        }
    }

    pub(crate) fn allow_origin(&self) -> &AllowOrigin {
        &self.allow_origin
    }
}
