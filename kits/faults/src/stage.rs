//! Where a case is played: a relay with an undamaged stream, whose viewers may lose nothing.

pub(crate) mod judged;
pub(crate) mod program;
pub(crate) mod relay;
mod watchers;

use anyhow::Result;

use self::judged::Judged;
use crate::{launch::Launch, setting::Setting};

/// A stage that a case can be played on.
pub(crate) trait Play: Sized {
    /// Starts the relay, an undamaged stream and its viewers.
    async fn set(setting: &Setting, name: &str, launch: &Launch) -> Result<Self>;

    /// Counts what was lost, looks whether anything is left behind, and ends the relay.
    async fn judge(self) -> Result<Judged>;
}
