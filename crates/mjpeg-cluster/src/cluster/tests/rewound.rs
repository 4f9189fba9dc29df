//! The engine is restored from a backup while nodes run.

use mjpeg_codec::FrameId;
use mjpeg_ingest::FrameOrder;

use super::*;
use crate::cluster::source::ClusterSource;

#[tokio::test(start_paused = true)]
async fn nothing_is_claimed_until_epochs_are_later_than_all_that_were_seen() {
    let plant = Plant::new();
    let a = plant.start("a");
    mine(&a).await;
    let b = plant.start("b");
    theirs(&b).await;
    sleep(2 * LEASE).await;
    let backup = plant.engine.backup();
    for _ in 0..3 {
        a.cluster.drain(LEASE).await;
        mine(&b).await;
        a.cluster.undrain();
        b.cluster.drain(LEASE).await;
        mine(&a).await;
        b.cluster.undrain();
    }
    let last = mine(&a).await;
    plant.engine.restore(backup);
    last.ended().await;
    // A process that has seen nothing is there, too.
    plant.isolate(&b);
    drop(b);
    let b = plant.start("b");
    sleep(5 * LEASE).await;
    for node in [&a, &b] {
        let stats = node.cluster.stats();
        assert_eq!(stats.owned, 0, "{stats:?}");
        let floor = stats.epoch_floor.expect("it says so");
        assert!(floor >= last.epoch());
    }
    // As an operator does by putting keys.
    let floor = a.cluster.stats().epoch_floor.unwrap();
    plant.engine.advance(floor);
    let owned = async {
        loop {
            for node in [&a, &b] {
                if let Some(epoch) = node.cluster.stats().epochs.get(&door()) {
                    return *epoch;
                }
            }
            sleep(Duration::from_millis(20)).await;
        }
    };
    let epoch = timeout(5 * LEASE, owned).await.expect("it is claimed again");
    assert!(epoch > last.epoch());
    assert_eq!(a.cluster.stats().epoch_floor, None);
}

#[tokio::test(start_paused = true)]
async fn frames_that_came_before_the_node_heard_of_their_owner_count() {
    let plant = Plant::new();
    let a = plant.start("a");
    mine(&a).await;
    let places = source::Places::default();
    let order = FrameOrder::new();
    let seen = FrameId { epoch: 77, seq: 1 };
    assert!(order.accept(seen) && !order.accept(seen));
    let (camera, peers) = (Arc::new(places.clone()), Arc::new(places));
    let source = ClusterSource::new(a.cluster.clone(), door(), camera, peers, order.clone());
    assert!(!order.accept(seen));
    assert_eq!(a.cluster.stats().stale_frames, 1, "those before are not counted");
    drop(source);
    assert_eq!(a.cluster.stats().stale_frames, 1, "it stays");
    let backup = plant.engine.backup();
    plant.engine.advance(20);
    sleep(LEASE).await;
    plant.engine.restore(backup);
    sleep(LEASE).await;
    assert_eq!(a.cluster.stats().epoch_floor, Some(77));
}
