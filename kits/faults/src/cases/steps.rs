//! Steps that several cases share.

use std::{
    future::Future,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use tokio::{
    io::AsyncWriteExt as _,
    net::TcpStream,
    time::{Instant, sleep, timeout},
};

use crate::{camera::free_addr, rig::relay::RelayRig};

/// Measures how long something takes.
pub(super) async fn timed(what: impl Future<Output = Result<()>>) -> Result<Duration> {
    let since = Instant::now();
    what.await?;
    Ok(since.elapsed())
}

/// Makes pictures on a thread for blocking work: in a debug build, many of them take seconds.
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

/// Starts a stream whose camera connects to the relay, and returns the first connection.
pub(super) async fn listening(rig: &mut RelayRig) -> Result<TcpStream> {
    let addr = free_addr()?;
    rig.stream(&format!("tcp-listen://{addr}")).await?;
    let since = Instant::now();
    loop {
        match TcpStream::connect(addr).await {
            Ok(stream) => return Ok(stream),
            Err(_) if since.elapsed() < secs(5) => sleep(Duration::from_millis(5)).await,
            Err(error) => return Err(error).context("the relay does not listen"),
        }
    }
}

/// Connects to the relay and sends a request.
pub(super) async fn ask(addr: SocketAddr, request: &[u8]) -> Result<TcpStream> {
    let stream = timeout(secs(10), TcpStream::connect(addr)).await;
    let mut stream = stream.context("the relay accepts no connection")??;
    stream.write_all(request).await?;
    Ok(stream)
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
        let since = Instant::now();
        while !self.is_on() {
            ensure!(
                since.elapsed() < limit,
                "the fault is not over after {limit:?}"
            );
            sleep(Duration::from_millis(1)).await;
        }
        Ok(())
    }
}

/// Asks for a stream.
pub(super) const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: relay\r\n\r\n";
