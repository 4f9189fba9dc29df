//! Nodes on a real etcd. Without Debian's `etcd-server` these tests are skipped, and say so.

mod engine;
pub(crate) mod process;
mod secured;

use std::{collections::BTreeMap, process::Command, sync::Arc, time::Duration};

use async_trait::async_trait;
use mjpeg_cluster::{
    Cluster, ClusterConfig, Engine, EngineValue, Etcd, EtcdConfig, NodeName, Ownership,
    PeerAddress, PeerEngine, SharedName, SharedStream, SpecKey, Stored,
};
use mjpeg_ingest::Tenure;
use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout},
};

use self::process::{Group, installed};

const LEASE: Duration = Duration::from_secs(3);
/// What may take this long on a loaded machine takes a second elsewhere.
const PATIENCE: Duration = Duration::from_secs(60);

type Neighbours = watch::Sender<BTreeMap<PeerAddress, Cluster>>;

/// Other nodes of this process.
struct AskedNodes(Neighbours);

#[async_trait]
impl PeerEngine for AskedNodes {
    async fn reaches_engine(&self, peer: &PeerAddress) -> Option<bool> {
        let peer = self.0.borrow().get(peer).cloned();
        peer.map(|cluster| cluster.reaches_engine())
    }
}

fn door() -> SharedName {
    SharedName::new("door").unwrap()
}

async fn start(name: &str, endpoints: &[String], nodes: &Neighbours) -> Cluster {
    let plant = NodeName::new("plant").unwrap();
    let etcd = Etcd::connect(EtcdConfig::new(plant, endpoints)).await;
    start_on(name, etcd.unwrap(), nodes)
}

fn start_on(name: &str, etcd: Etcd, nodes: &Neighbours) -> Cluster {
    let address = PeerAddress::new(&format!("{name}.lan:7443")).unwrap();
    let config = ClusterConfig::new(NodeName::new(name).unwrap(), address.clone());
    let config = config.with_lease(LEASE).unwrap();
    let cluster = Cluster::start(config, Arc::new(etcd), Arc::new(AskedNodes(nodes.clone())));
    let digest = SpecKey::new(b"secret").digest([("source", "tcp://camera:1")]);
    cluster.define(&door(), SharedStream::new(digest));
    nodes.send_modify(|nodes| drop(nodes.insert(address, cluster.clone())));
    cluster
}

async fn mine(cluster: &Cluster) -> Tenure {
    let mut ownership = cluster.ownership(&door());
    let owns = ownership.wait_for(|now| matches!(now, Ownership::Mine(_)));
    let owns = timeout(PATIENCE, owns)
        .await
        .expect("it owns it")
        .unwrap()
        .clone();
    match owns {
        Ownership::Mine(tenure) => tenure,
        other => panic!("{other:?}"),
    }
}

async fn theirs(cluster: &Cluster) -> u64 {
    let mut ownership = cluster.ownership(&door());
    let owns = ownership.wait_for(|now| matches!(now, Ownership::Theirs { .. }));
    let owns = timeout(PATIENCE, owns)
        .await
        .expect("another owns it")
        .unwrap()
        .clone();
    match owns {
        Ownership::Theirs { epoch, .. } => epoch,
        other => panic!("{other:?}"),
    }
}

/// Two nodes, the first of which owns the stream, and both of which may.
async fn two(group: &Group, nodes: &Neighbours) -> (Cluster, Cluster) {
    let a = start("a", &group.endpoints(), nodes).await;
    mine(&a).await;
    let b = start("b", &group.endpoints(), nodes).await;
    theirs(&b).await;
    // Until a new member is admitted and has waited for its first lease.
    sleep(2 * LEASE).await;
    (a, b)
}

#[tokio::test(flavor = "multi_thread")]
async fn claim_is_watched_and_handed_over() {
    let Some(group) = Group::start(1) else { return };
    let nodes = Neighbours::default();
    let (a, b) = two(&group, &nodes).await;
    let before = mine(&a).await;
    assert_eq!(theirs(&b).await, before.epoch());
    assert!(a.drain(PATIENCE).await);
    assert!(!before.is_open(Instant::now()));
    let after = mine(&b).await;
    assert!(after.epoch() > before.epoch());
    assert_eq!(theirs(&a).await, after.epoch());
}

#[tokio::test(flavor = "multi_thread")]
async fn stream_of_a_killed_process_is_taken_over() {
    let Some(group) = Group::start(1) else { return };
    let mut holder = Command::new(std::env::current_exe().unwrap());
    holder.args(["--exact", "etcd::holder", "--ignored"]);
    let mut holder = holder
        .env(HOLDER, group.endpoints().join(","))
        .spawn()
        .unwrap();
    timeout(PATIENCE, owned(&group)).await.expect("it owns it");
    let nodes = Neighbours::default();
    let b = start("b", &group.endpoints(), &nodes).await;
    let before = theirs(&b).await;
    sleep(2 * LEASE).await;
    // kill -9
    holder.kill().unwrap();
    holder.wait().unwrap();
    let killed = Instant::now();
    assert!(mine(&b).await.epoch() > before);
    println!("taken over after {:?}", killed.elapsed());
}

/// Waits until somebody owns the stream.
async fn owned(group: &Group) {
    let plant = NodeName::new("plant").unwrap();
    let etcd = Etcd::connect(EtcdConfig::new(plant, group.endpoints()))
        .await
        .unwrap();
    let is_owner = |stored: &Stored| matches!(stored.value, EngineValue::Owner(..));
    while !etcd
        .read()
        .await
        .is_ok_and(|image| image.stored.iter().any(is_owner))
    {
        sleep(Duration::from_millis(50)).await;
    }
}

/// Which etcd the process that is to be killed uses.
const HOLDER: &str = "MJPEG_CLUSTER_HOLDER";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "the process that another test kills"]
async fn holder() {
    let Ok(endpoints) = std::env::var(HOLDER) else {
        return;
    };
    let endpoints: Vec<_> = endpoints.split(',').map(str::to_owned).collect();
    let node = start("a", &endpoints, &Neighbours::default()).await;
    mine(&node).await;
    // If nobody kills it, it ends by itself.
    sleep(2 * PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn etcd_away_and_back_costs_no_tenure() {
    let Some(mut group) = Group::start(1) else {
        return;
    };
    let nodes = Neighbours::default();
    let (a, b) = two(&group, &nodes).await;
    let tenure = mine(&a).await;
    group.kill(0);
    sleep(3 * LEASE).await;
    assert!(tenure.is_open(Instant::now()));
    assert!(a.stats().hold);
    group.restart(0);
    let back = async {
        while !(a.stats().engine_up && b.stats().engine_up && !a.stats().hold) {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(PATIENCE, back).await.expect("etcd is back");
    sleep(2 * LEASE).await;
    assert!(tenure.is_open(Instant::now()));
    assert_eq!(theirs(&b).await, tenure.epoch());
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_leader_of_three_costs_no_tenure() {
    let Some(mut group) = Group::start(3) else {
        return;
    };
    let nodes = Neighbours::default();
    let (a, b) = two(&group, &nodes).await;
    let tenure = mine(&a).await;
    let leader = leader(&group).await;
    group.kill(leader);
    sleep(3 * LEASE).await;
    assert!(tenure.is_open(Instant::now()));
    assert_eq!(theirs(&b).await, tenure.epoch());
    assert_eq!(a.stats().self_fences, 0);
    // What is left of it still works.
    assert!(a.drain(PATIENCE).await);
    assert!(mine(&b).await.epoch() > tenure.epoch());
}

async fn leader(group: &Group) -> usize {
    for (at, endpoint) in group.endpoints().into_iter().enumerate() {
        let mut client = etcd_client::Client::connect([endpoint], None)
            .await
            .unwrap();
        let status = client.status().await.unwrap();
        if status.header().unwrap().member_id() == status.leader() {
            return at;
        }
    }
    panic!("no leader");
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_values_are_skipped_and_counted() {
    let Some(group) = Group::start(1) else { return };
    let endpoints = group.endpoints();
    let client = etcd_client::Client::connect(&endpoints, None)
        .await
        .unwrap();
    let mut keys = client.kv_client();
    let put = async {
        for (key, value) in [
            ("/mjpeg/plant/owners/door", "{"),
            ("/mjpeg/plant/owners/a\u{1b}b", "{}"),
            ("/mjpeg/plant/else/door", "{}"),
            (
                "/mjpeg/plant/nodes/x",
                r#"{"address":"nowhere","capacity":1}"#,
            ),
            (
                "/mjpeg/other/owners/door",
                r#"{"node":"a","address":"a:1"}"#,
            ),
        ] {
            while keys.put(key, value, None).await.is_err() {
                sleep(Duration::from_millis(100)).await;
            }
        }
    };
    timeout(PATIENCE, put).await.expect("etcd is up");
    let plant = NodeName::new("plant").unwrap();
    let etcd = Etcd::connect(EtcdConfig::new(plant, &endpoints))
        .await
        .unwrap();
    let image = etcd.read().await.unwrap();
    assert!(image.stored.is_empty(), "{image:?}");
    assert_eq!(etcd.skipped(), 4);
}

#[test]
fn tests_say_when_they_are_skipped() {
    if !installed() {
        println!("skipped: etcd is not installed (Debian: etcd-server)");
    }
}
