//! Where streams of the API are kept, and what is kept of them.

use std::{fs, os::unix::fs::PermissionsExt, time::Duration};

use mjpeg_testkit::{FakeHttpCamera, Step, Viewer, jpeg, refused_addr};
use tokio::time::sleep;

use super::{Controlled, GATEWAY, INCLUDE, LOOPBACK, camera};

#[tokio::test]
async fn stream_of_the_api_is_there_after_a_restart_until_it_is_removed() {
    let camera = camera().await;
    let mut relay = Controlled::start(LOOPBACK);
    let body = format!(
        r#"{{"name": "yard", "source": "{}", "max_fps": 5}}"#,
        camera.url()
    );
    let added = relay.ask("POST", "/streams", &body).await;
    assert_eq!(
        (added.status, &added.json["origin"]),
        (201, &"api".into()),
        "{added:?}"
    );
    let mode = fs::metadata(relay.stored("yard"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    relay.restart();
    let read = relay.ask("GET", "/streams/yard", "").await;
    assert_eq!(read.json["config"]["max_fps"], 5, "{read:?}");
    let mut viewer = Viewer::open(relay.addr(), "/yard/").await.unwrap();
    viewer.next_frame().await.unwrap().expect("a frame");

    let changed = relay
        .ask(
            "PATCH",
            "/streams/yard",
            r#"{"max_fps": null, "linger": "5s"}"#,
        )
        .await;
    assert_eq!(changed.status, 200, "{changed:?}");
    viewer
        .next_frame()
        .await
        .unwrap()
        .expect("the response goes on");
    relay.restart();
    let read = relay.ask("GET", "/streams/yard", "").await;
    let config = &read.json["config"];
    assert_eq!(
        (&config["linger"], &config["max_fps"]),
        (&"5s".into(), &().into())
    );

    assert_eq!(relay.ask("DELETE", "/streams/yard", "").await.status, 204);
    assert!(!relay.stored("yard").exists());
    relay.restart();
    assert_eq!(relay.names().await, Vec::<String>::new());
}

#[tokio::test]
async fn stream_whose_camera_is_required_and_missing_leaves_nothing() {
    let relay = Controlled::start(LOOPBACK);
    let dead = refused_addr().await;
    let body = format!(r#"{{"name": "yard", "source": "tcp://{dead}"}}"#);
    let refused = relay.ask("POST", "/streams", &body).await;
    assert_eq!(
        (refused.status, refused.code()),
        (502, "tcp_connection_failed")
    );
    assert_eq!(
        fs::read_dir(relay.folder.path().join("streams.d"))
            .unwrap()
            .count(),
        0
    );
    assert!(relay.names().await.is_empty());
    let retried = relay.add("yard", &format!("tcp://{dead}")).await;
    assert_eq!(retried.status, 201, "{retried:?}");
    assert!(relay.stored("yard").exists());
}

/// While a camera is waited for that does not answer, all other changes are made at once.
#[tokio::test]
async fn nobody_else_waits_for_a_camera_that_is_required() {
    let silent = FakeHttpCamera::start(|_| Vec::new());
    let mut relay = Controlled::start(LOOPBACK);
    assert_eq!(relay.add("yard", "test:").await.status, 201);
    let body = format!(r#"{{"name": "slow", "source": "{}"}}"#, silent.url("/"));
    let others = async {
        while silent.requests().is_empty() {
            sleep(Duration::from_millis(10)).await;
        }
        let changed = relay.ask("PATCH", "/streams/yard", r#"{"max_fps": 5}"#);
        assert_eq!(changed.await.status, 200);
        let reloaded = relay.ask("POST", "/reload", "{}").await;
        assert_eq!(reloaded.status, 200, "{reloaded:?}");
        let again = relay.add("slow", "test:").await;
        assert_eq!((again.status, again.code()), (409, "already_exists"));
        assert_eq!(relay.names().await, ["yard"]);
    };
    tokio::select! {
        biased;
        () = others => {}
        refused = relay.ask("POST", "/streams", &body) => panic!("{refused:?}"),
    }
    // Whoever asked has gone; what was asked for goes on, and leaves nothing.
    relay.server.end_by("TERM");
    assert!(!relay.stored("slow").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn puts_of_one_new_stream_at_once_make_it_and_change_it() {
    // The others come while the first one waits for the camera's answer.
    let camera = FakeHttpCamera::start(|_| {
        let picture = jpeg::numbered(0);
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace;boundary=b\r\n\r\n--b\r\n\
             Content-Type: image/jpeg\r\nContent-Length: {}\r\n\r\n",
            picture.len()
        );
        let first = [head.as_bytes(), &picture].concat();
        vec![
            Step::Wait(Duration::from_secs(2)),
            Step::Send(first.into()),
            Step::Stall,
        ]
    });
    let relay = Controlled::start(LOOPBACK);
    let body = format!(r#"{{"source": "{}"}}"#, camera.url("/"));
    let puts = (0..8).map(|_| relay.ask("PUT", "/streams/yard", &body));
    let answers = futures_util::future::join_all(puts).await;
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(
        statuses,
        [200, 200, 200, 200, 200, 200, 200, 201],
        "{answers:?}"
    );
}

#[tokio::test]
async fn what_people_wrote_is_changed_for_this_run_only() {
    let (one, two) = (camera().await, camera().await);
    let stream = |more: &str| {
        let source = format!("[[streams]]\nname = \"door\"\nsource = \"{}\"\n", one.url());
        [INCLUDE, GATEWAY, &source, more, LOOPBACK].concat()
    };
    let mut relay = Controlled::of(&stream(""));
    for (method, body) in [("PATCH", r#"{"max_fps": 1}"#), ("DELETE", "")] {
        let refused = relay.ask(method, "/streams/door", body).await;
        assert_eq!(
            (refused.status, refused.code()),
            (409, "defined_in_file"),
            "{method}"
        );
    }
    let path = "/streams/door?persist=false";
    let changed = relay.ask("PATCH", path, r#"{"max_fps": 1}"#).await;
    assert_eq!(
        (changed.status, &changed.json["origin"]),
        (200, &"run".into()),
        "{changed:?}"
    );
    // A reload that does not touch the stream leaves it as it is.
    relay.reload(&stream("").replace("page", "page\", \"metrics"));
    let read = relay.ask("GET", "/streams/door", "").await;
    assert_eq!(read.json["config"]["max_fps"], 1);
    let text = fs::read_to_string(relay.folder.path().join("mjpeg.toml")).unwrap();
    assert!(!text.contains("max_fps"));
    // One that does makes the file hold again.
    relay.reload(&stream("linger = \"5s\"\non_demand = true\n"));
    let read = relay.ask("GET", "/streams/door", "").await;
    assert_eq!(
        (&read.json["origin"], &read.json["config"]["max_fps"]),
        (&"file".into(), &().into())
    );

    assert_eq!(relay.ask("DELETE", path, "").await.status, 204);
    assert!(relay.names().await.is_empty());
    let body = format!(r#"{{"source": "{}"}}"#, two.url());
    let added = relay.ask("PUT", "/streams/more?persist=false", &body).await;
    assert_eq!(added.status, 201, "{added:?}");
    relay.restart();
    assert_eq!(relay.names().await, ["door"]);
}

#[tokio::test]
async fn without_a_folder_for_it_nothing_is_kept() {
    let camera = camera().await;
    let relay = Controlled::of(&[GATEWAY, LOOPBACK].concat());
    let body = format!(r#"{{"name": "yard", "source": "{}"}}"#, camera.url());
    let refused = relay.ask("POST", "/streams", &body).await;
    assert_eq!((refused.status, refused.code()), (409, "not_persistent"));
    assert!(
        refused.json["hint"]
            .as_str()
            .unwrap()
            .contains("include = "),
        "{refused:?}"
    );
    let added = relay.ask("POST", "/streams?persist=false", &body).await;
    assert_eq!(added.status, 201, "{added:?}");
}

#[tokio::test]
async fn api_adds_no_more_streams_than_it_may() {
    let relay = Controlled::start(
        "[control]\nmax_streams = 2\n[[streams]]\nname = \"own\"\nsource = \"test:\"\n",
    );
    for name in ["a", "b"] {
        assert_eq!(relay.add(name, "test:").await.status, 201);
    }
    let refused = relay.add("c", "test:").await;
    assert_eq!((refused.status, refused.code()), (503, "too_many_streams"));
    assert_eq!(relay.ask("DELETE", "/streams/a", "").await.status, 204);
    assert_eq!(relay.add("c", "test:").await.status, 201);
}

#[tokio::test]
async fn versions_keep_two_people_from_overwriting_one_another() {
    let relay = Controlled::start("");
    let added = relay.add("yard", "test:").await;
    let first = added.etag.expect("a version");
    let condition = format!("If-Match: {first}\r\n");
    let changed = relay
        .ask_with("PATCH", "/streams/yard", &condition, r#"{"max_fps": 5}"#)
        .await;
    assert_eq!(changed.status, 200);
    assert_ne!(changed.etag.as_deref(), Some(&*first));
    let late = relay
        .ask_with("PATCH", "/streams/yard", &condition, r#"{"max_fps": 6}"#)
        .await;
    assert_eq!((late.status, late.code()), (412, "precondition_failed"));
    let read = relay.ask("GET", "/streams/yard", "").await;
    assert_eq!(read.json["config"]["max_fps"], 5);
}

/// A change by the API is of what was read last, whatever has become of the files since.
#[tokio::test]
async fn half_written_file_of_somebody_else_is_not_applied_by_a_change() {
    let mut relay = Controlled::start("");
    relay
        .folder
        .write("mjpeg.toml", "[[streams]]\nname = \"half");
    assert_eq!(relay.add("yard", "test:").await.status, 201);
    assert_eq!(relay.names().await, ["yard"]);
    let refused = relay.ask("POST", "/reload", "{}").await;
    assert_eq!((refused.status, refused.code()), (422, "invalid_spec"));
    let errors = refused.json["errors"].as_array().expect("a list");
    assert!(errors.iter().any(|error| error["line"] == 2), "{refused:?}");
    relay.server.stderr_until("configuration not reloaded");
    let log = relay.reload(&[INCLUDE, GATEWAY].concat());
    assert!(
        log.last().unwrap().contains("configuration reloaded"),
        "{log:#?}"
    );
    assert_eq!(relay.names().await, ["yard"]);
}

/// Else the next start would find it in two files, and fail.
#[tokio::test]
async fn stream_of_a_file_that_was_removed_for_this_run_is_not_stored_beside_it() {
    let door = "[[streams]]\nname = \"door\"\nsource = \"test:\"\n";
    let mut relay = Controlled::start(door);
    let removed = relay.ask("DELETE", "/streams/door?persist=false", "").await;
    assert_eq!(removed.status, 204);
    let refused = relay.add("door", "test:").await;
    assert_eq!((refused.status, refused.code()), (409, "defined_in_file"));
    assert!(!relay.stored("door").exists());
    // Somebody writes such a file by hand.
    relay.folder.write("streams.d/door.toml", door);
    let log = relay.reload(&[INCLUDE, GATEWAY, door].concat());
    assert!(
        log.last().unwrap().contains("configuration not"),
        "{log:#?}"
    );
}

#[tokio::test]
async fn stored_stream_that_was_changed_for_this_run_can_be_stored_again() {
    let mut relay = Controlled::start("");
    assert_eq!(relay.add("yard", "test:").await.status, 201);
    for (method, path, body, status) in [
        ("PATCH", "?persist=false", r#"{"max_fps": 1}"#, 200),
        ("PATCH", "", r#"{"max_fps": 2}"#, 200),
        ("DELETE", "?persist=false", "", 204),
        ("PUT", "", r#"{"source": "test:", "max_fps": 3}"#, 201),
    ] {
        let path = format!("/streams/yard{path}");
        let answer = relay.ask(method, &path, body).await;
        assert_eq!(answer.status, status, "{method} {path}: {answer:?}");
    }
    relay.restart();
    let read = relay.ask("GET", "/streams/yard", "").await;
    assert_eq!(
        (&read.json["config"]["max_fps"], &read.json["origin"]),
        (&3.into(), &"api".into())
    );
    let path = "/streams/yard?persist=false";
    let changed = relay.ask("PATCH", path, r#"{"max_fps": 1}"#).await;
    assert_eq!(changed.status, 200);
    assert_eq!(relay.ask("DELETE", "/streams/yard", "").await.status, 204);
    assert!(!relay.stored("yard").exists());
}

#[tokio::test]
async fn stream_is_removed_whose_file_is_gone_and_none_whose_file_is_somebody_elses_by_now() {
    let relay = Controlled::start("");
    for name in ["gone", "mine"] {
        assert_eq!(relay.add(name, "test:?fps=20").await.status, 201);
    }
    fs::remove_file(relay.stored("gone")).unwrap();
    fs::write(relay.stored("mine"), "# mine\n").unwrap();
    let mut viewer = Viewer::open(relay.addr(), "/mine/").await.unwrap();
    assert_eq!(relay.ask("DELETE", "/streams/gone", "").await.status, 204);
    let refused = relay.ask("DELETE", "/streams/mine", "").await;
    assert_eq!((refused.status, refused.code()), (409, "defined_in_file"));
    for _ in 0..10 {
        let frame = viewer.next_frame().await.unwrap();
        frame.expect("the response goes on");
    }
    assert_eq!(relay.names().await, ["mine"]);
}
