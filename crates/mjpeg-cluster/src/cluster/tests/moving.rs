//! Streams and nodes that are moved on request, and what is counted and listed of it.

use super::*;
use crate::{engine::record::EngineKey, node::moves::InvalidMove};

fn name(node: &str) -> NodeName {
    NodeName::new(node).unwrap()
}

fn owner(node: &Up) -> Option<String> {
    let owners = node.cluster.owners();
    let owner = owners.get(&door()).cloned().flatten();
    owner.map(|owner| owner.node.as_str().to_owned())
}

/// Three nodes, the first of which owns the stream.
async fn three(plant: &Plant) -> [Up; 3] {
    let (a, b) = plant.two().await;
    let c = plant.start("c");
    sleep(2 * LEASE).await;
    [a, b, c]
}

#[tokio::test(start_paused = true)]
async fn stream_is_moved_to_the_node_that_is_named_whoever_is_asked() {
    let plant = Plant::new();
    let nodes = three(&plant).await;
    mine(&nodes[0]).await;
    let mut before = 0;
    // Asked are the owner, the node itself, and a third one.
    for (asked, to) in [(0, 1), (2, 2), (1, 0), (2, 1), (0, 0)] {
        let started = Instant::now();
        let named = name(["a", "b", "c"][to]);
        nodes[asked].cluster.move_to(&door(), &named).unwrap();
        let moved = timeout(2 * LEASE, async {
            while owner(&nodes[0]).as_deref() != Some(named.as_str()) {
                sleep(Duration::from_millis(5)).await;
            }
        });
        moved.await.expect("it moves");
        assert!(
            !plant.engine.has(&EngineKey::Move(door())),
            "it counts once"
        );
        let took = started.elapsed();
        assert!(took < LEASE / 6, "{took:?}");
        let epoch = mine(&nodes[to]).await.epoch();
        assert!(epoch > before);
        before = epoch;
        // Once: it stays there.
        sleep(5 * LEASE).await;
        assert_eq!(mine(&nodes[to]).await.epoch(), epoch);
    }
    let requested = nodes
        .iter()
        .map(|node| node.cluster.stats().moves.requested);
    assert_eq!(requested.collect::<Vec<_>>(), [2, 2, 1]);
}

#[tokio::test(start_paused = true)]
async fn move_that_could_not_come_about_is_refused() {
    let plant = Plant::new();
    let (a, b) = plant.two().await;
    let to_b = |node: &Up| node.cluster.move_to(&door(), &name("b"));
    let settle = || sleep(LEASE);
    let refused = |node: &str| a.cluster.move_to(&door(), &name(node));
    assert_eq!(refused("nobody"), Err(InvalidMove::UnknownNode));
    assert_eq!(refused("a"), Err(InvalidMove::AlreadyThere));
    let yard = SharedName::new("yard").unwrap();
    let unknown = a.cluster.move_to(&yard, &name("b"));
    assert_eq!(unknown, Err(InvalidMove::UnknownStream));
    b.cluster.define(&door(), spec("tcp://another:1"));
    settle().await;
    assert_eq!(to_b(&a), Err(InvalidMove::NotDefined));
    b.cluster.define(&door(), spec("tcp://camera:1"));
    b.cluster.drain(LEASE).await;
    settle().await;
    assert_eq!(to_b(&a), Err(InvalidMove::Draining));
    b.cluster.undrain();
    settle().await;
    let labels = BTreeMap::from([("site".to_owned(), "x".to_owned())]);
    b.cluster
        .define(&door(), spec("tcp://camera:1").with_requires(labels));
    assert_eq!(to_b(&b), Err(InvalidMove::Unfit));
    b.cluster.define(&door(), spec("tcp://camera:1"));
    let full = plant.start_with("full", |config| config.with_capacity(0));
    assert_eq!(refused("full"), Err(InvalidMove::UnknownNode));
    sleep(2 * LEASE).await;
    assert_eq!(refused("full"), Err(InvalidMove::Full));
    plant.isolate(&full);
    drop(full);
    sleep(2 * LEASE).await;
    assert_eq!(refused("full"), Err(InvalidMove::Down));
    // It is new, and the one that is down does not know it.
    let fresh = plant.start("fresh");
    sleep(2 * LEASE).await;
    assert_eq!(refused("fresh"), Err(InvalidMove::NotAdmitted));
    drop(fresh);
    a.link.cut(true);
    b.link.cut(true);
    sleep(LEASE / 2).await;
    assert_eq!(to_b(&a), Err(InvalidMove::NoEngine));
    let tenure = mine(&a).await;
    assert!(
        tenure.is_open(Instant::now()),
        "nothing of it has cost a tenure"
    );
}

/// Waits until a node is listed as up, and returns whether it waits.
async fn waits_when_up(seen_by: &Up, node: &str) -> bool {
    loop {
        let nodes = seen_by.cluster.nodes();
        let listed = nodes.iter().find(|listed| listed.name == name(node));
        if let Some(listed) = listed.filter(|listed| listed.is_up) {
            return listed.is_waiting;
        }
        sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn stream_is_not_moved_to_a_node_that_has_just_started() {
    let plant = Plant::new();
    let (a, b) = plant.two().await;
    let epoch = mine(&a).await.epoch();
    plant.isolate(&b);
    b.cluster.drain(LEASE).await;
    drop(b);
    sleep(2 * LEASE).await;
    let b = plant.start("b");
    assert!(waits_when_up(&a, "b").await);
    let to_b = || a.cluster.move_to(&door(), &name("b"));
    assert_eq!(to_b(), Err(InvalidMove::Waiting));
    assert_eq!(mine_epoch(&a), Some(epoch), "it stays where it is");
    sleep(LEASE * 6 / 5).await;
    assert!(!waits_when_up(&a, "b").await);
    assert_eq!(to_b(), Ok(()));
    sleep(LEASE / 5).await;
    assert!(mine_epoch(&b).is_some());
}

#[tokio::test(start_paused = true)]
async fn owner_that_drains_waits_for_the_only_other_node_to_take_its_streams() {
    let plant = Plant::new();
    let a = plant.start("a");
    mine(&a).await;
    let b = plant.start("b");
    assert!(waits_when_up(&a, "b").await);
    let started = Instant::now();
    let draining = tokio::spawn({
        let cluster = a.cluster.clone();
        async move { cluster.drain(5 * LEASE).await }
    });
    while mine_epoch(&a).is_some() {
        sleep(Duration::from_millis(5)).await;
    }
    let given_up = started.elapsed();
    assert!(given_up > LEASE / 2, "{given_up:?}");
    mine(&b).await;
    let without = started.elapsed() - given_up;
    assert!(without < LEASE / 6, "{without:?}");
    assert!(draining.await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn move_to_a_node_that_dies_is_forgotten() {
    let plant = Plant::new();
    let [a, b, c] = three(&plant).await;
    let before = mine(&a).await.epoch();
    // It is up for all others, and hears of nothing.
    b.link.cut(true);
    a.cluster.move_to(&door(), &name("b")).unwrap();
    let moved = timeout(2 * LEASE, async {
        while owner(&c).is_none() || mine_epoch(&a) == Some(before) {
            sleep(Duration::from_millis(5)).await;
        }
    });
    moved.await.expect("another takes it");
    // Long after: it comes back, and nothing moves any more.
    b.link.cut(false);
    sleep(10 * LEASE).await;
    let owned = [&a, &c].map(|node| node.cluster.stats().owned);
    assert_eq!(owned.iter().sum::<usize>(), 1, "{owned:?}");
    assert_eq!(b.cluster.stats().owned, 0);
}

#[tokio::test(start_paused = true)]
async fn owner_that_does_not_know_yet_that_a_wish_is_over_keeps_its_claim() {
    let plant = Plant::new();
    let (a, b) = plant.two().await;
    let yard = SharedName::new("yard").unwrap();
    for node in [&a, &b] {
        node.cluster.define(&yard, spec("tcp://camera:2"));
    }
    sleep(LEASE).await;
    let epoch = || a.cluster.stats().epochs.get(&yard).copied();
    let before = epoch().expect("it is the first in the order");
    // The one that is named hears of nothing.
    b.link.cut(true);
    a.cluster.move_to(&yard, &name("b")).unwrap();
    sleep(LEASE / 3).await;
    assert_eq!(epoch(), None, "it is given up");
    a.link.cut_watch(true);
    sleep(LEASE / 3).await;
    let taken_back = epoch().expect("it has waited for its turn");
    assert!(taken_back > before);
    sleep(LEASE / 4).await;
    assert_eq!(epoch(), Some(taken_back));
}

#[tokio::test(start_paused = true)]
async fn owner_that_is_named_keeps_its_claim() {
    let plant = Plant::new();
    let [a, b, c] = three(&plant).await;
    // Its view is old: it does not know that the stream is there already.
    c.link.cut_watch(true);
    a.cluster.move_to(&door(), &name("b")).unwrap();
    let epoch = mine(&b).await.epoch();
    sleep(LEASE).await;
    c.cluster.move_to(&door(), &name("b")).unwrap();
    sleep(LEASE).await;
    assert!(plant.engine.has(&EngineKey::Move(door())));
    assert_eq!(mine_epoch(&b), Some(epoch));
}

fn mine_epoch(node: &Up) -> Option<u64> {
    node.cluster.stats().epochs.get(&door()).copied()
}

#[tokio::test(start_paused = true)]
async fn wish_that_nobody_heeds_is_withdrawn() {
    let plant = Plant::new();
    let (a, b) = plant.two().await;
    // The owner does not hear of it.
    a.link.cut_watch(true);
    b.cluster.move_to(&door(), &name("b")).unwrap();
    sleep(LEASE).await;
    let key = EngineKey::Move(door());
    assert!(plant.engine.has(&key));
    sleep(Duration::from_secs(10)).await;
    assert!(!plant.engine.has(&key));
    assert_eq!(a.cluster.stats().owned, 1);
}

#[tokio::test(start_paused = true)]
async fn node_that_is_drained_by_another_gives_up_and_goes_on_after_a_restart() {
    let plant = Plant::new();
    let (a, b) = plant.two().await;
    assert!(!b.cluster.drain_node(&name("nobody"), true));
    assert!(b.cluster.drain_node(&name("a"), true));
    mine(&b).await;
    assert_eq!(b.cluster.stats().moves.owner_drained, 1);
    let draining = |nodes: Vec<crate::cluster::listing::ClusterNode>| {
        let node = nodes.into_iter().find(|node| node.name == name("a"));
        node.unwrap().is_draining
    };
    assert!(draining(b.cluster.nodes()));
    plant.isolate(&a);
    drop(a);
    let a = plant.start("a");
    sleep(3 * LEASE).await;
    b.cluster.give_up(&door());
    sleep(3 * LEASE).await;
    assert_eq!(a.cluster.stats().owned, 0);
    a.cluster.drain_node(&name("a"), false);
    sleep(LEASE).await;
    assert!(!draining(b.cluster.nodes()));
    b.cluster.give_up(&door());
    mine(&a).await;
    assert_eq!(a.cluster.stats().moves.given_up, 1);
}

#[tokio::test(start_paused = true)]
async fn members_and_owners_are_listed_and_moves_counted_by_reason() {
    let plant = Plant::new();
    let (a, b) = plant.two().await;
    let yard = SharedName::new("yard").unwrap();
    let pinned = spec("tcp://other:1").with_pinned(name("c"));
    b.cluster.define(&yard, pinned);
    sleep(LEASE).await;
    let epoch = mine(&a).await.epoch();
    for node in [&a, &b] {
        let owners = node.cluster.owners();
        let said = owners[&door()].clone().unwrap();
        assert_eq!((said.node, said.epoch), (name("a"), epoch));
        assert_eq!(owners[&yard], None);
        let nodes = node.cluster.nodes();
        let listed = nodes.iter().map(|node| (node.name.as_str(), node.is_up));
        assert_eq!(listed.collect::<Vec<_>>(), [("a", true), ("b", true)]);
        let owned = nodes.iter().map(|node| (node.owned, node.defines));
        assert_eq!(owned.collect::<Vec<_>>(), [(1, 1), (0, 2)]);
        assert!(
            nodes
                .iter()
                .all(|node| node.is_admitted && !node.is_draining)
        );
        assert!(nodes.iter().all(|node| node.capacity == 10_000));
        assert!(nodes.iter().all(|node| !node.version.is_empty()));
    }
    assert!(a.cluster.is_up("b.lan:7443") && !a.cluster.is_up("c.lan:7443"));
    let stats = a.cluster.stats();
    assert_eq!(stats.epochs, BTreeMap::from([(door(), epoch)]));
    assert_eq!((stats.moves.unowned, stats.claims), (1, 1));
    plant.isolate(&a);
    drop(a);
    mine(&b).await;
    let moves = b.cluster.stats().moves;
    assert_eq!((moves.owner_gone, moves.unowned), (1, 0), "{moves:?}");
    let nodes = b.cluster.nodes();
    assert!(!nodes[0].is_up && nodes[0].capacity == 0);
    b.cluster.give_up(&door());
    sleep(3 * LEASE).await;
    assert_eq!(b.cluster.stats().moves.retaken, 1);
}
