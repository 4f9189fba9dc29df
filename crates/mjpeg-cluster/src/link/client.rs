//! The side of the link that asks.

use std::{collections::BTreeMap, fmt, io, sync::Arc, time::Duration};

use bytes::BytesMut;
use futures_util::stream;
use mjpeg_codec::multipart::{RelayId, VIA, Via};
use mjpeg_ingest::{ConnectError, Connection, FrameOrder, RelayError};
use socket2::{SockRef, TcpKeepalive};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, timeout},
};

use super::{
    address::LinkNodeId,
    answers::{EngineAnswer, NextNode, bad_answer, next_node, refused, timed_out},
    config::LinkConfig,
    connector::{LinkConnector, LinkIo, PlainConnector},
    error::LinkFailure,
    head::LinkHead,
    parts::PartReader,
    paths::{DEPTH, ENGINE, HOP, MAX_DEPTH, NODE, STREAMS},
    pulling::{ClientCounters, Pulling},
    pulls::{LinkPull, Pulls},
    stats::LinkClientStats,
};
use crate::name::{SharedName, host_and_port};

/// Reads streams from other nodes. Clones share everything.
///
/// ```no_run
/// use mjpeg_cluster::{LinkClient, LinkConfig};
/// use mjpeg_ingest::FrameOrder;
///
/// # async fn example() -> Result<(), mjpeg_ingest::ConnectError> {
/// let client = LinkClient::new(LinkConfig::default());
/// let order = FrameOrder::new();
/// let connection = client.pull("relay-2.lan:7443", "door", &order).await?;
/// # drop(connection);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct LinkClient {
    config: LinkConfig,
    connector: Arc<dyn LinkConnector>,
    relay: RelayId,
    node: Option<LinkNodeId>,
    known: Arc<dyn Fn(&str) -> bool + Send + Sync>,
    pulls: Arc<Pulls>,
    counters: Arc<ClientCounters>,
}

/// An answer that has begun.
struct LinkAnswer {
    io: Box<dyn LinkIo>,
    buf: BytesMut,
    head: LinkHead,
}

impl LinkClient {
    /// Makes a client over plain connections.
    pub fn new(config: LinkConfig) -> Self {
        Self {
            config,
            connector: Arc::new(PlainConnector),
            relay: RelayId::of_this_process(),
            node: None,
            known: Arc::new(|_| true),
            pulls: Arc::default(),
            counters: Arc::default(),
        }
    }

    /// Sets what encrypts its connections. Default: nothing.
    pub fn with_connector(mut self, connector: Arc<dyn LinkConnector>) -> Self {
        self.connector = connector;
        self
    }

    /// Sets which node this is, so that an owner with many readers can send others here. Default:
    /// that is not said, and nobody is sent here.
    pub fn with_node(mut self, node: LinkNodeId) -> Self {
        self.node = Some(node);
        self
    }

    /// Sets which addresses may be dialled when another node names them. Default: all.
    ///
    /// An address that a node of the cluster names and no node of the cluster has is a mistake or
    /// an attack: let [`Cluster::is_up`](crate::Cluster::is_up) decide.
    pub fn with_known(mut self, known: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        self.known = Arc::new(known);
        self
    }

    /// Sets the identity of one of several nodes in a process. Default: that of the process.
    pub fn with_relay(mut self, relay: RelayId) -> Self {
        self.relay = relay;
        self
    }

    /// Begins to read a stream from the node at this address, `HOST:PORT`, or from the one that it
    /// names: at most two others are asked.
    ///
    /// The frames carry the identity that their owner gave them, and their age. Those that this
    /// order has seen, or newer ones, are left out. A lost camera is reported while the connection
    /// goes on. The connection ends when the other node has sent nothing for 3 s.
    ///
    /// # Errors
    ///
    /// [`ConnectError::Other`] with a [`LinkFailure`], or [`ConnectError::TimedOut`].
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: no connection is left open.
    pub async fn pull(
        &self,
        peer: &str,
        stream: &str,
        order: &FrameOrder,
    ) -> Result<Connection, ConnectError> {
        let answer = self.ask(peer, stream).await;
        let answer = answer.and_then(|(answer, peer)| {
            let via = self.via(&answer.head)?;
            Ok((answer, peer, via))
        });
        let (answer, peer, via) = answer.inspect_err(|_| self.counters.failed.add_one())?;
        self.counters.pulls.add_one();
        let said = answer.head.headers.get(DEPTH);
        let depth = said.and_then(|depth| depth.parse().ok()).unwrap_or(0u8);
        let guard = self.pulls.begin(
            stream,
            LinkPull {
                peer: peer.clone(),
                depth: depth.saturating_add(1),
                state: None,
                since: Instant::now(),
                age: None,
            },
        );
        let LinkAnswer { io, buf, .. } = answer;
        let pulling = Pulling {
            parts: PartReader::new(io, buf, self.config.max_frame_bytes()),
            guard,
            counters: Arc::clone(&self.counters),
            has_failed: false,
        };
        let frames = stream::unfold(pulling, Pulling::next);
        let connection = Connection::relayed(frames, peer);
        Ok(connection.with_via(via).with_order(order.clone()))
    }

    /// Asks the node at this address, `HOST:PORT`, whether it reaches the engine by which the
    /// cluster agrees.
    ///
    /// # Errors
    ///
    /// If it cannot be reached, does not answer within the
    /// [limit](LinkConfig::with_engine_timeout), or answers something else. It has not agreed then.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: no connection is left open.
    pub async fn engine(&self, peer: &str) -> Result<bool, LinkFailure> {
        let limit = self.config.engine_timeout();
        let asked = async {
            let mut answer = self.request(peer, ENGINE).await?;
            if answer.head.status != 200 {
                return Err(refused(peer, answer.head.status));
            }
            let LinkAnswer { io, buf, .. } = &mut answer;
            while buf.len() <= MAX_ENGINE_BYTES {
                if io.read_buf(buf).await.map_err(LinkFailure::Read)? == 0 {
                    break;
                }
            }
            let json: Option<EngineAnswer> = serde_json::from_slice(buf).ok();
            let json = json.ok_or_else(|| bad_answer(peer, "it does not say whether"))?;
            Ok(json.reaches)
        };
        let answered = timeout(limit, asked).await;
        answered.unwrap_or_else(|_| Err(timed_out(peer, limit)))
    }

    /// Returns where a stream is read at present; `None` if it is not.
    pub fn pulled(&self, stream: &str) -> Option<LinkPull> {
        self.pulls.get(stream)
    }

    /// Returns all streams that are read from other nodes at present.
    pub fn pulls(&self) -> BTreeMap<String, LinkPull> {
        self.pulls.all()
    }

    /// Reads the counters.
    pub fn stats(&self) -> LinkClientStats {
        LinkClientStats {
            pulls: self.counters.pulls.read(),
            failed: self.counters.failed.read(),
            silent: self.counters.silent.read(),
            broken: self.counters.broken.read(),
            strangers: self.counters.strangers.read(),
        }
    }

    /// Asks for a stream, and follows where nodes point. Returns who answers.
    async fn ask(&self, peer: &str, stream: &str) -> Result<(LinkAnswer, String), LinkFailure> {
        if !SharedName::is_one(stream) {
            return Err(LinkFailure::BadTarget);
        }
        let path = format!("{STREAMS}{stream}");
        let hop_path = format!("{path}?{HOP}");
        let (mut peer, mut asked) = (peer.to_owned(), &path);
        let mut redirects = 0;
        loop {
            let answer = self.request(&peer, asked).await?;
            let Some(next) = next_node(&peer, &answer.head, &hop_path)? else {
                return Ok((answer, peer));
            };
            let (node, path) = match next {
                NextNode::Owner(node) => (node, &path),
                NextNode::Hub(node) => (node, &hop_path),
            };
            redirects += 1;
            if redirects > MAX_REDIRECTS {
                return Err(LinkFailure::TooManyRedirects(node));
            }
            if !(self.known)(node.address()) {
                self.counters.strangers.add_one();
                return Err(LinkFailure::Stranger { peer, node });
            }
            (peer, asked) = (node.address().to_owned(), path);
        }
    }

    /// Sends a request to a node, and reads the head of its answer.
    async fn request(&self, peer: &str, path: &str) -> Result<LinkAnswer, LinkFailure> {
        let limit = self.config.connect_timeout();
        let connecting = timeout(limit, self.connect(peer)).await;
        let mut io = connecting.map_err(|_| timed_out(peer, limit))??;
        // HTTP/1.0: the answer ends with the connection, and is not sent in chunks.
        let relay = self.relay;
        let mut request = format!("GET {path} HTTP/1.0\r\nhost: {peer}\r\n{VIA}: {relay}\r\n");
        if let Some(node) = &self.node {
            request += &format!("{NODE}: {node}\r\n");
        }
        request += "\r\n";
        let mut buf = BytesMut::new();
        let asking = async {
            io.write_all(request.as_bytes()).await?;
            io.flush().await?;
            Ok(LinkHead::read(&mut io, &mut buf).await)
        };
        let asked: Result<io::Result<_>, _> = timeout(limit, asking).await;
        let head = asked.map_err(|_| timed_out(peer, limit))?;
        let head = head.map_err(LinkFailure::Read)??;
        Ok(LinkAnswer { io, buf, head })
    }

    async fn connect(&self, peer: &str) -> Result<Box<dyn LinkIo>, LinkFailure> {
        let (host, port) = host_and_port(peer).ok_or(LinkFailure::BadTarget)?;
        let stream = TcpStream::connect((host, port)).await;
        let stream = stream.map_err(|source| LinkFailure::Unreachable {
            peer: peer.to_owned(),
            source,
        })?;
        // If one of these fails, only its benefit is lost.
        let _ = stream.set_nodelay(true);
        let keepalive = TcpKeepalive::new().with_time(KEEPALIVE_IDLE);
        let _ = SockRef::from(&stream).set_tcp_keepalive(&keepalive);
        let encrypted = self.connector.connect(stream, host).await;
        encrypted.map_err(|source| LinkFailure::Tls {
            peer: peer.to_owned(),
            source,
        })
    }

    /// The relays that the frames come through.
    fn via(&self, head: &LinkHead) -> Result<Via, LinkFailure> {
        let via = head.headers.get(VIA).and_then(|via| via.parse().ok());
        let via: Via = via.ok_or(LinkFailure::Broken("an answer that names no relay"))?;
        if via.contains(self.relay) {
            return Err(RelayError::Loop.into());
        }
        if via.is_too_long() {
            return Err(RelayError::TooMany(Via::MAX_HOPS).into());
        }
        Ok(via)
    }
}

impl fmt::Debug for LinkClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LinkClient")
            .field("config", &self.config)
            .field("node", &self.node)
            .field("relay", &self.relay)
            .finish_non_exhaustive()
    }
}

/// How many nodes may point to another one.
const MAX_REDIRECTS: usize = MAX_DEPTH as usize;

/// The longest answer about the engine.
const MAX_ENGINE_BYTES: usize = 1024;

/// How long a connection may be silent before the first TCP keepalive probe.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(3);
