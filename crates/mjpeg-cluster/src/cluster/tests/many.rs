//! Many streams on few nodes, one of which dies: how many calls of the engine it takes, and how
//! long.

use super::*;
use crate::engine::record::EngineValue;

fn camera(number: usize) -> SharedName {
    // As long as names may be: what a node says of itself holds them all.
    SharedName::new(&format!("{number:0>64}")).unwrap()
}

/// Waits until these nodes own all streams, and says when the first and the last came.
async fn all_owned(nodes: &[&Up], count: usize) -> (Instant, Instant) {
    let owned = || -> usize { nodes.iter().map(|node| node.cluster.stats().owned).sum() };
    let before = owned();
    let mut first = None;
    let owning = async {
        loop {
            let now = owned();
            if now > before && first.is_none() {
                first = Some(Instant::now());
            }
            if now == count {
                return Instant::now();
            }
            sleep(Duration::from_millis(2)).await;
        }
    };
    let last = timeout(20 * LEASE, owning).await;
    let last = last.expect("all are owned");
    (first.unwrap_or(last), last)
}

/// Lets one of three nodes with this many streams die. Returns how many calls the engine got
/// meanwhile, how many streams moved, and how long it took from the first of them to the last.
async fn moved_from_a_dead_node(count: usize) -> (u64, usize, Duration) {
    let plant = Plant::new();
    let nodes = ["a", "b", "c"].map(|name| plant.start(name));
    sleep(4 * LEASE).await;
    for node in &nodes {
        node.cluster.remove(&door());
        for number in 0..count {
            node.cluster.define(&camera(number), spec("tcp://camera:1"));
        }
    }
    let [a, b, c] = nodes;
    all_owned(&[&a, &b, &c], count).await;
    sleep(LEASE).await;
    let moves = a.cluster.stats().owned;
    assert!(moves > count / 5, "{moves} of {count}");
    plant.isolate(&a);
    drop(a);
    let before = plant.engine.commits();
    let (first, last) = all_owned(&[&b, &c], count).await;
    let calls = plant.engine.commits() - before;
    let gone = b.cluster.stats().moves.owner_gone + c.cluster.stats().moves.owner_gone;
    assert_eq!(gone, moves as u64);
    (calls, moves, last - first)
}

#[tokio::test(start_paused = true)]
async fn streams_of_a_dead_node_move_at_once_and_cost_one_call_each() {
    for count in [100, 1000] {
        let began = wall_clock();
        let (calls, moves, took) = moved_from_a_dead_node(count).await;
        let worked = began.elapsed();
        println!("{moves} of {count}: {calls} commits, {took:?}; the test worked for {worked:?}");
        assert!(took <= Duration::from_millis(200), "{took:?} for {moves}");
        // One claim for each, and what the two say of themselves.
        let most = moves as u64 + 10;
        assert!(calls <= most, "{calls} for {moves}");
    }
}

#[expect(clippy::disallowed_methods, reason = "how much work it is, not virtual time")]
fn wall_clock() -> std::time::Instant {
    std::time::Instant::now()
}

#[tokio::test(start_paused = true)]
async fn record_of_a_node_holds_all_streams_that_it_may_own() {
    let plant = Plant::new();
    let a = plant.start("a");
    mine(&a).await;
    let most = ClusterConfig::new(NodeName::new("a").unwrap(), a.address.clone());
    let most = most.settings().capacity as usize;
    // All at once: each by itself is a step of its own, over all that are there.
    let names = (0..most).map(camera);
    let spec = spec("tcp://camera:1");
    a.cluster.shared.with(|node, now| {
        for name in names {
            node.define_quietly(name, spec.clone(), now);
        }
        node.step(now);
    });
    sleep(2 * LEASE).await;
    let image = plant.engine.image();
    let record = image.stored.into_iter().find_map(|stored| match stored.value {
        EngineValue::Node(..) => Some(stored.value),
        _ => None,
    });
    let record = record.unwrap();
    let json = record.to_json();
    assert!(json.len() <= EngineValue::MAX_NODE_BYTES, "{} bytes", json.len());
    assert_eq!(EngineValue::parse(&record.key(), &json), Some(record));
}
