//! The relay under test.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};
use kit::connections;

/// A running relay of one stream. Dropping it kills the process.
pub(crate) struct Relay(kit::relay::Relay);

impl Relay {
    /// Starts `program` for a camera, with its log in `folder`.
    pub(crate) fn start(
        program: &Path,
        camera: SocketAddr,
        arguments: &[String],
        folder: &Path,
    ) -> Result<Self> {
        let log = folder.join("relay.log");
        let mut command = Command::new(program);
        command
            .args(["run", "--placeholder", "none", "--stream"])
            .arg(kit::relay::stream("kit", camera, "127.0.0.1"))
            .args(arguments)
            .stderr(File::create(&log)?);
        let relay = kit::relay::Relay::start_blocking(&mut command);
        let logged = || format!("it logged: {}", fs::read_to_string(log).unwrap_or_default());
        Ok(Self(relay.with_context(logged)?))
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.0.addr
    }

    /// Whether a viewer is connected.
    pub(crate) fn has_viewer(&self) -> Result<bool> {
        let port = self.addr().port();
        let connections = connections::established(self.0.process.id())?;
        Ok(connections.iter().any(|it| it.local.port() == port))
    }

    /// Shuts the relay down, which ends the viewers' responses.
    pub(crate) fn end(mut self) -> Result<()> {
        self.0.process.terminate()?;
        self.0.process.ended_blocking(END_LIMIT).map(drop)
    }
}

const END_LIMIT: Duration = Duration::from_secs(8);
