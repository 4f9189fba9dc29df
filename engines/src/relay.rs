//! The relay under test: the program itself, in a process of its own.

use std::{net::SocketAddr, path::Path, process::Stdio, time::Duration};

use anyhow::{Context as _, Result};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
    time::timeout,
};

/// Killed when dropped.
pub(crate) struct Relay {
    pub(crate) addr: SocketAddr,
    _child: Child,
}

impl Relay {
    /// Relays this camera, on a free port of the camera's address.
    pub(crate) async fn start(program: &Path, camera: SocketAddr, more: &[&str]) -> Result<Self> {
        let mut child = Command::new(program)
            .args(["--log", "error", "run", "--placeholder", "none", "--stream"])
            .arg(format!("s=tcp://{camera}@{}:0", camera.ip()))
            .args(more)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("starting {}", program.display()))?;
        let stdout = child.stdout.take().context("standard output is piped")?;
        let mut lines = BufReader::new(stdout).lines();
        let url = timeout(Duration::from_secs(10), lines.next_line()).await;
        let url = url
            .context("the relay prints no URL")??
            .context("the relay ended")?;
        let addr = url
            .strip_prefix("http://")
            .and_then(|url| url.trim_end_matches('/').parse().ok())
            .with_context(|| format!("{url:?} is not a URL with an address"))?;
        Ok(Self {
            addr,
            _child: child,
        })
    }
}
