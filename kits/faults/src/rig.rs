//! What a case runs on: a relay of an undamaged stream, the bystander, whose viewers must lose no
//! picture.

pub(crate) mod judged;
pub(crate) mod program;
pub(crate) mod relay;
pub(crate) mod watchers;

use anyhow::Result;

use self::judged::Judged;
use crate::{launch::Launch, setting::Setting};

/// A relay with a bystander, for one case. Dropping it kills the relay.
pub(crate) trait Rig: Sized {
    /// Starts the relay, the bystander and its viewers.
    async fn set(setting: &Setting, name: &str, launch: &Launch) -> Result<Self>;

    /// Counts what was lost, checks that nothing is left behind, and ends the relay.
    async fn judge(self) -> Result<Judged>;
}
