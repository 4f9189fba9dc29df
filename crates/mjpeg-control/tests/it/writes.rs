//! Changing streams.

use futures_util::future::join_all;
use mjpeg_control::{Condition, Configurator, EditMode};
use mjpeg_testkit::{Camera, Viewer, refused_addr};
use serde_json::json;
use tokio::time::{Duration, Instant};

use crate::support::{GUARD, JSON, ROOT, Relay, live, until};

/// A stream whose camera is off.
async fn offline(name: &str) -> String {
    let source = format!("tcp://{}", refused_addr().await);
    json!({ "name": name, "source": source, "start": "retry" }).to_string()
}

#[tokio::test]
async fn stream_is_added_read_watched_and_removed() {
    let relay = Relay::start().await;
    let camera = Camera::start(live()).await;
    let body = json!({ "name": "door", "source": camera.url() }).to_string();
    let answer = relay.root("POST", "/streams", &body).await;
    assert_eq!(answer.status(), 201, "{}", answer.text());
    assert_eq!(answer.header("location"), Some("streams/door"));
    assert_eq!(answer.header("etag"), Some("\"v1\""));
    assert_eq!(answer.json()["name"], "door");
    let mut viewer = Viewer::open(relay.addr, "/door/").await.unwrap();
    assert!(viewer.next_frame().await.unwrap().is_some());

    let answer = relay.root("POST", "/streams", &body).await;
    answer.is_problem(409, "already_exists");
    let answer = relay.root("DELETE", "/streams/door", "").await;
    assert_eq!((answer.status(), answer.text()), (204, ""));
    while viewer.next_frame().await.unwrap().is_some() {}
    relay
        .root("DELETE", "/streams/door", "")
        .await
        .is_problem(404, "not_found");
    relay
        .get("/streams/door")
        .await
        .is_problem(404, "not_found");
}

#[tokio::test]
async fn new_stream_requires_its_camera_and_leaves_nothing_if_it_fails() {
    let relay = Relay::start().await;
    let source = format!("tcp://{}", refused_addr().await);
    let body = json!({ "name": "door", "source": source }).to_string();
    let answer = relay.root("POST", "/streams", &body).await;
    answer.is_problem(502, "tcp_connection_failed");
    relay
        .get("/streams/door")
        .await
        .is_problem(404, "not_found");
    let change = relay.memory.changes.lock().unwrap().pop().unwrap();
    assert_eq!((change.mode, change.persist), (EditMode::Create, true));
    // The default is the configurator's business, so that it is not stored as a key.
    assert!(!change.keys.contains_key("start") && !change.keys.contains_key("name"));
    let answer = relay.root("POST", "/streams", &offline("door").await).await;
    assert_eq!(answer.status(), 201);
}

#[tokio::test]
async fn what_is_wrong_with_a_stream_is_said_without_repeating_it() {
    let relay = Relay::start().await;
    let source = "tcp://a:hunter2@";
    for body in [
        json!({ "source": "tcp://127.0.0.1:9" }),
        json!({ "name": 7, "source": "tcp://127.0.0.1:9" }),
        json!({ "name": "a b", "source": "tcp://127.0.0.1:9" }),
        json!({ "name": "hunter2\u{1b}[2J", "source": "tcp://127.0.0.1:9" }),
        json!({ "name": "door" }),
        json!({ "name": "door", "source": source }),
        json!({ "name": "door", "source": "tcp://127.0.0.1:9", "lingre": 1 }),
        json!([{ "name": "door" }]),
    ] {
        let answer = relay.root("POST", "/streams", &body.to_string()).await;
        answer.is_problem(422, "invalid_spec");
        let text = answer.text();
        assert!(
            !text.contains("hunter2") && !text.contains('\u{1b}'),
            "{text}"
        );
    }
    let answer = relay.root("POST", "/streams", r#"{"name":"a b"}"#).await;
    assert_eq!(answer.json()["errors"][0]["key"], "name");
    let wrong_key = json!({ "name": "door", "source": "test:", "lingre": 1 }).to_string();
    let answer = relay.root("POST", "/streams", &wrong_key).await;
    assert_eq!(answer.json()["errors"][0]["key"], "lingre");
    assert!(answer.json()["errors"][0].get("line").is_some());
    assert!(relay.manager.list().is_empty());
}

#[tokio::test]
async fn put_adds_then_replaces() {
    let relay = Relay::start().await;
    let mut keys: serde_json::Value = serde_json::from_str(&offline("door").await).unwrap();
    keys["note"] = "old".into();
    let put = async |keys: &serde_json::Value| {
        relay.root("PUT", "/streams/door", &keys.to_string()).await
    };
    let first = put(&keys).await;
    assert_eq!(
        (first.status(), first.header("etag")),
        (201, Some("\"v1\""))
    );
    let second = put(&keys).await;
    assert_eq!(
        (second.status(), second.header("etag")),
        (200, Some("\"v2\""))
    );
    keys.as_object_mut().unwrap().remove("note");
    let third = put(&keys).await;
    assert_eq!(third.status(), 200);
    assert!(third.json()["config"].get("note").is_none());
    keys["name"] = "yard".into();
    put(&keys).await.is_problem(422, "invalid_spec");
    relay
        .root("PUT", "/streams/a%20b", "{}")
        .await
        .is_problem(422, "invalid_spec");
}

#[tokio::test]
async fn patch_merges_and_does_not_wait_for_the_camera() {
    let relay = Relay::start().await;
    relay.root("POST", "/streams", &offline("door").await).await;
    // A camera that takes the connection and says nothing would be waited for by a start.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let source = format!("tcp://{}", silent.local_addr().unwrap());
    let body = json!({ "source": source, "note": "new", "start": null }).to_string();
    let since = Instant::now();
    let merge = ("Content-Type", "application/merge-patch+json");
    let answer = relay
        .send("PATCH", "/streams/door", &[ROOT, merge], &body)
        .await;
    assert_eq!(answer.status(), 200, "{}", answer.text());
    assert!(since.elapsed() < Duration::from_secs(2));
    let config = &answer.json()["config"];
    assert_eq!(
        (&config["note"], &config["source"]),
        (&"new".into(), &source.into())
    );
    assert!(config.get("start").is_none());
    let change = relay.memory.changes.lock().unwrap().pop().unwrap();
    assert_eq!(change.mode, EditMode::Merge);
    assert!(change.keys["start"].is_null());
    relay
        .root("PATCH", "/streams/none", "{}")
        .await
        .is_problem(404, "not_found");
    relay
        .root("PATCH", "/streams/a%20b", "{}")
        .await
        .is_problem(404, "not_found");
}

#[tokio::test]
async fn mask_that_comes_back_is_passed_on_as_it_is() {
    let relay = Relay::start().await;
    relay.root("POST", "/streams", &offline("door").await).await;
    let body = r#"{"source":"tcp://***@127.0.0.1:9"}"#;
    relay.root("PATCH", "/streams/door", body).await;
    let change = relay.memory.changes.lock().unwrap().pop().unwrap();
    assert_eq!(change.keys["source"], "tcp://***@127.0.0.1:9");
}

#[tokio::test]
async fn of_changes_to_one_version_one_is_made() {
    let relay = Relay::start().await;
    relay.root("POST", "/streams", &offline("door").await).await;
    let tag = ("If-Match", "\"v1\"");
    let bodies = (0..12).map(|number| json!({ "note": number.to_string() }).to_string());
    let bodies: Vec<String> = bodies.collect();
    let headers = [ROOT, JSON, tag];
    let changes = bodies
        .iter()
        .map(|body| relay.send("PATCH", "/streams/door", &headers, body));
    let mut statuses: Vec<u16> = join_all(changes).await.iter().map(|a| a.status()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses[0], 200);
    assert!(
        statuses[1..].iter().all(|status| *status == 412),
        "{statuses:?}"
    );

    let send = async |method, tag: (&str, &str), body| {
        let headers = [ROOT, JSON, tag];
        relay.send(method, "/streams/door", &headers, body).await
    };
    send("DELETE", tag, "")
        .await
        .is_problem(412, "precondition_failed");
    let absent = ("If-None-Match", "*");
    send("PUT", absent, "{}")
        .await
        .is_problem(412, "precondition_failed");
    send("PUT", ("If-Match", "v1"), "{}")
        .await
        .is_problem(400, "bad_request");
    assert_eq!(send("PATCH", ("If-Match", "*"), "{}").await.status(), 200);
    assert_eq!(
        send("DELETE", ("If-Match", "\"x\", \"v3\""), "")
            .await
            .status(),
        204
    );
    send("PUT", ("If-Match", "*"), "{}")
        .await
        .is_problem(412, "precondition_failed");
    let change = relay.memory.changes.lock().unwrap().pop().unwrap();
    assert_eq!(change.condition, Condition::Exists);
}

#[tokio::test]
async fn streams_of_hand_written_files_change_for_this_run_only() {
    let relay = Relay::start().await;
    relay.root("POST", "/streams", &offline("door").await).await;
    relay.memory.is_in_file("door");
    for method in ["PUT", "PATCH", "DELETE"] {
        let answer = relay.root(method, "/streams/door", "").await;
        answer.is_problem(409, "defined_in_file");
        assert_eq!(answer.json()["hint"], "change the file");
    }
    let answer = relay
        .root("PATCH", "/streams/door?persist=false", r#"{"note":"x"}"#)
        .await;
    assert_eq!(
        (answer.status(), &answer.json()["origin"]),
        (200, &"run".into())
    );
    for query in [
        "persist=no",
        "persist",
        "persist=true&persist=true",
        "presist=true",
    ] {
        let path = format!("/streams/door?{query}");
        relay
            .root("PATCH", &path, "{}")
            .await
            .is_problem(422, "invalid_spec");
    }
}

#[tokio::test]
async fn stream_is_paused_resumed_and_retried() {
    let relay = Relay::start().await;
    let camera = Camera::start(live()).await;
    relay.run("door", &camera.url()).await;
    let state = |name: &str| relay.manager.get(name).unwrap().state.as_str();
    let post = async |path: &str, headers| relay.send("POST", path, headers, "").await.status();
    until("online", async || state("door") == "online").await;
    assert_eq!(post("/streams/door/pause", &[GUARD, JSON]).await, 204);
    until("paused", async || state("door") == "paused").await;
    assert_eq!(post("/streams/door/resume", &[GUARD, JSON]).await, 204);
    until("online", async || state("door") == "online").await;
    assert_eq!(post("/streams/door/retry", &[GUARD, JSON]).await, 204);
    for verb in ["pause", "resume", "retry"] {
        let path = format!("/streams/none/{verb}");
        relay
            .root("POST", &path, "")
            .await
            .is_problem(404, "not_found");
        let path = format!("/streams/door/{verb}");
        relay
            .root("POST", &path, r#"{"now":true}"#)
            .await
            .is_problem(422, "invalid_spec");
        relay
            .root("POST", &format!("{path}?x=1"), "")
            .await
            .is_problem(422, "invalid_spec");
    }
}

#[tokio::test]
async fn reload_says_what_would_change_and_what_is_wrong() {
    let relay = Relay::start().await;
    let answer = relay.root("POST", "/reload?dry_run=true", "").await;
    assert_eq!(answer.status(), 200);
    let expected = json!({ "dry_run": true, "changes": ["stream yard: added"], "warnings": [] });
    assert_eq!(answer.json(), expected);
    let answer = relay.root("POST", "/reload", "{}").await;
    answer.is_problem(422, "invalid_spec");
    let expected = json!([{ "file": "mjpeg.toml", "line": 3, "column": 10, "key": "linger",
        "message": "it is not a number" }]);
    assert_eq!(answer.json()["errors"], expected);
    // In the body it would be overlooked, and the reload made.
    let answer = relay.root("POST", "/reload", r#"{"dry_run":true}"#).await;
    answer.is_problem(422, "invalid_spec");
}

#[tokio::test]
async fn change_is_made_even_if_its_client_goes_away() {
    let relay = Relay::start().await;
    let body = offline("door").await;
    let held = relay.memory.changing.lock().await;
    let is_asked = async || !relay.memory.changes.lock().unwrap().is_empty();
    tokio::select! {
        _ = relay.root("POST", "/streams", &body) => panic!("the change is held"),
        () = until("the change is under way", is_asked) => {}
    }
    // The client has closed its connection, and the relay has noticed.
    let connections = async || relay.handle.stats().connections == 0;
    until("the client is gone", connections).await;
    drop(held);
    until("the change is made", async || {
        relay.memory.stream("door").is_some()
    })
    .await;
}

#[tokio::test]
async fn dry_run_says_what_would_become_of_a_stream_and_changes_nothing() {
    let relay = Relay::start().await;
    relay.root("POST", "/streams", &offline("yard").await).await;
    let version = relay.get("/streams/yard").await.json()["version"].clone();
    let before = relay.memory.changes.lock().unwrap().len();
    let source = json!({ "source": "tcp://127.0.0.1:9", "note": "new" });
    let (all, mut named) = (source.to_string(), source.clone());
    named["name"] = "door".into();
    for (method, path, body, is_new) in [
        ("POST", "/streams", named.to_string(), true),
        ("PUT", "/streams/door", all.clone(), true),
        ("PUT", "/streams/yard", all.clone(), false),
        ("PATCH", "/streams/yard", all.clone(), false),
    ] {
        let asked = format!("{path}?dry_run=true&persist=0");
        let checked = relay.root(method, &asked, &body).await;
        assert_eq!(checked.status(), 200, "{method} {path}: {}", checked.text());
        let shown = checked.json();
        assert_eq!(shown["dry_run"], true);
        assert_eq!(shown["is_new"], is_new, "{method} {path}");
        assert_eq!(shown["config"]["note"], "new");
        assert_eq!(shown["warnings"], json!(["it is odd"]));
        assert!(checked.header("etag").is_none() && checked.header("location").is_none());
        let check = relay.memory.checks.lock().unwrap().pop().unwrap();
        assert!(!check.persist);
    }
    let wrong = json!({ "name": "door", "source": "test:", "lingre": 1 }).to_string();
    let refused = relay.root("POST", "/streams?dry_run=1", &wrong).await;
    refused.is_problem(422, "invalid_spec");
    assert_eq!(refused.json()["errors"][0]["key"], "lingre");
    relay
        .root("POST", "/streams?dry_run=perhaps", &wrong)
        .await
        .is_problem(422, "invalid_spec");
    relay
        .root("DELETE", "/streams/yard?dry_run=true", "")
        .await
        .is_problem(422, "invalid_spec");
    assert_eq!(relay.memory.changes.lock().unwrap().len(), before);
    assert_eq!(relay.manager.list().len(), 1);
    assert_eq!(relay.get("/streams/yard").await.json()["version"], version);
}

#[tokio::test]
async fn keys_of_streams_are_described_where_the_configuration_knows_them() {
    let relay = Relay::start().await;
    let schema = relay.get("/schema").await;
    assert_eq!(schema.status(), 200);
    assert_eq!(schema.json()["required"][0], "source");
}
