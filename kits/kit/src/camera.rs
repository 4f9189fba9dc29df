//! A camera over bare TCP: it waits for the relay and then sends the bytes it is given.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::time::Instant;

/// A camera that waits for the relay to connect.
pub struct Camera(TcpListener);

impl Camera {
    /// Listens on a free port of `ip`.
    pub fn listen(ip: IpAddr) -> Result<Self> {
        let listener = TcpListener::bind((ip, 0)).context("a port for the camera")?;
        listener.set_nonblocking(true)?;
        Ok(Self(listener))
    }

    /// The address for the relay to connect to.
    pub fn addr(&self) -> Result<SocketAddr> {
        Ok(self.0.local_addr()?)
    }

    /// Waits at most 10 s for the relay to connect. Blocks the thread.
    #[allow(
        clippy::disallowed_methods,
        reason = "for callers without an async runtime"
    )]
    pub fn accept(&self) -> Result<TcpStream> {
        let since = Instant::now();
        loop {
            match self.0.accept() {
                Ok((stream, _)) => {
                    stream.set_nonblocking(false)?;
                    stream.set_nodelay(true)?;
                    return Ok(stream);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error.into()),
            }
            if since.elapsed() > CONNECT_LIMIT {
                return Err(io::Error::from(io::ErrorKind::TimedOut))
                    .context("the relay does not connect to its camera");
            }
            thread::sleep(Duration::from_millis(5));
        }
    }
}

const CONNECT_LIMIT: Duration = Duration::from_secs(10);
