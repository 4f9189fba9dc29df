//! The compatibility kit: the real `mjpeg-server`, a camera with odd habits, and the viewers that people have.
//!
//! What stands beside this file serves every kit: the [`camera`], the [`relay`], the [`picture`]s that a viewer's eye is checked
//! with, the [`table`] and its [`record`] in the docs. A kit is a folder of its own, such as [`programs`].

mod camera;
pub(crate) mod engines;
mod picture;
mod programs;
mod record;
mod relay;
mod table;

use anyhow::Result;

use crate::flags::CompatCmd;
use crate::util::Workspace;

pub(crate) fn run(workspace: &Workspace, kit: CompatCmd) -> Result<()> {
    match kit {
        CompatCmd::Programs(options) => programs::run(workspace, &options),
        CompatCmd::Engines(options) => engines::run(workspace, &options),
    }
}
