//! The relay under test.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};

/// A running relay of one stream. Dropping it kills the process.
pub(crate) struct Relay(kit::relay::Relay);

impl Relay {
    /// Starts `program` for a camera. What it logs goes to a file in `folder`.
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

    /// Counts the connections that viewers have to it now, as the system knows them.
    pub(crate) fn connections(&self) -> Result<usize> {
        let table = fs::read_to_string("/proc/net/tcp")
            .context("reading the system's connections; this kit needs Linux")?;
        Ok(established(&table, self.addr().port()))
    }

    /// Ends it in order, which ends the viewers' responses.
    pub(crate) fn end(mut self) -> Result<()> {
        self.0.process.terminate()?;
        self.0.process.ended_blocking(END_LIMIT).map(drop)
    }
}

/// Counts the established connections whose local port is this one, in the form of `/proc/net/tcp`.
fn established(table: &str, port: u16) -> usize {
    let local = format!(":{port:04X}");
    let lines = table.lines().skip(1).filter(|line| {
        let mut columns = line.split_whitespace().skip(1);
        let ours = columns.next().is_some_and(|addr| addr.ends_with(&local));
        ours && columns.nth(1) == Some("01")
    });
    lines.count()
}

const END_LIMIT: Duration = Duration::from_secs(8);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_open_connections_to_the_port_count() {
        let table = "  sl  local_address rem_address   st tx_queue\n\
             0: 0100007F:1F91 00000000:0000 0A 00000000:00000000\n\
             1: 0100007F:1F91 0100007F:D2A6 01 00000000:00000000\n\
             2: 0100007F:D2A6 0100007F:1F91 01 00000000:00000000\n\
             3: 0100007F:1F91 0100007F:D2A8 08 00000000:00000000\n";
        assert_eq!(established(table, 8081), 1);
        assert_eq!(established(table, 8082), 0);
    }
}
