//! Made-up cameras that speak raw Motion-JPEG over real TCP, for those who have no camera at hand.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::{Duration, SystemTime},
};

use anyhow::Result;
use mjpeg_ingest::Source;
use mjpeg_picture::TestPicture;
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet, spawn_blocking},
    time::{MissedTickBehavior, interval},
};
use tracing::debug;

/// A made-up camera on a free loopback port: a moving test picture with name, clock and frame number, for whoever connects. Dropping it ends
/// it.
#[derive(Debug)]
pub struct DemoCamera {
    addr: SocketAddr,
    task: JoinHandle<()>,
}

impl DemoCamera {
    /// Starts a camera of that name, 640x480 at 15 frames per second.
    ///
    /// # Errors
    ///
    /// When this machine has no free loopback port.
    pub async fn start(name: &str) -> Result<Self> {
        let picture = Arc::new(TestPicture::new(name, WIDTH, HEIGHT)?);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let addr = listener.local_addr()?;
        Ok(Self {
            addr,
            task: tokio::spawn(accept(listener, picture)),
        })
    }

    /// The camera as a source of frames.
    pub fn source(&self) -> Source {
        Source::tcp(&self.addr.ip().to_string(), self.addr.port())
    }
}

impl Drop for DemoCamera {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, picture: Arc<TestPicture>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Some(_ended) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(film(stream, Arc::clone(&picture)));
                }
                Err(error) => {
                    debug!(%error, "a demo camera cannot accept a connection");
                    tokio::time::sleep(INTERVAL).await;
                }
            },
        }
    }
}

async fn film(mut stream: TcpStream, picture: Arc<TestPicture>) -> io::Result<()> {
    let mut ticks = interval(INTERVAL);
    // On a machine that is too slow the camera drops frames, as a real one does.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    for number in 0.. {
        ticks.tick().await;
        let picture = Arc::clone(&picture);
        // Encoding takes milliseconds, which would hold up the viewers on the same worker.
        let jpeg = spawn_blocking(move || picture.render(number, SystemTime::now()))
            .await
            .map_err(io::Error::other)?;
        stream.write_all(&jpeg).await?;
    }
    Ok(())
}

const WIDTH: u16 = 640;
const HEIGHT: u16 = 480;
const INTERVAL: Duration = Duration::from_micros(1_000_000 / 15);
