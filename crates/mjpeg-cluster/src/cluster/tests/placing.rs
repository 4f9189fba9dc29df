//! Which node claims a stream, and which gives it up.

use super::*;
use crate::{
    engine::{record::EngineKey, transaction::KeyEdit},
    node::moves::InvalidMove,
};

fn stream(name: &str) -> SharedName {
    SharedName::new(name).unwrap()
}

fn epoch_at(node: &Up, stream: &SharedName) -> Option<u64> {
    node.cluster.stats().epochs.get(stream).copied()
}

/// Says that the camera of a stream can be dialled, or not.
fn dialled(node: &Up, stream: &SharedName, well: bool) {
    let tell = |core: &mut crate::node::Node, now| core.dialled(stream, well, now);
    node.cluster.shared.with(tell);
}

#[tokio::test(start_paused = true)]
async fn stream_moves_to_a_node_with_the_labels_that_it_comes_to_require() {
    let plant = Plant::new();
    let labels = BTreeMap::from([("site".to_owned(), "x".to_owned())]);
    let a = plant.start("a");
    let tenure = mine(&a).await;
    let b = plant.start_with("b", |config| config.with_labels(labels.clone()));
    sleep(2 * LEASE).await;
    for node in [&a, &b] {
        let requiring = spec("tcp://camera:1").with_requires(labels.clone());
        node.cluster.define(&door(), requiring);
    }
    assert!(mine(&b).await.epoch() > tenure.epoch());
    assert!(!tenure.is_open(Instant::now()));
    plant.isolate(&b);
    drop(b);
    sleep(5 * LEASE).await;
    assert_eq!(a.cluster.stats().owned, 0, "it may not");
}

#[tokio::test(start_paused = true)]
async fn stream_moves_to_the_node_to_which_it_comes_to_be_bound() {
    let plant = Plant::new();
    let (a, b) = plant.two().await;
    let tenure = mine(&a).await;
    for node in [&a, &b] {
        let bound = spec("tcp://camera:1").with_pinned(named("b"));
        node.cluster.define(&door(), bound);
    }
    assert!(mine(&b).await.epoch() > tenure.epoch());
}

#[tokio::test(start_paused = true)]
async fn node_never_has_more_streams_than_it_may_however_many_come_at_once() {
    let plant = Plant::new();
    let a = plant.start_with("a", |config| config.with_capacity(3));
    mine(&a).await;
    for number in 0..10 {
        let name = stream(&format!("s{number}"));
        a.cluster.define(&name, spec("tcp://camera:2"));
    }
    sleep(3 * LEASE).await;
    let stats = a.cluster.stats();
    assert_eq!((stats.owned, stats.claims), (3, 3));
    a.cluster.remove(&door());
    sleep(LEASE).await;
    assert_eq!(a.cluster.stats().owned, 3, "another one in its place");
}

#[tokio::test(start_paused = true)]
async fn camera_that_cannot_be_dialled_stays_if_no_other_node_may_own_it() {
    let plant = Plant::new();
    let a = plant.start("a");
    let tenure = mine(&a).await;
    let full = plant.start_with("full", |config| config.with_capacity(0));
    let foreign = plant.start("foreign");
    foreign.cluster.define(&door(), spec("tcp://another:1"));
    sleep(2 * LEASE).await;
    for _ in 0..90 {
        dialled(&a, &door(), false);
        sleep(Duration::from_secs(1)).await;
    }
    assert!(tenure.is_open(Instant::now()));
    drop((full, foreign));
}

#[tokio::test(start_paused = true)]
async fn camera_that_cannot_be_dialled_is_left_to_another_node_whoever_is_first() {
    let plant = Plant::new();
    let (a, b) = plant.two().await;
    let names = ["yard", "hall", "gate", "attic", "lobby"].map(stream);
    for node in [&a, &b] {
        for name in &names {
            let camera = format!("tcp://{name}:1");
            node.cluster.define(name, spec(&camera));
        }
    }
    sleep(2 * LEASE).await;
    let owned: Vec<_> = names
        .iter()
        .filter(|name| epoch_at(&a, name).is_some())
        .collect();
    assert!(!owned.is_empty(), "it is the first for one of them");
    for name in &owned {
        dialled(&a, name, false);
    }
    sleep(Duration::from_secs(20)).await;
    // What can be dialled in between has its whole time again.
    let kept = owned[0];
    dialled(&a, kept, true);
    dialled(&a, kept, false);
    sleep(Duration::from_secs(12)).await;
    for name in &owned {
        assert_eq!(epoch_at(&a, name).is_some(), *name == kept, "{name}");
        assert_eq!(epoch_at(&b, name).is_some(), *name != kept, "{name}");
    }
    dialled(&a, kept, true);
    sleep(Duration::from_secs(60)).await;
    assert!(epoch_at(&a, kept).is_some());
}

#[tokio::test(start_paused = true)]
async fn stream_that_is_removed_and_defined_again_at_once_is_claimed_again() {
    let plant = Plant::new();
    let a = plant.start("a");
    let before = mine(&a).await;
    a.cluster.remove(&door());
    a.cluster.define(&door(), spec("tcp://camera:1"));
    before.ended().await;
    sleep(LEASE).await;
    assert!(mine(&a).await.epoch() > before.epoch());
}

#[tokio::test(start_paused = true)]
async fn stream_on_demand_is_kept_until_the_last_one_goes() {
    let plant = Plant::new();
    let a = plant.start("a");
    mine(&a).await;
    let yard = stream("yard");
    let on_demand = spec("tcp://camera:2").with_on_demand(true);
    a.cluster.define(&yard, on_demand);
    sleep(LEASE).await;
    assert_eq!(epoch_at(&a, &yard), None, "nobody wants it yet");
    let want = |wanted| {
        let tell = |core: &mut crate::node::Node, now| core.want(&yard, wanted, now);
        a.cluster.shared.with(tell);
    };
    want(true);
    want(true);
    sleep(LEASE / 10).await;
    let epoch = epoch_at(&a, &yard).expect("it is wanted");
    want(false);
    sleep(Duration::from_secs(60)).await;
    assert_eq!(epoch_at(&a, &yard), Some(epoch));
    want(false);
    sleep(Duration::from_secs(29)).await;
    assert_eq!(epoch_at(&a, &yard), Some(epoch));
    sleep(Duration::from_secs(2)).await;
    assert_eq!(epoch_at(&a, &yard), None);
}

/// Who is to claim the stream next, as a node shows it.
fn next(node: &Up) -> Option<Option<PeerAddress>> {
    match &*node.cluster.ownership(&door()).borrow() {
        Ownership::Nobody { next } => Some(next.clone()),
        _ => None,
    }
}

#[tokio::test(start_paused = true)]
async fn next_owner_is_one_that_is_up_and_not_full() {
    let plant = Plant::new();
    let (a, b) = plant.two().await;
    let full = plant.start_with("full", |config| config.with_capacity(0));
    sleep(2 * LEASE).await;
    let mut shown = full.cluster.ownership(&door());
    // It is up, and does not claim.
    b.link.cut(true);
    assert!(a.cluster.drain(LEASE).await);
    sleep(LEASE / 10).await;
    assert_eq!(next(&a), Some(Some(b.address.clone())));
    assert_eq!(next(&full), Some(Some(b.address.clone())));
    shown.mark_unchanged();
    plant
        .engine
        .edit([KeyEdit::Delete(EngineKey::Node(named("b")))]);
    sleep(LEASE / 10).await;
    assert!(shown.has_changed().unwrap());
    assert_eq!([&a, &full].map(next), [Some(None), Some(None)]);
}

#[tokio::test(start_paused = true)]
async fn node_that_is_to_drain_and_does_not_know_it_yet_is_no_place_to_move_to() {
    let plant = Plant::new();
    let (a, b) = plant.two().await;
    b.link.cut(true);
    assert!(a.cluster.drain_node(&named("b"), true));
    sleep(LEASE / 10).await;
    let refused = a.cluster.move_to(&door(), &named("b"));
    assert_eq!(refused, Err(InvalidMove::Draining));
}

#[tokio::test(start_paused = true)]
async fn camera_that_could_not_be_dialled_long_ago_has_its_whole_time_again() {
    let plant = Plant::new();
    let (a, b) = plant.two().await;
    dialled(&a, &door(), false);
    // It loses all it has before it gives up.
    plant
        .engine
        .edit([KeyEdit::Delete(EngineKey::Node(named("a")))]);
    mine(&b).await;
    sleep(Duration::from_secs(60)).await;
    b.cluster.give_up(&door());
    let epoch = mine(&a).await.epoch();
    sleep(Duration::from_secs(20)).await;
    assert_eq!(epoch_at(&a, &door()), Some(epoch));
}
