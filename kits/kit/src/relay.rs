//! Runs `mjpeg-server` as a process, as its users do.

use std::net::SocketAddr;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};

use crate::child::{Child, block_on};

/// A running relay, or another server that prints its URL. Dropping it kills the process.
pub struct Relay {
    /// The process.
    pub process: Child,
    /// The address that it serves on.
    pub addr: SocketAddr,
}

impl Relay {
    /// Starts a relay of one stream and waits for its URL.
    pub async fn start(command: &mut Command) -> Result<Self> {
        let mut process = Child::start(command.stdout(Stdio::piped()), "the server")?;
        let addr = address(&process.line().await?)?;
        Ok(Self { process, addr })
    }

    /// As [`Self::start`], blocking the thread.
    pub fn start_blocking(command: &mut Command) -> Result<Self> {
        block_on(Self::start(command))
    }
}

/// The value of `--stream` that serves this camera on a free port of `ip`.
#[must_use]
pub fn stream(name: &str, camera: SocketAddr, ip: &str) -> String {
    format!("{name}=tcp://{camera}@{ip}:0")
}

/// The address in a URL that the relay prints. The relay prints `localhost` if it listens on all
/// addresses; here that means 127.0.0.1.
pub fn address(url: &str) -> Result<SocketAddr> {
    let addr = url.strip_prefix("http://").and_then(|rest| {
        let host = rest.trim_end_matches('/');
        host.replace("localhost:", "127.0.0.1:").parse().ok()
    });
    addr.with_context(|| format!("the server printed {url:?} instead of a URL with an address"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_read_from_the_url() {
        let addr = address("http://127.0.0.1:8081/").unwrap();
        assert_eq!(addr, ([127, 0, 0, 1], 8081).into());
        assert!(address("http://[::1]:80/").is_ok());
        let local = address("http://localhost:8081/").unwrap();
        assert_eq!(local, addr);
        for text in ["", "127.0.0.1:8081", "http://name:80/"] {
            assert!(address(text).is_err(), "{text}");
        }
    }
}
