//! Streams that are defined for all nodes at once.

use std::time::Duration;

use mjpeg_testkit::Camera;
use tokio::time::{sleep, timeout};

use super::{PATIENCE, Plant, PlantNode, camera, number};

async fn has(node: &PlantNode, stream: &str, wanted: bool) {
    let has = async {
        loop {
            let (_, out, _) = node.ctl(&["list", "--names"]);
            if out.lines().any(|line| line == stream) == wanted {
                return;
            }
            sleep(Duration::from_millis(100)).await;
        }
    };
    let what = format!("{} has {stream}: {wanted}", node.name);
    timeout(PATIENCE, has).await.expect(&what);
}

fn source(camera: &Camera) -> String {
    camera.url()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stream_that_one_node_adds_is_on_all_nodes_until_one_removes_it() {
    let Some(plant) = Plant::new() else { return };
    let camera = camera().await;
    let (a, b) = (plant.start("a", ""), plant.start("b", ""));
    let (code, out, err) = a.ctl(&["add", "door", &source(&camera), "--cluster", "--retry"]);
    assert_eq!(code, Some(0), "{out}{err}");
    has(&b, "door", true).await;
    let mut viewer = b.viewer("door").await;
    timeout(PATIENCE, number(&mut viewer))
        .await
        .expect("pictures come");
    assert_eq!(camera.open(), 1);
    let (_, shown, _) = b.ctl(&["--json", "show", "door"]);
    assert!(shown.contains("\"origin\": \"cluster\""), "{shown}");
    // Whoever starts later finds it.
    let c = plant.start("c", "");
    has(&c, "door", true).await;
    // It is changed where it is.
    let (code, out, err) = b.ctl(&["set", "door", "max_viewers=7"]);
    assert_eq!(code, Some(0), "{out}{err}");
    let changed = async {
        while !a
            .ctl(&["--json", "show", "door"])
            .1
            .contains("\"max_viewers\": 7")
        {
            sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(PATIENCE, changed)
        .await
        .expect("the change is on the other node");
    let (code, out, err) = c.ctl(&["remove", "door"]);
    assert_eq!(code, Some(0), "{out}{err}");
    has(&a, "door", false).await;
    has(&b, "door", false).await;
    assert_eq!(camera.most_open(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn secret_of_a_stream_of_the_cluster_is_looked_up_where_that_is_allowed() {
    let Some(plant) = Plant::new() else { return };
    let keys = "references = [\"${env:CLUSTER_CAMERA_PASSWORD}\"]";
    let file = plant.file_with("a", keys, "");
    let a = plant.start_file("a", &file);
    let add = |url: &str| a.ctl(&["add", "gate", url, "--cluster", "--retry"]);
    let (code, _, err) = add("http://me:hunter2@127.0.0.1:9/");
    assert_eq!(code, Some(1));
    assert!(
        err.contains("must not be written out") && !err.contains("hunter2"),
        "{err}"
    );
    let (code, _, err) = add("http://me:${file:/etc/passwd}@127.0.0.1:9/");
    assert_eq!(code, Some(1));
    assert!(err.contains("references"), "{err}");
    let (code, out, err) = add("http://me:${env:CLUSTER_CAMERA_PASSWORD}@127.0.0.1:9/");
    assert_eq!(code, Some(0), "{out}{err}");
    let (_, shown, _) = a.ctl(&["--json", "show", "gate"]);
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stream_that_cannot_be_used_costs_itself_alone() {
    let Some(plant) = Plant::new() else { return };
    let camera = camera().await;
    let keys = "references = [\"${env:CLUSTER_CAMERA_PASSWORD}\"]";
    let a = plant.start_file("a", &plant.file_with("a", keys, ""));
    // This one may look up nothing.
    let b = plant.start("b", "");
    let url = "http://me:${env:CLUSTER_CAMERA_PASSWORD}@127.0.0.1:9/";
    let (code, out, err) = a.ctl(&["add", "gate", url, "--cluster", "--retry"]);
    assert_eq!(code, Some(0), "{out}{err}");
    let (code, out, err) = a.ctl(&["add", "door", &source(&camera), "--cluster", "--retry"]);
    assert_eq!(code, Some(0), "{out}{err}");
    has(&b, "door", true).await;
    let (_, names, _) = b.ctl(&["list", "--names"]);
    assert_eq!(names.trim(), "door");
    // What only one machine can read is refused before it is stored.
    let (code, _, err) = a.ctl(&["add", "webcam", "push:", "--cluster"]);
    assert_eq!(code, Some(1));
    assert!(err.contains("requires = { node"), "{err}");
}
