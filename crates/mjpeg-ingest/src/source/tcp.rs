//! A camera that we connect to over TCP.

use std::{collections::VecDeque, io, net::SocketAddr, time::Duration};

use async_trait::async_trait;
use futures_util::stream::{FuturesUnordered, StreamExt};
use socket2::{SockRef, TcpKeepalive};
use tokio::{net::TcpStream, time::sleep};

use super::look_up::look_up;
use crate::{
    config::IngestConfig,
    connect::{Connect, Connection},
    dial_policy::DialPolicy,
    error::ConnectError,
    within::within,
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
        self.connect_within(&IngestConfig::default()).await
    }

    async fn connect_within(&self, config: &IngestConfig) -> Result<Connection, ConnectError> {
        let after = config.connect_timeout();
        let dialled = within(after, dial(&self.host, self.port, config.dial_policy())).await;
        let (stream, peer) = dialled.unwrap_or(Err(ConnectError::TimedOut { after }))?;
        Ok(Connection::bytes(stream, peer.to_string()))
    }
}

/// Connects to the address of the host that answers first, of those that the policy permits. It
/// judges the very addresses that are dialled, anew each time: a name may lead elsewhere the next
/// time that it is looked up.
pub(super) async fn dial(
    host: &str,
    port: u16,
    policy: &DialPolicy,
) -> Result<(TcpStream, SocketAddr), ConnectError> {
    let resolve = |source| ConnectError::Resolve {
        host: host.into(),
        source,
    };
    let addresses = look_up(host, port).await.map_err(resolve)?;
    let addresses = policy.permitted(addresses, SocketAddr::ip)?;
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
    use crate::source::look_up::made_up;

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

    /// Dials this made-up name by a policy that permits only 127.0.0.1 of this machine.
    async fn dial_restricted(name: &str) -> Result<SocketAddr, String> {
        let policy = DialPolicy::restricted().with_allowed(["127.0.0.1/32".parse().unwrap()]);
        let dialled = dial(name, 80, &policy).await;
        dialled.map(|(_, peer)| peer).map_err(|e| e.to_string())
    }

    /// Listens at another loopback address, and accepts nobody.
    fn forbidden() -> (std::net::TcpListener, SocketAddr) {
        let listener = std::net::TcpListener::bind("127.0.0.2:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let addr = listener.local_addr().unwrap();
        (listener, addr)
    }

    fn was_reached(listener: &std::net::TcpListener) -> bool {
        listener.accept().is_ok()
    }

    #[tokio::test]
    async fn refused_addresses_of_a_name_are_left_out() {
        let (listener, forbidden) = forbidden();
        let camera = Camera::start(Script::stall()).await;
        let unreachable = refused_addr().await;
        for (addresses, outcome) in [
            (vec![forbidden, camera.addr()], Ok(camera.addr())),
            (vec![camera.addr(), forbidden], Ok(camera.addr())),
            // What is left is at fault.
            (
                vec![forbidden, unreachable],
                Err(format!("cannot connect to {unreachable}")),
            ),
            (
                vec![forbidden, "[::1]:80".parse().unwrap()],
                Err("the address 127.0.0.2 is not one that this source may reach (allow)".into()),
            ),
            (vec![], Err("cannot resolve mixed.test".into())),
        ] {
            made_up::name("mixed.test", &addresses);
            let dialled = dial_restricted("mixed.test").await;
            assert_eq!(dialled, outcome, "{addresses:?}");
        }
        assert!(!was_reached(&listener));
        made_up::name("mixed.test", &[forbidden]);
        let everything = DialPolicy::default();
        dial("mixed.test", 80, &everything).await.expect("dialled");
        assert!(was_reached(&listener));
    }

    #[tokio::test]
    async fn name_is_judged_anew_each_time_that_it_is_dialled() {
        let (listener, forbidden) = forbidden();
        let camera = Camera::start(Script::stall()).await;
        for _ in 0..3 {
            made_up::name("rebound.test", &[camera.addr()]);
            assert_eq!(dial_restricted("rebound.test").await, Ok(camera.addr()));
            made_up::name("rebound.test", &[forbidden]);
            let refusal = dial_restricted("rebound.test").await.unwrap_err();
            assert!(refusal.contains("127.0.0.2"), "{refusal}");
        }
        assert!(!was_reached(&listener));
    }
}
