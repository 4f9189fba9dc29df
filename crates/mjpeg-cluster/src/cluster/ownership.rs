//! Who owns a stream.

use mjpeg_ingest::Tenure;

use crate::name::{NodeName, PeerAddress};

/// Who owns a stream.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Ownership {
    /// This node: it may be connected to the camera as long as the tenure is open.
    Mine(Tenure),
    /// Another node.
    #[non_exhaustive]
    Theirs {
        /// Its name.
        node: NodeName,
        /// Where it is reached.
        address: PeerAddress,
        /// In which epoch it owns the stream.
        epoch: u64,
    },
    /// Nobody, as far as this node knows.
    #[non_exhaustive]
    Nobody {
        /// The other node that may claim it first. `None` if this node may, or is alone.
        next: Option<PeerAddress>,
    },
}

impl Ownership {
    /// Whether another node has the stream or is the next to claim it, and is reached there.
    pub(crate) fn is_at(&self, peer: &PeerAddress) -> bool {
        match self {
            Self::Theirs { address, .. }
            | Self::Nobody {
                next: Some(address),
            } => address == peer,
            _ => false,
        }
    }

    /// Whether another node than the one at this address has the stream, or this node has it. A
    /// node whose claim the engine has forgotten may keep the stream and claim it anew.
    pub(crate) fn is_elsewhere(&self, peer: &PeerAddress) -> bool {
        match self {
            Self::Mine(_) => true,
            Self::Theirs { address, .. } => address != peer,
            Self::Nobody { .. } => false,
        }
    }

    /// Whether both say the same, so that nobody needs to be told.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Mine(one), Self::Mine(other)) => one.epoch() == other.epoch(),
            (
                Self::Theirs { address, epoch, .. },
                Self::Theirs {
                    address: other,
                    epoch: later,
                    ..
                },
            ) => address == other && epoch == later,
            (Self::Nobody { next }, Self::Nobody { next: other }) => next == other,
            _ => false,
        }
    }
}
