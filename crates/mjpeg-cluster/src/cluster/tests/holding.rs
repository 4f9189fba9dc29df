//! The engine is gone: who goes on, and who does not.

use super::*;
use crate::node::Call;

/// Waits until a keepalive has just been answered, which lasts for four fifths of a lease.
async fn just_kept_alive(node: &Up) {
    while node.cluster.stats().lease_remaining < LEASE * 79 / 100 {
        sleep(LEASE / 1000).await;
    }
}

#[tokio::test(start_paused = true)]
async fn engine_away_for_a_minute_costs_nobody_a_camera() {
    let plant = Plant::new();
    let (a, b) = plant.two().await;
    let tenure = mine(&a).await;
    plant.engine.stop();
    a.link.cut(true);
    b.link.cut(true);
    sleep(Duration::from_secs(60)).await;
    assert!(tenure.is_open(Instant::now()));
    assert!(a.cluster.stats().hold);
    plant.engine.resume();
    a.link.cut(false);
    b.link.cut(false);
    sleep(2 * LEASE).await;
    assert!(tenure.is_open(Instant::now()));
    let stats = a.cluster.stats();
    assert!(!stats.hold && stats.engine_up, "{stats:?}");
    assert_eq!(theirs(&b).await, tenure.epoch());
}

#[tokio::test(start_paused = true)]
async fn claims_that_the_engine_has_forgotten_meanwhile_end_before_another_begins() {
    let plant = Plant::new();
    let (a, b) = plant.two().await;
    let tenure = mine(&a).await;
    a.link.cut(true);
    b.link.cut(true);
    sleep(Duration::from_secs(60)).await;
    assert!(tenure.is_open(Instant::now()));
    // The leases are over, and only the other node reaches the engine again.
    b.link.cut(false);
    let after = mine(&b).await;
    assert!(!tenure.is_open(Instant::now()));
    assert!(after.epoch() > tenure.epoch());
}

#[tokio::test(start_paused = true)]
async fn owner_lets_go_if_a_member_does_not_answer() {
    let plant = Plant::new();
    let (a, b) = plant.two().await;
    let tenure = mine(&a).await;
    a.link.cut(true);
    b.link.cut(true);
    plant.isolate(&b);
    sleep(LEASE).await;
    assert!(!tenure.is_open(Instant::now()));
    assert!(!a.cluster.stats().hold);
}

#[tokio::test(start_paused = true)]
async fn owner_lets_go_if_it_is_to_drop() {
    let plant = Plant::new();
    let strict = |config: ClusterConfig| config.with_engine_loss(EngineLoss::Drop);
    let a = plant.start_with("a", strict);
    let tenure = mine(&a).await;
    a.link.cut(true);
    tenure.ended().await;
    sleep(LEASE / 10).await;
    assert_eq!(a.cluster.stats().self_fences, 1);
}

#[tokio::test(start_paused = true)]
async fn single_node_goes_on_without_an_engine() {
    let plant = Plant::new();
    let a = plant.start("a");
    let tenure = mine(&a).await;
    a.link.cut(true);
    sleep(Duration::from_secs(60)).await;
    assert!(tenure.is_open(Instant::now()));
}

#[tokio::test(start_paused = true)]
async fn camera_stays_when_a_living_engine_is_out_of_reach_for_a_minute() {
    let plant = Plant::new();
    let (a, b) = plant.two().await;
    let tenure = mine(&a).await;
    let before = tenure.epoch();
    a.link.cut(true);
    b.link.cut(true);
    sleep(Duration::from_secs(60)).await;
    a.link.cut(false);
    b.link.cut(false);
    sleep(2 * LEASE).await;
    assert!(tenure.is_open(Instant::now()), "the same connection");
    assert!(tenure.epoch() > before, "claimed anew");
    assert_eq!(theirs(&b).await, tenure.epoch());
    let stats = a.cluster.stats();
    assert!(!stats.hold && stats.engine_up, "{stats:?}");
    assert_eq!((stats.self_fences, stats.claims), (0, 2), "{stats:?}");
    assert_eq!(stats.epochs.values().copied().max(), Some(tenure.epoch()));
}

#[tokio::test(start_paused = true)]
async fn single_node_keeps_its_camera_when_the_engine_has_forgotten_it() {
    let plant = Plant::new();
    let a = plant.start("a");
    let tenure = mine(&a).await;
    let before = tenure.epoch();
    a.link.cut(true);
    sleep(Duration::from_secs(60)).await;
    a.link.cut(false);
    sleep(LEASE).await;
    assert!(tenure.is_open(Instant::now()));
    assert!(tenure.epoch() > before);
}

#[tokio::test(start_paused = true)]
async fn keepalive_that_fails_is_sent_again_before_the_next_is_due() {
    let plant = Plant::new();
    let strict = |config: ClusterConfig| config.with_engine_loss(EngineLoss::Drop);
    let a = plant.start_with("a", strict);
    let tenure = mine(&a).await;
    just_kept_alive(&a).await;
    // As long as a leader's election takes, and the client has not found the new one yet.
    a.link.refuse(|call| matches!(call, Call::KeepAlive(_)));
    sleep(LEASE * 13 / 20).await;
    a.link.refuse(|_| false);
    sleep(2 * LEASE).await;
    assert!(tenure.is_open(Instant::now()));
    assert_eq!(a.cluster.stats().self_fences, 0);
}

#[tokio::test(start_paused = true)]
async fn engine_that_answers_again_shortly_before_the_fence_is_asked_in_time() {
    let plant = Plant::new();
    let strict = |config: ClusterConfig| config.with_engine_loss(EngineLoss::Drop);
    let a = plant.start_with("a", strict);
    let tenure = mine(&a).await;
    just_kept_alive(&a).await;
    a.link.cut(true);
    sleep(LEASE * 13 / 20).await;
    a.link.cut(false);
    sleep(LEASE).await;
    assert!(tenure.is_open(Instant::now()));
    assert_eq!(a.cluster.stats().self_fences, 0);
}
