//! The past of a stream, from the ring in which its last frames are kept.

pub(crate) mod clip;
pub(crate) mod moment;
pub(crate) mod places;
pub(crate) mod player;
