//! Pictures that others send to us, one request after another.

mod feed;
pub(super) mod head;
mod inlet;
pub(super) mod intake;
pub(super) mod outcome;
mod pace;
mod reading;
pub(super) mod request;

pub use inlet::{Inlet, Push};
pub use outcome::PushOutcome;

pub(super) use self::{feed::open, inlet::PushSource};
