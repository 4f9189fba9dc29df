//! A camera over bare TCP that sends when it is told to: first the viewer has to be there.

use std::io::{self, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use bytes::Bytes;

/// What the camera sends for one picture, or for what should have been one.
#[derive(Clone)]
pub(crate) struct Shot {
    /// Each is a write of its own, with a pause behind it, so that it arrives by itself.
    pub(crate) writes: Vec<Bytes>,
}

impl From<Bytes> for Shot {
    fn from(whole: Bytes) -> Self {
        Self {
            writes: vec![whole],
        }
    }
}

pub(crate) struct Camera {
    listener: TcpListener,
}

impl Camera {
    pub(crate) fn listen() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        Ok(Self { listener })
    }

    pub(crate) fn addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Waits for the relay.
    pub(crate) fn accept(&self) -> Result<Connection> {
        let start = Instant::now();
        loop {
            match self.listener.accept() {
                Ok((stream, _)) => {
                    stream.set_nonblocking(false)?;
                    stream.set_nodelay(true)?;
                    return Ok(Connection(stream));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error.into()),
            }
            if start.elapsed() > RELAY_LIMIT {
                return Err(io::Error::from(io::ErrorKind::TimedOut))
                    .context("the relay does not connect to its camera");
            }
            sleep(Duration::from_millis(5));
        }
    }
}

/// The relay's connection to the camera.
pub(crate) struct Connection(TcpStream);

impl Connection {
    pub(crate) fn send(&mut self, shot: &Shot) -> Result<()> {
        for (i, write) in shot.writes.iter().enumerate() {
            if i > 0 {
                sleep(BETWEEN_WRITES);
            }
            self.0
                .write_all(write)
                .context("the relay has left its camera")?;
        }
        Ok(())
    }
}

const RELAY_LIMIT: Duration = Duration::from_secs(5);
/// Long enough for the relay to read what came before.
const BETWEEN_WRITES: Duration = Duration::from_millis(15);
