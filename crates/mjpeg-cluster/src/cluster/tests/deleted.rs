//! Somebody deletes keys of the engine by hand, or the engine refuses what would make up for it.

use super::*;
use crate::{
    engine::{
        record::{EngineKey, EngineValue},
        transaction::KeyEdit,
    },
    node::Call,
};

fn delete(plant: &Plant, key: EngineKey) {
    plant.engine.edit([KeyEdit::Delete(key)]);
}

/// Whether a call claims a stream.
pub(super) fn is_claim(call: &Call) -> bool {
    let puts_owner = |edit: &KeyEdit| matches!(edit, KeyEdit::Put(EngineValue::Owner(..), _));
    matches!(call, Call::Commit(claim) if claim.edits.iter().any(puts_owner))
}

/// Whether a call puts a node's record.
fn is_record(call: &Call) -> bool {
    let puts_node = |edit: &KeyEdit| matches!(edit, KeyEdit::Put(EngineValue::Node(..), _));
    matches!(call, Call::Commit(record) if record.edits.iter().any(puts_node))
}

#[tokio::test(start_paused = true)]
async fn node_whose_record_or_place_is_deleted_gives_its_cameras_up_and_comes_back() {
    for key in [EngineKey::Node(named("a")), EngineKey::Member(named("a"))] {
        let plant = Plant::new();
        let (a, b) = plant.two().await;
        let tenure = mine(&a).await;
        delete(&plant, key.clone());
        let gone = timeout(LEASE / 10, tenure.ended()).await;
        gone.unwrap_or_else(|_| panic!("{key:?}: it is kept"));
        assert!(mine(&b).await.epoch() > tenure.epoch());
        sleep(2 * LEASE).await;
        let stats = b.cluster.stats();
        assert_eq!((stats.nodes, stats.members, stats.owned), (2, 2, 1));
        assert_eq!(a.cluster.stats().self_fences, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn claim_that_is_deleted_ends_and_is_made_anew() {
    let plant = Plant::new();
    let (a, b) = plant.two().await;
    let tenure = mine(&a).await;
    delete(&plant, EngineKey::Owner(door()));
    let gone = timeout(LEASE / 10, tenure.ended()).await;
    gone.expect("it is not kept");
    sleep(2 * LEASE).await;
    let epochs = [&a, &b].map(|node| node.cluster.stats().epochs.get(&door()).copied());
    let epochs: Vec<_> = epochs.into_iter().flatten().collect();
    assert!(
        matches!(epochs[..], [epoch] if epoch > tenure.epoch()),
        "{epochs:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn node_whose_name_another_process_has_taken_gives_its_cameras_up() {
    let plant = Plant::new();
    let a = plant.start("a");
    let tenure = mine(&a).await;
    let image = plant.engine.image();
    let mut values = image.stored.into_iter().map(|stored| stored.value);
    let record = values.find(|value| matches!(value, EngineValue::Node(..)));
    let record = record.unwrap();
    // All at once, so that the name is never free.
    let edits = [
        KeyEdit::Delete(record.key()),
        KeyEdit::Put(record.clone(), None),
    ];
    plant.engine.edit(edits);
    sleep(5 * LEASE).await;
    assert!(!tenure.is_open(Instant::now()));
    assert_eq!(a.cluster.stats().owned, 0);
}

#[tokio::test(start_paused = true)]
async fn single_node_whose_record_is_deleted_keeps_its_camera_and_claims_it_at_once() {
    let plant = Plant::new();
    let a = plant.start("a");
    let tenure = mine(&a).await;
    let before = tenure.epoch();
    delete(&plant, EngineKey::Node(named("a")));
    sleep(LEASE / 10).await;
    assert!(tenure.is_open(Instant::now()));
    assert!(tenure.epoch() > before);
    assert_eq!(a.cluster.stats().claims, 2);
}

#[tokio::test(start_paused = true)]
async fn claim_anew_waits_until_the_claim_before_is_gone() {
    let plant = Plant::new();
    let a = plant.start("a");
    let tenure = mine(&a).await;
    let before = tenure.epoch();
    a.link.refuse(|call| matches!(call, Call::Revoke(_)));
    delete(&plant, EngineKey::Node(named("a")));
    sleep(LEASE / 2).await;
    assert_eq!(tenure.epoch(), before);
    sleep(LEASE).await;
    assert!(tenure.is_open(Instant::now()));
    assert!(tenure.epoch() > before);
}

#[tokio::test(start_paused = true)]
async fn claim_anew_that_is_refused_or_not_answered_lets_go() {
    for is_refused in [true, false] {
        let plant = Plant::new();
        let a = plant.start("a");
        let tenure = mine(&a).await;
        match is_refused {
            true => a.link.refuse(is_claim),
            false => a.link.lose(is_claim),
        }
        delete(&plant, EngineKey::Node(named("a")));
        sleep(LEASE).await;
        assert!(!tenure.is_open(Instant::now()), "refused: {is_refused}");
        sleep(3 * LEASE).await;
        assert_eq!(a.cluster.stats().owned, 0, "refused: {is_refused}");
        a.link.refuse(|_| false);
        a.link.lose(|_| false);
        assert!(mine(&a).await.epoch() > tenure.epoch());
    }
}

#[tokio::test(start_paused = true)]
async fn node_that_drains_while_it_claims_anew_gives_up() {
    let plant = Plant::new();
    let a = plant.start("a");
    let tenure = mine(&a).await;
    delete(&plant, EngineKey::Node(named("a")));
    assert!(a.cluster.drain(LEASE).await);
    assert!(!tenure.is_open(Instant::now()));
    sleep(2 * LEASE).await;
    assert!(!plant.engine.has(&EngineKey::Owner(door())));
}

#[tokio::test(start_paused = true)]
async fn registration_whose_answer_is_lost_counts() {
    let plant = Plant::new();
    let a = plant.start("a");
    a.link.lose(is_record);
    sleep(LEASE / 2).await;
    assert_eq!(a.cluster.stats().owned, 0);
    a.link.lose(|_| false);
    mine(&a).await;
    assert_eq!(a.cluster.stats().nodes, 1);
}

#[tokio::test(start_paused = true)]
async fn member_that_is_forgotten_and_comes_back_is_not_drained() {
    let plant = Plant::new();
    let (a, b) = plant.two().await;
    a.cluster.drain_node(&named("b"), true);
    sleep(LEASE).await;
    plant.isolate(&b);
    drop(b);
    sleep(2 * LEASE).await;
    assert!(a.cluster.forget(&named("b")));
    sleep(LEASE).await;
    let b = plant.start("b");
    sleep(2 * LEASE).await;
    a.cluster.drain(LEASE).await;
    mine(&b).await;
}
