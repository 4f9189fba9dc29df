//! A viewer as its shard holds it.

use bytes::Bytes;

use crate::{
    feed::Feed,
    shards::{attached::Attached, viewer_socket::ViewerSocket},
    stats::CountedConnection,
};

/// A viewer that is being served.
pub(crate) struct ActiveViewer {
    pub(crate) socket: ViewerSocket,
    pub(crate) feed: Feed,
    pub(crate) _open: CountedConnection,
    pub(crate) _attached: Attached,
}

impl ActiveViewer {
    pub(crate) fn end(self) {
        self.socket.end();
    }
}

/// A viewer that has just come, and what it gets before the first part.
pub(crate) struct NewViewer {
    pub(crate) socket: ViewerSocket,
    pub(crate) feed: Feed,
    pub(crate) open: CountedConnection,
    pub(crate) opening: Bytes,
}

impl NewViewer {
    /// Begins to serve it. Returns what it gets before the first part, too.
    pub(crate) fn begin(self, attached: Attached) -> (ActiveViewer, Bytes) {
        let viewer = ActiveViewer {
            socket: self.socket,
            feed: self.feed,
            _open: self.open,
            _attached: attached,
        };
        (viewer, self.opening)
    }
}
