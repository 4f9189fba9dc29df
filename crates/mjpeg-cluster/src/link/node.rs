//! What the link asks the rest of the node.

use std::time::Duration;

use mjpeg_codec::multipart::Via;
use mjpeg_fanout::Consumer;
use mjpeg_http::StreamService;

use super::address::LinkNodeId;

/// What the link asks the rest of the node: where streams are, and whether the engine is reached.
///
/// It is called on threads that serve frames, so none of its methods may block.
pub trait LinkNode: Send + Sync + 'static {
    /// Finds where a stream is to be read. Asked for each request, and once a second for each node
    /// that reads it: the answer ends when the place has changed.
    fn place(&self, stream: &str) -> LinkPlace;

    /// Whether this node reaches the engine by which the cluster agrees.
    fn reaches_engine(&self) -> bool;

    /// Chooses a node that passes a stream on to another one, of those that read it from this one.
    /// Default: none, and the other one is refused.
    fn hub(&self, stream: &str, edges: &[LinkNodeId]) -> Option<LinkNodeId> {
        let _ = (stream, edges);
        None
    }

    /// Chooses a node through which another one is to read a stream although there is room for it
    /// here, of those that read it from this one: such as one at its site. Default: none.
    fn hub_for(
        &self,
        stream: &str,
        reader: &LinkNodeId,
        edges: &[LinkNodeId],
    ) -> Option<LinkNodeId> {
        let _ = (stream, reader, edges);
        None
    }
}

/// Where a stream is to be read.
#[derive(Debug)]
#[non_exhaustive]
pub enum LinkPlace {
    /// Here: this node owns it, or is about to.
    Here(LinkStream),
    /// At another node.
    Elsewhere {
        /// The owner.
        owner: LinkNodeId,
        /// The stream as this node reads it from there, if it does: it may be a hub.
        relayed: Option<LinkStream>,
    },
    /// Nowhere at present.
    Nobody,
    /// There is no such stream.
    Unknown,
}

/// A stream that this node has.
#[derive(Debug)]
pub struct LinkStream {
    pub(super) service: StreamService,
    pub(super) consumer: Consumer,
    pub(super) epoch: Option<u64>,
    pub(super) depth: u8,
    pub(super) outage: Option<LinkOutage>,
}

/// How long a camera has been lost, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkOutage {
    pub(super) lasted: Duration,
    pub(super) why: String,
}

impl LinkStream {
    /// Makes it of the service that admits its viewers, and of a consumer of its frames.
    pub fn new(service: StreamService, consumer: Consumer) -> Self {
        Self {
            service,
            consumer,
            epoch: None,
            depth: 0,
            outage: None,
        }
    }

    /// Sets the epoch in which this node owns it. Default: that of the newest frame.
    ///
    /// An owner should set it. Frames of an older epoch are not passed on then, and what is left of
    /// the way on which they came does not make anybody refuse this node's frames.
    pub fn with_epoch(mut self, epoch: u64) -> Self {
        self.epoch = Some(epoch);
        self
    }

    /// Sets how many nodes the frames come through: 0 for the owner, which is the default. For
    /// others it is [`LinkPull::depth`](crate::LinkPull::depth).
    pub fn with_depth(mut self, depth: u8) -> Self {
        self.depth = depth;
        self
    }

    /// Sets that the camera is lost, and why. Default: it is not, or nothing is known.
    pub fn with_outage(mut self, outage: impl Into<Option<LinkOutage>>) -> Self {
        self.outage = outage.into();
        self
    }

    /// The relays that the frames come through: none as long as those that are there are of an
    /// owner before.
    pub(super) fn via(&self) -> Via {
        let latest = self.consumer.latest().map(|frame| frame.id().epoch);
        match self.epoch > latest {
            true => Via::default(),
            false => self.consumer.via(),
        }
    }
}

impl LinkOutage {
    /// Makes an outage that has lasted for this time. `why` is shown to people at all nodes, so it
    /// must hold no secret: a [kind of failure](mjpeg_ingest::FailureKind) fits.
    pub fn new(lasted: Duration, why: impl Into<String>) -> Self {
        Self {
            lasted,
            why: why.into(),
        }
    }
}
