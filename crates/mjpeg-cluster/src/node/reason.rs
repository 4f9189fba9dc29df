//! Why a node claims a stream.

/// Why a node has claimed a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum ClaimReason {
    Unowned,
    OwnerGone,
    OwnerDrained,
    GivenUp,
    Requested,
    Retaken,
}
