//! How often the engine and the other nodes are asked, and what becomes of calls without an answer.

use super::{deleted::is_claim, *};
use crate::{
    engine::{record::EngineValue, transaction::KeyEdit},
    node::Call,
};

/// Whether a call admits a node.
fn is_admission(call: &Call) -> bool {
    let admits = |edit: &KeyEdit| {
        let KeyEdit::Put(EngineValue::Member(_, member), _) = edit else {
            return false;
        };
        member.admitted
    };
    matches!(call, Call::Commit(admission) if admission.edits.iter().any(admits))
}

#[tokio::test(start_paused = true)]
async fn engine_that_refuses_everything_is_there_and_is_asked_in_moderation() {
    let plant = Plant::new();
    let (a, b) = plant.two().await;
    let tenure = mine(&a).await;
    a.link.refuse(|_| true);
    let began = Instant::now();
    tenure.ended().await;
    assert!(began.elapsed() <= LEASE * 4 / 5, "{:?}", began.elapsed());
    mine(&b).await;
    let before = plant.engine.calls();
    sleep(10 * LEASE).await;
    let stats = a.cluster.stats();
    assert!(stats.engine_up && !stats.hold, "{stats:?}");
    let calls = plant.engine.calls() - before;
    // Ten times in a lease at most, and the other node's keepalives.
    assert!((60..=160).contains(&calls), "{calls}");
    a.link.refuse(|_| false);
    theirs(&a).await;
    sleep(LEASE).await;
    assert_eq!(a.cluster.stats().nodes, 2);
}

#[tokio::test(start_paused = true)]
async fn claim_that_is_refused_is_tried_again_in_moderation() {
    let plant = Plant::new();
    let a = plant.start("a");
    mine(&a).await;
    a.link.refuse(is_claim);
    let yard = SharedName::new("yard").unwrap();
    a.cluster.define(&yard, spec("tcp://camera:2"));
    let before = plant.engine.commits();
    sleep(10 * LEASE).await;
    let commits = plant.engine.commits() - before;
    assert!((50..=110).contains(&commits), "{commits}");
    a.link.refuse(|_| false);
    sleep(LEASE / 5).await;
    assert!(a.cluster.stats().epochs.contains_key(&yard));
}

#[tokio::test(start_paused = true)]
async fn name_that_is_taken_is_asked_for_in_moderation() {
    let plant = Plant::new();
    let _first = plant.start("a");
    let second = plant.start("a");
    // It does not hear that the first one was faster.
    second.link.cut_watch(true);
    sleep(2 * LEASE).await;
    let before = plant.engine.commits();
    sleep(10 * LEASE).await;
    let commits = plant.engine.commits() - before;
    assert!((50..=110).contains(&commits), "{commits}");
}

#[tokio::test(start_paused = true)]
async fn watch_that_does_not_begin_is_tried_in_moderation() {
    let plant = Plant::new();
    let a = plant.start("a");
    mine(&a).await;
    a.link.refuse_watches(true);
    // Ends the one that runs.
    plant.engine.restore(plant.engine.backup());
    sleep(LEASE).await;
    let before = plant.engine.calls();
    sleep(10 * LEASE).await;
    let calls = plant.engine.calls() - before;
    assert!((100..=170).contains(&calls), "{calls}");
    // It knows what it has read.
    let document = StreamDocument::new("{}", &[]).unwrap();
    a.cluster.put_document(&door(), document);
    sleep(LEASE / 5).await;
    assert_eq!(a.cluster.documents().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn others_are_asked_in_moderation_and_again_when_they_do_not_answer() {
    let plant = Plant::new();
    let (a, b) = plant.two().await;
    let tenure = mine(&a).await;
    plant.questions.unheard.store(2, Ordering::Relaxed);
    a.link.cut(true);
    b.link.cut(true);
    sleep(10 * LEASE).await;
    assert!(tenure.is_open(Instant::now()));
    let asked = plant.questions.asked.load(Ordering::Relaxed);
    // Both ask, ten times in a lease.
    assert!((100..=220).contains(&asked), "{asked}");
}

#[tokio::test(start_paused = true)]
async fn nodes_that_are_to_drop_ask_nobody() {
    let plant = Plant::new();
    let strict = |config: ClusterConfig| config.with_engine_loss(EngineLoss::Drop);
    let nodes = ["a", "b"].map(|name| plant.start_with(name, strict));
    sleep(4 * LEASE).await;
    for node in &nodes {
        node.link.cut(true);
    }
    sleep(4 * LEASE).await;
    assert_eq!(plant.questions.asked.load(Ordering::Relaxed), 0);
}

#[tokio::test(start_paused = true)]
async fn drain_without_the_engine_waits_no_longer_than_it_may() {
    let plant = Plant::new();
    let a = plant.start("a");
    let tenure = mine(&a).await;
    a.link.cut(true);
    let began = Instant::now();
    assert!(!a.cluster.drain(LEASE / 3).await);
    assert_eq!(began.elapsed().as_millis(), (LEASE / 3).as_millis());
    assert!(!tenure.is_open(Instant::now()));
}

#[tokio::test(start_paused = true)]
async fn node_that_is_alone_claims_at_once() {
    let plant = Plant::new();
    let began = Instant::now();
    let a = plant.start("a");
    mine(&a).await;
    assert!(began.elapsed() < LEASE / 10, "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn owner_that_died_while_the_watch_was_away_is_known_to_have_had_the_stream() {
    let plant = Plant::new();
    let (a, b) = plant.two().await;
    b.link.cut_watch(true);
    plant.isolate(&a);
    drop(a);
    sleep(LEASE * 3 / 2).await;
    plant.engine.restore(plant.engine.backup());
    b.link.cut_watch(false);
    mine(&b).await;
    let moves = b.cluster.stats().moves;
    assert_eq!((moves.owner_gone, moves.unowned), (1, 0), "{moves:?}");
}

#[tokio::test(start_paused = true)]
async fn what_the_engine_has_done_is_not_done_again_though_the_watch_does_not_show_it() {
    let plant = Plant::new();
    let a = plant.start("a");
    a.link.refuse(is_admission);
    sleep(LEASE / 2).await;
    a.link.cut_watch(true);
    a.link.refuse(|_| false);
    sleep(LEASE).await;
    let before = plant.engine.commits();
    sleep(2 * LEASE).await;
    assert_eq!(plant.engine.commits(), before, "it is admitted");
    a.link.cut_watch(false);
    mine(&a).await;
    sleep(LEASE).await;
    a.link.cut_watch(true);
    let before = plant.engine.commits();
    assert!(a.cluster.drain(LEASE).await);
    sleep(2 * LEASE).await;
    // The claim is given back, and the node's record changed.
    assert_eq!(plant.engine.commits() - before, 2);
}

#[tokio::test(start_paused = true)]
async fn claim_of_what_another_node_has_got_meanwhile_is_none() {
    let plant = Plant::new();
    let (a, b) = plant.two().await;
    b.link.refuse(is_claim);
    assert!(a.cluster.drain(LEASE).await);
    sleep(LEASE / 5).await;
    // It does not hear that the other one has it back.
    b.link.cut_watch(true);
    a.cluster.undrain();
    let tenure = mine(&a).await;
    b.link.refuse(|_| false);
    sleep(3 * LEASE).await;
    assert!(tenure.is_open(Instant::now()));
    assert_eq!((a.cluster.stats().owned, b.cluster.stats().owned), (1, 0));
}
