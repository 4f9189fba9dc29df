//! Floods of logins and of changes, while others watch.

mod changes;
mod logins;

use std::{fs, net::SocketAddr, path::Path, time::Duration};

use anyhow::{Context as _, Result};

use self::{
    changes::{changes, controlled},
    logins::{LoginWay, logins, users},
};
use super::steps::secs;
use crate::{
    case::{Case, Run},
    launch::Launch,
    rig::program::ProgramRig,
    wait,
};

pub(super) const CASES: &[Case] = &[
    Case::new(
        "logins-one-address",
        "1000 wrong passwords a second for 10 s, from one address (short: fewer)",
        "who is logged in stays, another user can log in afterwards; pictures are not older",
        Run::Program(|rig| Box::pin(logins(rig, LoginWay::Basic, 1))),
    )
    .set_up(users)
    .short()
    .alone()
    .most_mib(48),
    Case::new(
        "logins-1000-addresses",
        "the same from 1000 addresses, through a trusted proxy",
        "the same",
        Run::Program(|rig| Box::pin(logins(rig, LoginWay::Basic, 1000))),
    )
    .set_up(users)
    .short()
    .alone()
    .most_mib(48),
    Case::new(
        "page-logins-one-address",
        "1000 wrong passwords a second for 10 s at the page's login, from one address (short: \
         fewer)",
        "a session goes on, another user can log in afterwards; pictures are not older",
        Run::Program(|rig| Box::pin(logins(rig, LoginWay::Page, 1))),
    )
    .set_up(users)
    .alone()
    .most_mib(48),
    Case::new(
        "page-logins-1000-addresses",
        "the same from 1000 addresses, through a trusted proxy",
        "the same",
        Run::Program(|rig| Box::pin(logins(rig, LoginWay::Page, 1000))),
    )
    .set_up(users)
    .alone()
    .most_mib(48),
    Case::new(
        "control-flood",
        "16 clients that add and remove streams without a pause for 10 s, at the API and at the \
         control socket",
        "each change is made or refused as a whole; no stream and no file is left",
        Run::Program(|rig| Box::pin(changes(rig))),
    )
    .set_up(controlled)
    .short()
    .alone()
    .most_mib(48),
];

fn configure(dir: &Path, launch: &mut Launch, text: &str) -> Result<()> {
    let file = dir.join(format!("control-{:08x}.toml", fastrand::u32(..)));
    fs::write(&file, text)?;
    launch.env.insert("STATE_DIRECTORY", text_of(dir)?);
    launch.args.extend(["-c".into(), text_of(&file)?]);
    Ok(())
}

fn text_of(path: &Path) -> Result<String> {
    Ok(path.to_str().context("a path that is text")?.to_owned())
}

/// Where the gateway listens, which the program does not print: it has no page.
async fn gateway(rig: &ProgramRig) -> Result<SocketAddr> {
    let found = async || {
        let said = rig.said()?;
        let opened = said.split("listener=main address=").nth(1);
        let addr = opened.and_then(|rest| rest.split_whitespace().next());
        Ok(addr.and_then(|addr| addr.parse().ok()))
    };
    wait::until("the gateway is open", secs(5), found).await
}

/// The short form uses a debug build.
const FLOOD: Duration = secs(if cfg!(debug_assertions) { 2 } else { 10 });
