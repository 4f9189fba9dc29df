//! What a request says of who sent it.

pub(crate) mod authorization;
pub(crate) mod cookies;
pub(crate) mod proxied;
