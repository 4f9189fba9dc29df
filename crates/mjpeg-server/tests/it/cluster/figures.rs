//! The figures of a cluster are those of its page.

use std::{collections::BTreeMap, time::Duration};

use tokio::time::{sleep, timeout};

use super::{PATIENCE, Plant, PlantNode, camera, stream};
use crate::metrics::{
    exposition::{Exposition, Family},
    pages::compare,
};

/// The families of a node that are about the cluster.
async fn families(node: &PlantNode) -> Vec<Family> {
    let text = node.ask("/metrics").await.expect("figures");
    let figures = Exposition::parse(std::str::from_utf8(&text).expect("UTF-8"));
    let families = figures.into_families().into_iter();
    let of_cluster = families.filter(|family| family.name.starts_with("mjpeg_cluster_"));
    of_cluster.collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_metric_is_in_the_table() {
    let Some(plant) = Plant::new() else { return };
    let camera = camera().await;
    let streams = stream("door", &camera);
    // Nobody answers where its etcd should be.
    let file = plant.file("lost", &streams);
    let text = std::fs::read_to_string(&file).unwrap();
    let text = text.replace(plant.etcd.endpoints()[0].as_str(), "http://127.0.0.1:9");
    let lost = plant.start_file("lost", &plant.folder.write("lost.toml", text));
    let owner = plant.start("owner", &streams);
    assert_eq!(owner.owner_of("door").await, "owner");
    let reader = plant.start("reader", &streams);
    // Of streams that are read from another node only.
    let read = async {
        loop {
            let families = families(&reader).await;
            let age = families
                .iter()
                .find(|family| family.name == "mjpeg_cluster_pull_age_seconds");
            if age.is_some_and(|age| !age.samples.is_empty()) {
                return families;
            }
            sleep(Duration::from_millis(100)).await;
        }
    };
    let found = timeout(PATIENCE, read).await.expect("it reads the stream");
    assert!(found.iter().all(|family| !family.samples.is_empty()));
    compare("cluster.md", &found);

    // Who does not reach etcd says so, and what else it can.
    let lost = families(&lost).await;
    let value = |name: &str| {
        let family = lost.iter().find(|family| family.name == name);
        family.expect(name).samples[0].value
    };
    assert_eq!(value("mjpeg_cluster_engine_up"), 0.0);
    assert_eq!(value("mjpeg_cluster_stream_owned"), 0.0);
    let names = |families: &[Family]| {
        let families = families.iter();
        families
            .map(|family| (family.name.clone(), family.help.clone()))
            .collect::<BTreeMap<_, _>>()
    };
    assert_eq!(names(&lost), names(&found));
}
