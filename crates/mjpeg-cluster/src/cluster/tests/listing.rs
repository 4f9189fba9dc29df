//! What a node says of itself and of the others.

use super::*;
use crate::{
    cluster::listing::ClusterNode,
    engine::{
        record::{EngineKey, EngineValue, OwnerRecord},
        transaction::KeyEdit,
    },
};

fn listed(at: &Up, name: &str) -> ClusterNode {
    let mut nodes = at.cluster.nodes().into_iter();
    let named = nodes.find(|node| node.name.as_str() == name);
    named.expect("it is listed")
}

#[tokio::test(start_paused = true)]
async fn node_is_listed_with_what_it_says_of_itself() {
    let plant = Plant::new();
    let labels = BTreeMap::from([("site".to_owned(), "x".to_owned())]);
    let labelled = |config: ClusterConfig| config.with_labels(labels.clone());
    let a = plant.start_with("a", labelled);
    mine(&a).await;
    let b = plant.start("b");
    sleep(LEASE / 10).await;
    let fresh = listed(&a, "b");
    assert!(fresh.is_up && fresh.labels.is_empty());
    sleep(2 * LEASE).await;
    assert_eq!(listed(&b, "a").labels, labels);
    a.cluster.drain(LEASE).await;
    mine(&b).await;
    sleep(LEASE).await;
    let drained = listed(&b, "a");
    assert!(drained.is_draining && !listed(&b, "b").is_draining);
    assert_eq!((drained.owned, listed(&b, "b").owned), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn member_that_not_all_know_is_listed_as_such() {
    let plant = Plant::new();
    let (a, b) = plant.two().await;
    plant.isolate(&b);
    drop(b);
    sleep(2 * LEASE).await;
    let c = plant.start("c");
    sleep(2 * LEASE).await;
    for at in [&a, &c] {
        assert!(listed(at, "a").is_admitted && !listed(at, "c").is_admitted);
        let down = listed(at, "b");
        assert!(!down.is_up && down.labels.is_empty() && down.version.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn streams_are_listed_that_the_engine_does_not_show_or_nobody_defines() {
    let plant = Plant::new();
    let a = plant.start("a");
    mine(&a).await;
    let [yard, hall] = ["yard", "hall"].map(|name| SharedName::new(name).unwrap());
    let record = OwnerRecord {
        node: named("gone"),
        address: a.address.clone(),
    };
    let owned = EngineValue::Owner(hall.clone(), record);
    plant.engine.edit([KeyEdit::Put(owned, None)]);
    sleep(LEASE).await;
    a.cluster.define(&yard, spec("tcp://camera:2"));
    let owners = a.cluster.owners();
    assert_eq!(owners.get(&yard), Some(&None));
    let owner = owners[&hall].as_ref().expect("it has one");
    assert_eq!(owner.node, named("gone"));
    assert!(plant.engine.has(&EngineKey::Owner(hall)));
}

#[tokio::test(start_paused = true)]
async fn lease_remains_for_as_long_as_it_may_be_used() {
    let plant = Plant::new();
    let a = plant.start_with("a", |config| config.with_engine_loss(EngineLoss::Drop));
    assert_eq!(a.cluster.stats().lease_remaining, Duration::ZERO);
    let tenure = mine(&a).await;
    sleep(2 * LEASE).await;
    let remaining = a.cluster.stats().lease_remaining;
    // It is renewed each fifth of a lease.
    assert!(remaining <= LEASE * 4 / 5, "{remaining:?}");
    assert!(remaining >= LEASE / 2, "{remaining:?}");
    a.link.cut(true);
    let began = Instant::now();
    tenure.ended().await;
    assert_eq!(began.elapsed().as_millis(), remaining.as_millis());
    assert_eq!(a.cluster.stats().lease_remaining, Duration::ZERO);
}
