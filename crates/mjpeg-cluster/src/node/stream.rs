//! What a node knows and does about one stream.

use tokio::time::{Duration, Instant};

use crate::spec::SharedStream;

/// A stream that this node may own.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(Hash))]
pub(crate) struct NodeStream {
    pub(crate) spec: SharedStream,
    pub(crate) claim: Claim,
    /// Whether the stream was removed here: its claim is given back, and then it is forgotten.
    pub(crate) removed: bool,
    /// Since when the view shows no owner.
    pub(crate) vacant: Option<Instant>,
    /// When it is this node's turn to claim it.
    pub(crate) turn_at: Option<Instant>,
    /// The latest epoch that was given back: if the view shows it, the view is old.
    pub(crate) done: u64,
    /// Nothing is tried before this.
    pub(crate) retry_at: Option<Instant>,
    /// Since when the camera cannot be dialled.
    pub(crate) failing: Option<Instant>,
    /// The node comes last in the order before this, so that another can claim it.
    pub(crate) unfit_until: Option<Instant>,
    /// How many on this node want the stream.
    pub(crate) wanted: u32,
    /// Since when nobody does.
    pub(crate) unwanted: Option<Instant>,
}

/// How a node stands to a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Claim {
    /// It does not own it.
    Free,
    /// It has sent a claim.
    Claiming { op: u64 },
    /// It may be connected to the camera until its deadline.
    Mine { epoch: u64 },
    /// The engine has forgotten the claim, and all others have promised to claim nothing: the
    /// camera's connection stays while the node claims the stream anew.
    Renewing { epoch: u64, op: Option<u64> },
    /// It closes the camera's connection.
    Closing { epoch: u64, until: Instant },
    /// It has sent a release.
    Releasing { op: u64, epoch: u64 },
}

/// A camera that cannot be dialled for this long is left to another node.
pub(crate) const DIAL_PATIENCE: Duration = Duration::from_secs(30);
/// For this long, a node claims what it has given up only if no other does.
pub(crate) const UNFIT_FOR: Duration = Duration::from_secs(30);
/// A stream on demand that nobody wants for this long is given back.
pub(crate) const UNWANTED_FOR: Duration = Duration::from_secs(30);

impl NodeStream {
    pub(crate) fn new(spec: SharedStream, now: Instant) -> Self {
        Self {
            spec,
            claim: Claim::Free,
            removed: false,
            vacant: None,
            turn_at: None,
            done: 0,
            retry_at: None,
            failing: None,
            unfit_until: None,
            wanted: 0,
            unwanted: Some(now),
        }
    }

    /// Whether the node has to do with the stream's camera, or soon may.
    pub(crate) fn counts(&self) -> bool {
        !matches!(self.claim, Claim::Free)
    }

    /// Whether somebody here wants the camera's frames, or did a moment ago.
    pub(crate) fn is_wanted(&self, now: Instant) -> bool {
        let lately = |since| now < since + UNWANTED_FOR;
        !self.spec.on_demand || self.wanted > 0 || (self.owns() && self.unwanted.is_none_or(lately))
    }

    fn owns(&self) -> bool {
        matches!(self.claim, Claim::Mine { .. } | Claim::Renewing { .. })
    }

    /// When time alone changes what is to be done.
    pub(crate) fn due(&self) -> impl Iterator<Item = Instant> {
        let closing = match self.claim {
            Claim::Closing { until, .. } => Some(until),
            _ => None,
        };
        let owned = self.owns();
        let patience = self
            .failing
            .filter(|_| owned)
            .map(|since| since + DIAL_PATIENCE);
        let on_demand = owned && self.spec.on_demand && self.wanted == 0;
        let unwanted = self
            .unwanted
            .filter(|_| on_demand)
            .map(|since| since + UNWANTED_FOR);
        let free = matches!(self.claim, Claim::Free);
        let waits = [self.retry_at, self.unfit_until, self.turn_at].map(|at| at.filter(|_| free));
        [closing, patience, unwanted]
            .into_iter()
            .chain(waits)
            .flatten()
    }
}
