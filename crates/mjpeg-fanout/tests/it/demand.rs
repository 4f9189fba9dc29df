//! How many want frames.

use mjpeg_fanout::channel;

#[tokio::test]
async fn demand_counts_those_who_view() {
    let (producer, consumer) = channel();
    let mut demand = producer.demand();
    assert_eq!(demand.now(), 0, "a consumer alone demands nothing");
    let first = consumer.viewing();
    assert_eq!(demand.changed().await, 1);
    let second = consumer.clone().viewing();
    assert_eq!(demand.changed().await, 2);
    drop((first, second));
    assert_eq!(demand.changed().await, 0);
    assert_eq!(consumer.viewers(), 0);
}
