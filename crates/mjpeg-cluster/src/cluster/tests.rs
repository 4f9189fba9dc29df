//! Whole nodes on a scripted engine, in virtual time.

mod calls;
mod closing;
mod deleted;
mod holding;
mod listing;
mod many;
mod moving;
mod placing;
mod reading;
mod rewound;
mod source;

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use mjpeg_ingest::Tenure;
use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout},
};

use crate::{
    cluster::{Cluster, ownership::Ownership},
    config::{ClusterConfig, EngineLoss},
    engine::scripted::{ScriptedEngine, ScriptedLink},
    name::{NodeName, PeerAddress, SharedName},
    peers::PeerEngine,
    spec::{SharedStream, SpecKey, document::StreamDocument},
};

const LEASE: Duration = Duration::from_secs(3);

/// Nodes on one engine, which ask each other.
struct Plant {
    engine: ScriptedEngine,
    nodes: Neighbours,
    questions: Arc<Questions>,
}

/// What nodes ask each other.
#[derive(Default)]
struct Questions {
    asked: AtomicU64,
    /// How many of the next ones are not answered.
    unheard: AtomicU64,
}

/// Which nodes answer.
type Neighbours = watch::Sender<BTreeMap<PeerAddress, Cluster>>;

struct Up {
    cluster: Cluster,
    link: ScriptedLink,
    address: PeerAddress,
}

impl Plant {
    fn new() -> Self {
        Self {
            engine: ScriptedEngine::start(LEASE),
            nodes: watch::Sender::default(),
            questions: Arc::default(),
        }
    }

    fn start(&self, name: &str) -> Up {
        self.start_with(name, |config| config)
    }

    fn start_with(&self, name: &str, change: impl FnOnce(ClusterConfig) -> ClusterConfig) -> Up {
        let address = PeerAddress::new(&format!("{name}.lan:7443")).unwrap();
        let config = ClusterConfig::new(NodeName::new(name).unwrap(), address.clone());
        let config = change(config.with_lease(LEASE).unwrap());
        let link = self.engine.link();
        let asked = AskedNodes(self.nodes.clone(), Arc::clone(&self.questions));
        let asked = Arc::new(asked);
        let cluster = Cluster::start(config, Arc::new(link.clone()), asked);
        cluster.define(&door(), spec("tcp://camera:1"));
        let known = (address.clone(), cluster.clone());
        self.nodes.send_modify(|nodes| nodes.extend([known]));
        Up {
            cluster,
            link,
            address,
        }
    }

    /// Two nodes, the first of which owns the stream.
    async fn two(&self) -> (Up, Up) {
        let a = self.start("a");
        mine(&a).await;
        let b = self.start("b");
        theirs(&b).await;
        // Until the new one is admitted, and may claim.
        sleep(2 * LEASE).await;
        (a, b)
    }

    /// A node that nobody reaches any more.
    fn isolate(&self, node: &Up) {
        self.nodes
            .send_modify(|nodes| drop(nodes.remove(&node.address)));
    }
}

struct AskedNodes(Neighbours, Arc<Questions>);

#[async_trait]
impl PeerEngine for AskedNodes {
    async fn reaches_engine(&self, peer: &PeerAddress) -> Option<bool> {
        self.1.asked.fetch_add(1, Ordering::Relaxed);
        let less = |unheard: u64| unheard.checked_sub(1);
        let unheard = &self.1.unheard;
        let is_unheard = unheard.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        if is_unheard.is_ok() {
            return std::future::pending().await;
        }
        let peer = self.0.borrow().get(peer).cloned();
        peer.map(|cluster| cluster.reaches_engine())
    }
}

fn door() -> SharedName {
    SharedName::new("door").unwrap()
}

fn named(node: &str) -> NodeName {
    NodeName::new(node).unwrap()
}

fn spec(source: &str) -> SharedStream {
    SharedStream::new(SpecKey::new(b"secret").digest([("source", source)]))
}

/// Waits until a node owns the stream.
async fn mine(node: &Up) -> Tenure {
    let mut ownership = node.cluster.ownership(&door());
    let owns = ownership.wait_for(|now| matches!(now, Ownership::Mine(_)));
    let owns = timeout(10 * LEASE, owns)
        .await
        .expect("it owns it")
        .unwrap();
    match &*owns {
        Ownership::Mine(tenure) => tenure.clone(),
        other => panic!("{other:?}"),
    }
}

async fn theirs(node: &Up) -> u64 {
    let mut ownership = node.cluster.ownership(&door());
    let owns = ownership.wait_for(|now| matches!(now, Ownership::Theirs { .. }));
    let owns = timeout(10 * LEASE, owns)
        .await
        .expect("another owns it")
        .unwrap();
    match &*owns {
        Ownership::Theirs { epoch, .. } => *epoch,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn one_node_owns_a_stream_and_the_others_know_which() {
    let plant = Plant::new();
    let (a, b) = plant.two().await;
    let tenure = mine(&a).await;
    assert_eq!(theirs(&b).await, tenure.epoch());
    assert_eq!((a.cluster.stats().owned, b.cluster.stats().owned), (1, 0));
    assert_eq!(b.cluster.stats().nodes, 2);
}

#[tokio::test(start_paused = true)]
async fn stream_of_a_node_that_died_is_taken_after_its_lease() {
    let plant = Plant::new();
    let (a, b) = plant.two().await;
    let before = mine(&a).await;
    plant.isolate(&a);
    drop(a);
    assert!(!before.is_open(Instant::now()));
    let died = Instant::now();
    let after = mine(&b).await;
    let dark = died.elapsed();
    assert!(after.epoch() > before.epoch());
    assert!(dark <= LEASE + Duration::from_millis(500), "{dark:?}");
}

#[tokio::test(start_paused = true)]
async fn node_that_drains_hands_over_after_its_tenure_has_ended() {
    let plant = Plant::new();
    let (a, b) = plant.two().await;
    let before = mine(&a).await;
    let started = Instant::now();
    let draining = tokio::spawn({
        let cluster = a.cluster.clone();
        async move { cluster.drain(LEASE).await }
    });
    before.ended().await;
    let after = mine(&b).await;
    assert!(after.epoch() > before.epoch());
    assert!(
        started.elapsed() < Duration::from_secs(1),
        "{:?}",
        started.elapsed()
    );
    assert!(draining.await.unwrap());
    // It may have it back when the other one drains.
    a.cluster.undrain();
    b.cluster.drain(LEASE).await;
    assert!(mine(&a).await.epoch() > after.epoch());
}

#[tokio::test(start_paused = true)]
async fn owner_that_the_engine_does_not_hear_stops_before_another_begins() {
    let plant = Plant::new();
    let (a, b) = plant.two().await;
    let before = mine(&a).await;
    // All its calls hang, and none may delay the end.
    a.link.cut(true);
    let cut = Instant::now();
    before.ended().await;
    assert!(cut.elapsed() <= LEASE * 4 / 5, "{:?}", cut.elapsed());
    assert!(!matches!(
        &*b.cluster.ownership(&door()).borrow(),
        Ownership::Mine(_)
    ));
    let after = mine(&b).await;
    assert!(after.epoch() > before.epoch());
    assert_eq!(a.cluster.stats().self_fences, 1);
    // It is back, and does not resume.
    a.link.cut(false);
    assert_eq!(theirs(&a).await, after.epoch());
}

#[tokio::test(start_paused = true)]
async fn claim_whose_answer_is_lost_is_given_back_and_claimed_anew() {
    let plant = Plant::new();
    let (a, b) = plant.two().await;
    let before = mine(&a).await;
    b.link.lose_answers(true);
    plant.isolate(&a);
    drop(a);
    sleep(LEASE * 3 / 2).await;
    b.link.lose_answers(false);
    assert!(mine(&b).await.epoch() > before.epoch());
}

#[tokio::test(start_paused = true)]
async fn stream_that_means_something_else_elsewhere_is_refused_by_the_later_node() {
    let plant = Plant::new();
    let (a, b) = plant.two().await;
    b.cluster.define(&door(), spec("tcp://another:1"));
    sleep(LEASE).await;
    assert_eq!(
        b.cluster.conflict(&door()),
        Some(NodeName::new("a").unwrap())
    );
    assert_eq!(a.cluster.conflict(&door()), None);
    a.cluster.give_up(&door());
    mine(&a).await;
    assert_eq!(b.cluster.stats().owned, 0);
}

#[tokio::test(start_paused = true)]
async fn second_node_of_the_same_name_owns_nothing() {
    let plant = Plant::new();
    let (_a, b) = plant.two().await;
    let twin = plant.start("b");
    sleep(5 * LEASE).await;
    assert_eq!(twin.cluster.stats().owned, 0);
    assert_eq!(b.cluster.stats().nodes, 2);
}

#[tokio::test(start_paused = true)]
async fn new_member_waits_for_one_that_is_down_until_that_is_forgotten() {
    let plant = Plant::new();
    let (a, b) = plant.two().await;
    plant.isolate(&b);
    drop(b);
    sleep(2 * LEASE).await;
    let c = plant.start("c");
    sleep(3 * LEASE).await;
    a.cluster.drain(LEASE).await;
    sleep(3 * LEASE).await;
    // Who is down might hold a camera, and does not know the new one.
    assert_eq!(c.cluster.stats().owned, 0);
    assert!(!c.cluster.forget(&NodeName::new("a").unwrap()), "it is up");
    assert!(c.cluster.forget(&NodeName::new("b").unwrap()));
    mine(&c).await;
    assert_eq!(c.cluster.stats().members, 2);
}

#[tokio::test(start_paused = true)]
async fn stream_that_is_defined_in_the_engine_is_seen_by_all() {
    let plant = Plant::new();
    let (a, b) = plant.two().await;
    let document = StreamDocument::new(r#"{"source":"tcp://camera:2"}"#, &[]).unwrap();
    let yard = SharedName::new("yard").unwrap();
    a.cluster.put_document(&yard, document.clone());
    sleep(LEASE).await;
    assert_eq!(b.cluster.documents().get(&yard), Some(&document));
    b.cluster.remove_document(&yard);
    sleep(LEASE).await;
    assert!(a.cluster.documents().is_empty());
}
