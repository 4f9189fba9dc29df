//! A camera that we connect to over TCP.

use std::{
    collections::VecDeque,
    io,
    net::{IpAddr, SocketAddr, ToSocketAddrs},
    time::Duration,
};

use async_trait::async_trait;
use futures_util::stream::{FuturesUnordered, StreamExt};
use socket2::{SockRef, TcpKeepalive};
use tokio::{net::TcpStream, sync::Semaphore, task::spawn_blocking, time::sleep};

use crate::{
    connect::{Connect, Connection},
    error::ConnectError,
};

/// A camera that sends raw concatenated JPEG images to each client that connects.
#[derive(Debug)]
pub(super) struct Tcp {
    host: String,
    port: u16,
}

impl Tcp {
    pub(super) fn new(host: &str, port: u16) -> Self {
        Self {
            host: host.into(),
            port,
        }
    }
}

#[async_trait]
impl Connect for Tcp {
    async fn connect(&self) -> Result<Connection, ConnectError> {
        let (stream, peer) = dial(&self.host, self.port).await?;
        Ok(Connection::bytes(stream, peer.to_string()))
    }
}

/// Connects to the address of the host that answers first.
pub(super) async fn dial(host: &str, port: u16) -> Result<(TcpStream, SocketAddr), ConnectError> {
    let resolve = |source| ConnectError::Resolve {
        host: host.into(),
        source,
    };
    let addresses = look_up(host, port).await.map_err(resolve)?;
    let (stream, peer) = race(interleaved(addresses))
        .await
        .map_err(|failed| match failed {
            Some((addr, source)) => ConnectError::Failed { addr, source },
            None => resolve(io::Error::new(
                io::ErrorKind::NotFound,
                "the name has no address",
            )),
        })?;
    keep_alive(&stream);
    Ok((stream, peer))
}

/// Resolves a name.
///
/// The system's resolver blocks its thread, for minutes if its servers do not answer, and cannot be
/// cancelled. So the look-ups of all cameras together have a limited number of threads, and those
/// that were given up count until they have ended.
async fn look_up(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Ok(vec![(ip, port).into()]);
    }
    let permit = LOOK_UPS.acquire().await.map_err(io::Error::other)?;
    let host = host.to_owned();
    let looked_up = spawn_blocking(move || {
        let _permit = permit;
        (&*host, port).to_socket_addrs().map(Iterator::collect)
    });
    looked_up.await?
}

/// Turns on TCP keepalive: a camera whose cable was pulled sends no FIN, and the stall limit may be
/// long.
pub(super) fn keep_alive(stream: &TcpStream) {
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE_IDLE);
    #[cfg(any(
        target_os = "linux",
        target_os = "android",
        target_vendor = "apple",
        windows
    ))]
    let keepalive = keepalive.with_interval(KEEPALIVE_INTERVAL);
    // A socket without keepalive still works.
    let _ = SockRef::from(stream).set_tcp_keepalive(&keepalive);
}

/// Alternates between the address families, starting with the one that the resolver put first
/// (RFC 8305, section 4).
fn interleaved(addresses: Vec<SocketAddr>) -> VecDeque<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (mut a, mut b): (VecDeque<_>, VecDeque<_>) = addresses
        .into_iter()
        .partition(|addr| addr.is_ipv6() == first_is_v6);
    let mut mixed = VecDeque::with_capacity(a.len() + b.len());
    while !(a.is_empty() && b.is_empty()) {
        mixed.extend(a.pop_front());
        mixed.extend(b.pop_front());
    }
    mixed
}

/// Tries the addresses in order, each when the previous one has failed or has had its head start.
///
/// The first connection wins and drops the other attempts (RFC 8305, section 5). If all attempts
/// fail, returns the first failure.
async fn race(
    mut untried: VecDeque<SocketAddr>,
) -> Result<(TcpStream, SocketAddr), Option<(SocketAddr, io::Error)>> {
    let mut attempts = FuturesUnordered::new();
    let mut first_failure = None;
    loop {
        if let Some(addr) = untried.pop_front() {
            attempts.push(async move { (addr, TcpStream::connect(addr).await) });
        }
        let outcome = tokio::select! {
            outcome = attempts.next() => outcome,
            () = sleep(ATTEMPT_DELAY), if !untried.is_empty() => continue,
        };
        match outcome {
            Some((addr, Ok(stream))) => return Ok((stream, addr)),
            Some((addr, Err(error))) => {
                first_failure.get_or_insert((addr, error));
            }
            None => return Err(first_failure),
        }
    }
}

/// The name look-ups of this process at one time.
static LOOK_UPS: Semaphore = Semaphore::const_new(32);

/// The head start of an address before the next one is tried in parallel (RFC 8305, section 8:
/// Connection Attempt Delay).
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// How long a connection is silent before the first keepalive probe.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(10);

/// The time between keepalive probes.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use mjpeg_testkit::{Camera, FullBacklog, Script, refused_addr};
    use tokio::time::timeout;

    use super::*;

    fn addrs(list: &[&str]) -> Vec<SocketAddr> {
        list.iter().map(|a| a.parse().unwrap()).collect()
    }

    #[test]
    fn families_alternate_from_the_first() {
        let mixed = interleaved(addrs(&["[::1]:1", "[::2]:1", "[::3]:1", "1.0.0.1:1"]));
        assert_eq!(
            mixed,
            addrs(&["[::1]:1", "1.0.0.1:1", "[::2]:1", "[::3]:1"])
        );
        let mixed = interleaved(addrs(&["1.0.0.1:1", "1.0.0.2:1", "[::1]:1"]));
        assert_eq!(mixed, addrs(&["1.0.0.1:1", "[::1]:1", "1.0.0.2:1"]));
    }

    #[tokio::test]
    async fn next_address_is_tried_when_one_refuses() {
        let camera = Camera::start(Script::stall()).await;
        let refused = refused_addr().await;
        let (_, addr) = race([refused, camera.addr()].into()).await.unwrap();
        assert_eq!(addr, camera.addr());
        let (first, _) = race([refused].into()).await.unwrap_err().unwrap();
        assert_eq!(first, refused);
    }

    #[tokio::test]
    async fn next_address_is_tried_beside_one_that_does_not_answer() {
        let (silent, camera) = (
            FullBacklog::start().await,
            Camera::start(Script::stall()).await,
        );
        // Far sooner than the first address would give up, which takes the system minutes.
        let racing = timeout(
            Duration::from_secs(10),
            race([silent.addr(), camera.addr()].into()),
        );
        assert_eq!(racing.await.expect("raced").unwrap().1, camera.addr());
    }
}
