//! What the answers of a camera are like, for whoever wants to tell its user.

pub(crate) mod facts;
pub(crate) mod observer;
#[cfg(feature = "http")]
pub(crate) mod parts;
pub(crate) mod quirk;
