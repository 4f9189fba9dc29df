//! What a case runs on: a relay with an undamaged stream, the bystander, whose viewers may lose
//! nothing.

pub(crate) mod judged;
pub(crate) mod program;
pub(crate) mod relay;
mod watchers;

use anyhow::Result;

use self::judged::Judged;
use crate::{launch::Launch, setting::Setting};

/// A relay with a bystander, for one case.
pub(crate) trait Rig: Sized {
    /// Starts the relay, an undamaged stream and its viewers.
    async fn set(setting: &Setting, name: &str, launch: &Launch) -> Result<Self>;

    /// Counts what was lost, checks that nothing is left behind, and ends the relay.
    async fn judge(self) -> Result<Judged>;
}
