//! A node for tests: a fan-out that something feeds, a port for viewers, a port for other nodes.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use mjpeg_cluster::{
    LinkClient, LinkConfig, LinkNode, LinkNodeId, LinkOutage, LinkPlace, LinkServer, LinkStream,
    mjpeg_codec::multipart::{RelayId, Via},
    mjpeg_fanout::{self, Consumer, Producer, Status},
    mjpeg_http::{Listener, ListenerConfig, StreamConfig, StreamService, Wrap},
    mjpeg_ingest::{
        Connect, ConnectError, Connection, Control, Event, FrameOrder, Ingest, IngestConfig,
        Source, Tenure,
    },
};
use tokio::{
    task::JoinHandle,
    time::{sleep, timeout},
};

/// The stream of all nodes.
pub(crate) const STREAM: &str = "door";

/// Where a node says that its stream is.
#[derive(Clone, Debug)]
pub(crate) enum At {
    Here,
    /// Here, in this epoch.
    #[cfg_attr(not(feature = "etcd"), allow(dead_code))]
    Owned(u64),
    /// At the owner; this node has it, and reads it through so many nodes.
    Relayed(LinkNodeId, u8),
    Elsewhere(LinkNodeId),
    Nobody,
}

pub(crate) struct TestNode {
    pub(crate) at: Mutex<At>,
    pub(crate) hub: Mutex<Option<LinkNodeId>>,
    /// Through whom all others are to read.
    pub(crate) site_hub: Mutex<Option<LinkNodeId>>,
    pub(crate) outage: Mutex<Option<LinkOutage>>,
    pub(crate) reaches_engine: AtomicBool,
    service: StreamService,
    consumer: Consumer,
}

impl LinkNode for TestNode {
    fn place(&self, stream: &str) -> LinkPlace {
        if stream != STREAM {
            return LinkPlace::Unknown;
        }
        let outage = || self.outage.lock().unwrap().clone();
        let own = || {
            let own = LinkStream::new(self.service.clone(), self.consumer.clone());
            own.with_outage(outage())
        };
        match self.at.lock().unwrap().clone() {
            At::Here => LinkPlace::Here(own()),
            At::Owned(epoch) => LinkPlace::Here(own().with_epoch(epoch)),
            At::Relayed(owner, depth) => LinkPlace::Elsewhere {
                owner,
                relayed: Some(own().with_depth(depth)),
            },
            At::Elsewhere(owner) => LinkPlace::Elsewhere {
                owner,
                relayed: None,
            },
            At::Nobody => LinkPlace::Nobody,
        }
    }

    fn reaches_engine(&self) -> bool {
        self.reaches_engine.load(Ordering::Relaxed)
    }

    fn hub(&self, _: &str, edges: &[LinkNodeId]) -> Option<LinkNodeId> {
        let hub = self.hub.lock().unwrap().clone()?;
        edges.contains(&hub).then_some(hub)
    }

    fn hub_for(&self, _: &str, _: &LinkNodeId, edges: &[LinkNodeId]) -> Option<LinkNodeId> {
        let hub = self.site_hub.lock().unwrap().clone()?;
        edges.contains(&hub).then_some(hub)
    }
}

/// A running node.
pub(crate) struct Node {
    pub(crate) state: Arc<TestNode>,
    pub(crate) producer: Arc<Producer>,
    pub(crate) consumer: Consumer,
    pub(crate) service: StreamService,
    pub(crate) link: LinkServer,
    pub(crate) relay: RelayId,
    /// Where other nodes ask.
    pub(crate) peers: SocketAddr,
    /// Where viewers ask.
    pub(crate) viewers: SocketAddr,
    tasks: Vec<JoinHandle<()>>,
}

impl Node {
    pub(crate) async fn start(number: u64, at: At) -> Self {
        Self::start_with(number, at, LinkConfig::default(), None).await
    }

    pub(crate) async fn start_with(
        number: u64,
        at: At,
        config: LinkConfig,
        wrap: Option<Arc<dyn Wrap>>,
    ) -> Self {
        let (producer, consumer) = mjpeg_fanout::channel();
        let service = StreamService::new(consumer.clone(), StreamConfig::default());
        let state = Arc::new(TestNode {
            at: Mutex::new(at),
            hub: Mutex::new(None),
            site_hub: Mutex::new(None),
            outage: Mutex::new(None),
            reaches_engine: AtomicBool::new(true),
            service: service.clone(),
            consumer: consumer.clone(),
        });
        let relay = RelayId::new(number);
        let link = LinkServer::with_relay(Arc::clone(&state) as _, config, relay);
        let bind = || {
            let any = "127.0.0.1:0".parse().unwrap();
            Listener::bind(any, ListenerConfig::default()).unwrap()
        };
        let (for_peers, for_viewers) = (bind(), bind());
        let addr = |listener: &Listener| listener.address().to_string().parse().unwrap();
        let (peers, viewers) = (addr(&for_peers), addr(&for_viewers));
        let mut for_peers = for_peers.with_fallback(link.clone());
        if let Some(wrap) = wrap {
            for_peers = for_peers.with_wrap(wrap);
        }
        let streams = link.clone();
        let of_viewers = service.clone();
        let tasks = vec![
            tokio::spawn(async move {
                for_peers.serve(streams, std::future::pending()).await;
            }),
            tokio::spawn(async move {
                for_viewers.serve(of_viewers, std::future::pending()).await;
            }),
        ];
        Self {
            state,
            producer: Arc::new(producer),
            consumer,
            service,
            link,
            relay,
            peers,
            viewers,
            tasks,
        }
    }

    /// What others call it.
    pub(crate) fn id(&self) -> LinkNodeId {
        LinkNodeId::new("node", &self.peers.to_string()).unwrap()
    }

    pub(crate) fn moves(&self, at: At) {
        *self.state.at.lock().unwrap() = at;
    }

    /// A client that speaks for this node.
    pub(crate) fn client(&self) -> LinkClient {
        LinkClient::new(LinkConfig::default())
            .with_relay(self.relay)
            .with_node(self.id())
    }

    /// Reads a source from now on. Dropping what is returned ends that.
    pub(crate) fn reads(&self, source: Source) -> Reading {
        let producer = Arc::clone(&self.producer);
        let config = IngestConfig::default().with_seed(7);
        let mut ingest = Ingest::new(source, config);
        let control = ingest.control();
        let task = tokio::spawn(async move {
            while let Some(event) = ingest.next().await {
                match event {
                    Event::Frame(captured) => {
                        producer.publish(captured.frame, captured.stamp);
                        producer.set_status(Status::Online);
                    }
                    Event::Offline { .. } => producer.set_status(Status::Offline),
                    // As long as nothing else is said, it is a camera.
                    Event::Online { .. } => producer.set_via(Via::default()),
                    Event::Via(via) => producer.set_via(via),
                    _ => {}
                }
            }
        });
        Reading { task, control }
    }

    /// Reads the stream from the node at this address.
    pub(crate) fn pulls_from(&self, peer: SocketAddr) -> Reading {
        let pulled = PulledSource {
            client: self.client(),
            peer: peer.to_string(),
            order: FrameOrder::new(),
        };
        self.reads(Source::custom("cluster:", pulled))
    }

    /// Waits until nobody reads from it.
    pub(crate) async fn is_left(&self) {
        eventually("it is left", || self.link.stats().edges == 0).await;
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// Reads until it is dropped.
pub(crate) struct Reading {
    task: JoinHandle<()>,
    #[cfg_attr(not(feature = "etcd"), allow(dead_code))]
    pub(crate) control: Control,
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A stream as it is read from another node.
pub(crate) struct PulledSource {
    pub(crate) client: LinkClient,
    pub(crate) peer: String,
    pub(crate) order: FrameOrder,
}

#[async_trait]
impl Connect for PulledSource {
    async fn connect(&self) -> Result<Connection, ConnectError> {
        self.client.pull(&self.peer, STREAM, &self.order).await
    }
}

/// A camera over TCP that is read in a tenure.
pub(crate) struct OwnedCamera {
    pub(crate) addr: SocketAddr,
    pub(crate) tenure: Tenure,
}

#[async_trait]
impl Connect for OwnedCamera {
    async fn connect(&self) -> Result<Connection, ConnectError> {
        let stream = tokio::net::TcpStream::connect(self.addr).await?;
        Ok(Connection::bytes(stream, "camera").with_tenure(self.tenure.clone()))
    }
}

/// Waits until something holds.
pub(crate) async fn eventually(what: &str, holds: impl Fn() -> bool) {
    let waiting = async {
        while !holds() {
            sleep(Duration::from_millis(2)).await;
        }
    };
    timeout(PATIENCE, waiting).await.expect(what);
}

/// How long a loaded machine may need.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
