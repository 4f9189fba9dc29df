//! What is found before a node joins.

use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::{PATIENCE, Plant, camera, stream};
use crate::process::run;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn node_that_can_join_and_those_that_cannot_are_told_apart() {
    let Some(plant) = Plant::new() else { return };
    let camera = camera().await;
    let streams = stream("door", &camera);
    let a = plant.start("a", &streams);
    a.owner_of("door").await;
    let check = |file: &str| run(&["cluster", "join-check", file]);
    let (code, out, err) = check(&plant.file("b", &streams));
    assert_eq!(code, Some(0), "{out}{err}");
    for line in [
        "ok   etcd answers",
        "ok   no other node is called b",
        "ok   1 streams are the same on a",
    ] {
        assert!(out.contains(line), "{line}: {out}");
    }
    let (code, out, _) = check(&plant.file("b", &format!("{streams}max_fps = 5\n")));
    assert_eq!(code, Some(1), "{out}");
    assert!(
        out.contains("FAIL these streams have other keys on a: door"),
        "{out}"
    );
    // The same name, at another port.
    let (code, out, _) = check(&plant.file("a", &streams));
    assert_eq!(code, Some(1), "{out}");
    assert!(out.contains("FAIL a is the name of another node"), "{out}");
    // No etcd there.
    let text = std::fs::read_to_string(plant.file("b", &streams)).unwrap();
    let engine = &plant.etcd.endpoints()[0];
    let text = text.replace(engine.as_str(), "http://127.0.0.1:9");
    let (code, out, _) = check(&plant.folder.write("c.toml", text));
    assert_eq!(code, Some(1), "{out}");
    assert!(out.contains("FAIL etcd: "), "{out}");
    // A member that is down.
    drop(a);
    let file = plant.file("b", &streams);
    let told = async {
        loop {
            let (code, out, _) = check(&file);
            if out.contains("FAIL a is down: no new node is admitted while a member is") {
                return code;
            }
            sleep(Duration::from_millis(200)).await;
        }
    };
    assert_eq!(
        timeout(PATIENCE, told).await.expect("its lease ends"),
        Some(1)
    );
}
