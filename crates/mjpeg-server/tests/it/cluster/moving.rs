//! Cameras that pass from node to node.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::{PATIENCE, Plant, PlantNode, camera, number, stream};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_share_one_connection_and_the_one_that_is_stopped_hands_it_over() {
    let Some(plant) = Plant::new() else { return };
    let camera = camera().await;
    let streams = stream("door", &camera);
    let mut nodes = ["a", "b", "c"].map(|name| Some(plant.start(name, &streams)));
    let first = nodes[0].as_ref().unwrap().owner_of("door").await;
    let at = ["a", "b", "c"]
        .iter()
        .position(|name| *name == first)
        .unwrap();
    let owner = nodes[at].take().unwrap();
    let others: Vec<_> = nodes.into_iter().flatten().collect();
    let mut viewers = Vec::new();
    for node in &others {
        let mut viewer = node.viewer("door").await;
        let seen = timeout(PATIENCE, number(&mut viewer))
            .await
            .expect("pictures come");
        viewers.push((viewer, seen));
    }
    assert_eq!((camera.connections(), camera.open()), (1, 1));
    let mut owner = owner;
    let (status, _) = owner.server.end_by("TERM");
    assert!(status.success());
    // The script of a new connection begins anew, so that a smaller number is a later picture.
    for (viewer, seen) in &mut viewers {
        let moved = async { while number(viewer).await >= *seen {} };
        timeout(PATIENCE, moved)
            .await
            .expect("pictures of the new owner");
    }
    let next = others[0].owner_of("door").await;
    assert_ne!(next, owner.name);
    assert_eq!((camera.connections(), camera.most_open()), (2, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cameras_of_a_killed_node_are_taken_over() {
    let Some(plant) = Plant::new() else { return };
    let camera = camera().await;
    let streams = stream("door", &camera);
    let (a, b) = (plant.start("a", &streams), plant.start("b", &streams));
    let (mut owner, other) = match a.owner_of("door").await.as_str() {
        "a" => (a, b),
        _ => (b, a),
    };
    let mut viewer = other.viewer("door").await;
    let seen = timeout(PATIENCE, number(&mut viewer))
        .await
        .expect("pictures come");
    owner.server.end_by("KILL");
    let moved = async { while number(&mut viewer).await >= seen {} };
    timeout(PATIENCE, moved)
        .await
        .expect("pictures of the new owner");
    assert_eq!(other.owner("door")["is_here"], true);
    assert_eq!((camera.connections(), camera.most_open()), (2, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stream_with_other_keys_is_not_shared_and_both_nodes_are_named() {
    let Some(plant) = Plant::new() else { return };
    let camera = camera().await;
    let streams = stream("door", &camera);
    let a = plant.start("a", &streams);
    assert_eq!(a.owner_of("door").await, "a");
    let b = plant.start("b", &format!("{streams}max_fps = 5\n"));
    let told = async {
        while b.owner("door")["conflict"] != "a" {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    timeout(PATIENCE, told)
        .await
        .expect("the other node is named");
    let (code, _, warned) = b.cluster(&["status"]);
    assert_eq!(code, Some(0));
    assert!(warned.contains("door: a has other keys for it"), "{warned}");
    assert_eq!(camera.connections(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cameras_are_moved_and_nodes_drained_by_command() {
    let Some(plant) = Plant::new() else { return };
    let camera = camera().await;
    let streams = stream("door", &camera);
    let nodes = ["a", "b", "c"].map(|name| plant.start(name, &streams));
    let first = nodes[0].owner_of("door").await;
    let others: Vec<_> = nodes.iter().filter(|node| node.name != first).collect();
    let [to, asked] = *others else {
        panic!("three nodes")
    };
    let mut viewer = asked.viewer("door").await;
    let seen = timeout(PATIENCE, number(&mut viewer))
        .await
        .expect("pictures come");
    // Any node may be asked.
    let (code, out, err) = asked.cluster(&["move", "door", &to.name]);
    assert_eq!(code, Some(0), "{out}{err}");
    assert_eq!(asked.owner_of("door").await, to.name);
    let moved = async { while number(&mut viewer).await >= seen {} };
    timeout(PATIENCE, moved)
        .await
        .expect("pictures of the new owner");
    let (code, out, err) = asked.cluster(&["drain", &to.name]);
    assert_eq!(code, Some(0), "{out}{err}");
    assert_ne!(asked.owner_of("door").await, to.name);
    let (_, out, _) = asked.cluster(&["status"]);
    let line = out.lines().find(|line| line.starts_with(&to.name)).unwrap();
    assert!(line.contains("draining"), "{out}");
    let (code, _, err) = asked.cluster(&["move", "door", &to.name]);
    assert_eq!(code, Some(1), "{err}");
    assert!(err.contains("the node is draining"), "{err}");
    let (code, out, err) = to.cluster(&["undrain"]);
    assert_eq!(code, Some(0), "{out}{err}");
    for (args, code, word) in [
        (["move", "door", "d"], 4, "no node of this name"),
        (["move", "yard", "a"], 4, "no such stream"),
        (["forget", "a", "--json"], 1, "the node is up"),
    ] {
        let (got, _, err) = asked.cluster(&args);
        assert_eq!(got, Some(code), "{args:?}: {err}");
        assert!(err.contains(word), "{args:?}: {err}");
    }
    assert_eq!(camera.most_open(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn camera_moves_to_a_node_that_has_just_started_and_its_pictures_go_on() {
    let Some(plant) = Plant::new() else { return };
    let camera = camera().await;
    let streams = stream("door", &camera);
    let mut owner = plant.start("a", &streams);
    assert_eq!(owner.owner_of("door").await, "a");
    let mut viewer = owner.viewer("door").await;
    let mut seen = number(&mut viewer).await;
    let to = plant.start("b", &streams);
    let from = tokio::spawn(async move {
        let mut longest = Duration::ZERO;
        loop {
            let since = Instant::now();
            let next = number(&mut viewer).await;
            longest = longest.max(since.elapsed());
            // The script of a new connection begins anew.
            if next < seen {
                return longest;
            }
            seen = next;
        }
    });
    // It is up, and cannot take anything yet.
    until_state(&to, "b", "waiting").await;
    let moved = tokio::task::block_in_place(|| to.cluster(&["move", "door", "b"]));
    assert_eq!(moved.0, Some(0), "{moved:?}");
    let longest = timeout(PATIENCE, from).await.expect("it is moved").unwrap();
    assert!(longest < Duration::from_secs(1), "{longest:?}");
    let said = owner.server.stderr_until("camera given up");
    let is_outage = |line: &String| line.contains("camera offline");
    assert!(!said.iter().any(is_outage), "{said:?}");
}

/// Waits until a node is listed as being in this state.
async fn until_state(asked: &PlantNode, node: &str, state: &str) {
    let listed = || {
        let (_, out, _) = asked.cluster(&["status"]);
        let mut lines = out.lines();
        lines.any(|line| line.starts_with(node) && line.contains(state))
    };
    while !listed() {
        sleep(Duration::from_millis(20)).await;
    }
}
