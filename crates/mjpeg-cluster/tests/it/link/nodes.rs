//! Whole nodes: a real etcd says who owns the camera, the link brings its frames to the others.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use async_trait::async_trait;
use mjpeg_cluster::{
    Cluster, ClusterConfig, ClusterSource, Etcd, EtcdConfig, LinkNodeId, NodeName, Ownership,
    PeerAddress, SharedName, SharedStream, SpecKey,
    mjpeg_ingest::{Connect, ConnectError, Connection, FrameOrder, Source},
};
use mjpeg_testkit::{Camera, Script, Viewer, jpeg};
use tokio::{
    net::TcpStream,
    sync::watch,
    task::JoinHandle,
    time::{Instant, timeout},
};

use super::{
    node::{At, Node, PATIENCE, Reading, STREAM},
    stream::{next_id, viewer},
};
use crate::etcd::process::Group;

/// A camera that is dialled by whoever owns it.
struct DialledCamera(SocketAddr);

#[async_trait]
impl Connect for DialledCamera {
    async fn connect(&self) -> Result<Connection, ConnectError> {
        let stream = TcpStream::connect(self.0).await?;
        Ok(Connection::bytes(stream, "camera"))
    }
}

/// A node with all that it has.
struct WholeNode {
    node: Arc<Node>,
    cluster: Cluster,
    ownership: watch::Receiver<Ownership>,
    _reading: Reading,
    places: JoinHandle<()>,
}

impl WholeNode {
    async fn start(name: &str, number: u64, group: &Group, camera: &Camera) -> Self {
        let node = Arc::new(Node::start(number, At::Nobody).await);
        let address = PeerAddress::new(&node.peers.to_string()).unwrap();
        let config = ClusterConfig::new(NodeName::new(name).unwrap(), address);
        let config = config.with_lease(Duration::from_secs(3)).unwrap();
        let plant = NodeName::new("plant").unwrap();
        let etcd = Etcd::connect(EtcdConfig::new(plant, group.endpoints())).await;
        let client = Arc::new(node.client());
        let cluster = Cluster::start(config, Arc::new(etcd.unwrap()), Arc::clone(&client) as _);
        let stream = SharedName::new(STREAM).unwrap();
        let digest = SpecKey::new(b"secret").digest([("source", &*camera.url())]);
        cluster.define(&stream, SharedStream::new(digest));
        let dialled = Arc::new(DialledCamera(camera.addr()));
        let order = FrameOrder::new();
        let source = ClusterSource::new(cluster.clone(), stream.clone(), dialled, client, order);
        let reading = node.reads(Source::custom("cluster:", source));
        cluster.follow(&stream, reading.control.clone());
        let mut ownership = cluster.ownership(&stream);
        let (places, moving) = (ownership.clone(), Arc::clone(&node));
        let places = tokio::spawn(tell_places(places, moving));
        ownership.mark_changed();
        Self {
            node,
            cluster,
            ownership,
            _reading: reading,
            places,
        }
    }

    async fn reaches(&mut self, what: &str, is_it: impl FnMut(&Ownership) -> bool) {
        let reached = timeout(PATIENCE, self.ownership.wait_for(is_it)).await;
        drop(reached.expect(what).unwrap());
    }
}

impl Drop for WholeNode {
    fn drop(&mut self) {
        self.places.abort();
    }
}

/// Keeps the link informed of where the stream is.
async fn tell_places(mut ownership: watch::Receiver<Ownership>, node: Arc<Node>) {
    loop {
        let at = match &*ownership.borrow_and_update() {
            Ownership::Mine(tenure) => At::Owned(tenure.epoch()),
            Ownership::Theirs { node, address, .. } => {
                At::Elsewhere(LinkNodeId::new(node.as_str(), address.as_str()).unwrap())
            }
            _ => At::Nobody,
        };
        node.moves(at);
        if ownership.changed().await.is_err() {
            return;
        }
    }
}

/// Reads from a viewer until a later owner's frames come; no frame may go back in time.
async fn until_later(viewer: &mut Viewer, seen: &mut (u64, u64)) {
    let before = seen.0;
    let later = async {
        while seen.0 == before {
            let (epoch, seq, _) = next_id(viewer).await;
            assert!((epoch, seq) >= *seen, "{:?} after {seen:?}", (epoch, seq));
            *seen = (epoch, seq);
        }
    };
    timeout(PATIENCE, later).await.expect("a later owner");
}

#[tokio::test]
async fn camera_moves_between_nodes_and_their_viewers_keep_their_responses() {
    let Some(group) = Group::start(1) else { return };
    let frames = (0..10_000).map(jpeg::numbered).collect();
    let camera = Camera::start(Script::live(frames, Duration::from_millis(20))).await;
    let mut a = WholeNode::start("a", 1, &group, &camera).await;
    a.reaches("the first node owns it", |now| {
        matches!(now, Ownership::Mine(_))
    })
    .await;
    let mut b = WholeNode::start("b", 2, &group, &camera).await;
    let theirs = |now: &Ownership| matches!(now, Ownership::Theirs { .. });
    b.reaches("the second one sees that", theirs).await;
    let (mut at_a, mut at_b) = (viewer(&a.node).await, viewer(&b.node).await);
    let (mut of_a, mut of_b) = ((0, 0), (0, 0));
    until_later(&mut at_a, &mut of_a).await;
    until_later(&mut at_b, &mut of_b).await;
    assert_eq!(of_a.0, of_b.0, "one epoch, for there is one connection");
    // It leaves in order.
    let (drained, (), ()) = tokio::join!(
        a.cluster.drain(PATIENCE),
        until_later(&mut at_a, &mut of_a),
        until_later(&mut at_b, &mut of_b),
    );
    assert!(drained);
    assert_eq!(of_a.0, of_b.0);
    assert_eq!(camera.connections(), 2);
    a.cluster.undrain();
    // It dies, with its connections.
    drop((b, at_b));
    until_later(&mut at_a, &mut of_a).await;
    a.reaches("it owns it again", |now| matches!(now, Ownership::Mine(_)))
        .await;
    assert_eq!((camera.connections(), camera.most_open()), (3, 1));
}

/// Reads new frames until it is told to stop. Returns the longest time without one.
async fn longest_gap(mut viewer: Viewer, mut stop: watch::Receiver<bool>) -> Duration {
    let mut seen = (0, 0);
    let mut longest = Duration::ZERO;
    let mut last = Instant::now();
    loop {
        let (epoch, seq, _) = tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return longest,
            next = next_id(&mut viewer) => next,
        };
        assert!((epoch, seq) >= seen, "{:?} after {seen:?}", (epoch, seq));
        if (epoch, seq) > seen {
            longest = longest.max(last.elapsed());
            (seen, last) = ((epoch, seq), Instant::now());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hand_over_costs_no_backoff_however_often() {
    let Some(group) = Group::start(1) else { return };
    let frames = (0..10_000).map(jpeg::numbered).collect();
    let camera = Camera::start(Script::live(frames, Duration::from_millis(20))).await;
    let mut a = WholeNode::start("a", 1, &group, &camera).await;
    let mine = |now: &Ownership| matches!(now, Ownership::Mine(_));
    a.reaches("the first node owns it", mine).await;
    let mut b = WholeNode::start("b", 2, &group, &camera).await;
    let mut c = WholeNode::start("c", 3, &group, &camera).await;
    for node in [&mut b, &mut c] {
        let theirs = |now: &Ownership| matches!(now, Ownership::Theirs { .. });
        node.reaches("the others see that", theirs).await;
    }
    c.cluster.drain(PATIENCE).await;
    // Until the others are admitted.
    tokio::time::sleep(Duration::from_secs(6)).await;
    let (stop, stops) = watch::channel(false);
    let mut watching = Vec::new();
    for node in [&a, &b, &c] {
        watching.push(tokio::spawn(longest_gap(
            viewer(&node.node).await,
            stops.clone(),
        )));
    }
    for round in 0..HAND_OVERS {
        let (from, to) = match round % 2 {
            0 => (&a, &mut b),
            _ => (&b, &mut a),
        };
        assert!(from.cluster.drain(PATIENCE).await);
        to.reaches("the other one owns it", mine).await;
        from.cluster.undrain();
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    stop.send_replace(true);
    for (watched, node) in watching.into_iter().zip(["a", "b", "c"]) {
        let gap = watched.await.unwrap();
        println!("longest gap at {node}: {gap:?}");
        assert!(gap < Duration::from_secs(2), "{gap:?} at {node}");
    }
    assert_eq!(camera.most_open(), 1);
}

/// A backoff would have grown to many seconds by then.
const HAND_OVERS: usize = 20;
