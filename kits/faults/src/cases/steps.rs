//! Steps that several cases share.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, Result};
use mjpeg_testkit::Viewer;
use tokio::{
    io::AsyncWriteExt as _,
    net::TcpStream,
    time::{Instant, sleep, timeout},
};

use crate::{
    camera::{Camera, free_addr},
    rig::relay::RelayRig,
    wait,
};

/// Measures how long something takes.
pub(super) async fn timed<T>(what: impl Future<Output = Result<T>>) -> Result<Duration> {
    let since = Instant::now();
    what.await?;
    Ok(since.elapsed())
}

/// Makes pictures in a thread for blocking work: in a debug build, many of them take seconds.
pub(super) async fn made<T: Send + 'static>(
    make: impl FnOnce() -> T + Send + 'static,
) -> Result<T> {
    Ok(tokio::task::spawn_blocking(make).await?)
}

/// Lets a fault last for some seconds.
pub(super) async fn last(seconds: u64) {
    sleep(secs(seconds)).await;
}

pub(super) const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Starts an undamaged stream beside the bystander, for viewers that misbehave.
pub(super) async fn good(rig: &mut RelayRig) -> Result<(SocketAddr, Camera)> {
    let camera = Camera::good().await?;
    let addr = rig.good_stream(&camera).await?;
    Ok((addr, camera))
}

/// Starts a stream whose camera connects to the relay, and returns the first connection.
pub(super) async fn listening(rig: &mut RelayRig) -> Result<TcpStream> {
    let addr = free_addr()?;
    rig.stream(&format!("tcp-listen://{addr}")).await?;
    let connected = async || Ok(TcpStream::connect(addr).await.ok());
    wait::until("the relay listens for the camera", secs(5), connected).await
}

/// Connects to the relay and sends a request.
pub(super) async fn ask(addr: SocketAddr, request: &[u8]) -> Result<TcpStream> {
    let stream = timeout(secs(10), TcpStream::connect(addr)).await;
    let mut stream = stream.context("the relay accepts no connection")??;
    stream.write_all(request).await?;
    Ok(stream)
}

/// Requests a stream on this many connections, which read nothing.
pub(super) async fn unread_streams(addr: SocketAddr, count: usize) -> Result<Vec<TcpStream>> {
    let mut streams = Vec::new();
    for _ in 0..count {
        streams.push(ask(addr, GET).await?);
    }
    Ok(streams)
}

/// Measures how long a new viewer waits for its first picture.
pub(super) async fn first_picture(addr: SocketAddr) -> Result<Duration> {
    timed(async {
        let mut viewer = Viewer::open(addr, "/").await?;
        let picture = viewer.next_frame().await?;
        picture.context("the response ended before its first picture")
    })
    .await
}

/// A flag that is turned on once. Its clones share it.
#[derive(Clone, Default)]
pub(super) struct Switch(Arc<AtomicBool>);

impl Switch {
    pub(super) fn on(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_on(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Waits until it is on.
    pub(super) async fn wait(&self, limit: Duration) -> Result<()> {
        let what = "the camera has done its part";
        wait::until(what, limit, async || Ok(self.is_on().then_some(()))).await
    }
}

/// A request for a path, after which the connection is to be closed.
pub(super) fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: relay\r\nConnection: close\r\n\r\n")
}

/// A request for a stream.
pub(super) const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: relay\r\n\r\n";
