//! What other people's programs make of the relay's streams.

pub(crate) mod engines;

use anyhow::Result;

use crate::flags::{Compat, CompatCmd};
use crate::util::Workspace;

pub(crate) fn run(workspace: &Workspace, compat: Compat) -> Result<()> {
    match compat.subcommand {
        CompatCmd::Engines(flags) => engines::run(workspace, &flags),
    }
}
