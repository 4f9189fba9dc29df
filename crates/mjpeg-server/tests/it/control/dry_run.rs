//! Changes of streams that are only checked, and the keys that they may set.

use std::fs;

use mjpeg_testkit::refused_addr;
use serde_json::{Value, json};

use super::{Answer, Controlled, GATEWAY, INCLUDE, LOOPBACK};

fn keys(answer: &Answer) -> Vec<&str> {
    let errors = answer.json["errors"].as_array();
    let errors = errors.map(Vec::as_slice).unwrap_or_default();
    errors.iter().filter_map(|it| it["key"].as_str()).collect()
}

impl Controlled {
    async fn check(&self, body: &Value) -> Answer {
        let path = "/streams?dry_run=true";
        self.ask("POST", path, &body.to_string()).await
    }

    fn files(&self) -> usize {
        let folder = self.folder.path().join("streams.d");
        fs::read_dir(folder).expect("a folder").count()
    }
}

#[tokio::test]
async fn checked_stream_is_not_there_and_its_camera_is_not_tried() {
    let relay = Controlled::start(LOOPBACK);
    let dead = refused_addr().await;
    let body = json!({ "name": "yard", "source": format!("tcp://me:hunter2@{dead}") });
    let checked = relay.check(&body).await;
    assert_eq!(checked.status, 422, "{checked:?}");
    assert_eq!(keys(&checked), ["source"]);
    let source = format!("http://me:hunter2@{dead}/video");
    let body = json!({ "name": "yard", "source": source, "max_fps": 5 });
    let checked = relay.check(&body).await;
    assert_eq!(checked.status, 200, "{checked:?}");
    assert_eq!(checked.json["is_new"], true);
    assert_eq!(checked.json["origin"], "api");
    assert_eq!(checked.json["config"]["max_fps"], 5);
    let shown = checked.json.to_string();
    assert!(
        shown.contains("***") && !shown.contains("hunter2"),
        "{shown}"
    );
    assert!(relay.names().await.is_empty());
    assert_eq!(relay.files(), 0);
    // What can be checked can be added, were its camera there.
    let added = relay.ask("POST", "/streams", &body.to_string()).await;
    assert_eq!(added.code(), "tcp_connection_failed");
}

#[tokio::test]
async fn all_that_check_would_find_wrong_is_said_with_its_key() {
    let relay = Controlled::start(LOOPBACK);
    assert_eq!(relay.add("yard", "test:").await.status, 201);
    let before = relay.files();
    for (body, status, code, wrong) in [
        (
            json!({ "name": "a", "source": "exec:ls" }),
            422,
            "invalid_spec",
            &["source"][..],
        ),
        (
            json!({ "name": "a", "source": "http://" }),
            422,
            "invalid_spec",
            &["source"],
        ),
        (
            json!({ "name": "a b", "source": "test:" }),
            422,
            "invalid_spec",
            &["name"],
        ),
        (
            json!({ "name": "a", "source": "test:", "linger": "5", "max_fps": -1 }),
            422,
            "invalid_spec",
            &["linger", "max_fps"],
        ),
        (
            json!({ "name": "a", "source": "test:", "aliases": ["b"], "lingre": "5s" }),
            422,
            "invalid_spec",
            &["aliases", "lingre"],
        ),
        (
            json!({ "name": "yard", "source": "test:" }),
            409,
            "already_exists",
            &[],
        ),
    ] {
        let checked = relay.check(&body).await;
        assert_eq!(
            (checked.status, checked.code()),
            (status, code),
            "{body}: {checked:?}"
        );
        assert_eq!(keys(&checked), wrong, "{body}: {checked:?}");
        let set = relay.ask("POST", "/streams", &body.to_string()).await;
        assert_eq!(set.json, checked.json, "{body}");
    }
    let reserved = relay
        .check(&json!({ "name": "metrics", "source": "test:" }))
        .await;
    assert_eq!(reserved.status, 422, "{reserved:?}");
    assert_eq!(keys(&reserved), ["name"]);
    let change = r#"{"max_viewers": -1}"#;
    let checked = relay
        .ask("PATCH", "/streams/yard?dry_run=true", change)
        .await;
    assert_eq!(keys(&checked), ["max_viewers"], "{checked:?}");
    assert_eq!((relay.files(), relay.names().await.len()), (before, 1));
}

#[tokio::test]
async fn change_that_is_checked_changes_neither_stream_nor_version() {
    let relay = Controlled::start(LOOPBACK);
    assert_eq!(relay.add("yard", "test:").await.status, 201);
    let before = relay.ask("GET", "/streams/yard", "").await;
    let text = fs::read_to_string(relay.stored("yard")).unwrap();
    let body = r#"{"max_fps": 7, "source": "test:?fps=3"}"#;
    let checked = relay.ask("PATCH", "/streams/yard?dry_run=true", body).await;
    assert_eq!(checked.json["config"]["max_fps"], 7, "{checked:?}");
    assert_eq!(checked.json["is_new"], false);
    let after = relay.ask("GET", "/streams/yard", "").await;
    assert_eq!(after.json["version"], before.json["version"]);
    assert_eq!(after.json["config"], before.json["config"]);
    assert_eq!(fs::read_to_string(relay.stored("yard")).unwrap(), text);
    assert_eq!(relay.files(), 1);
}

#[tokio::test]
async fn check_warns_of_what_is_odd_about_this_stream_alone() {
    let odd = "[[streams]]\nname = \"one\"\nsource = \"http://127.0.0.1:9/a\"\n\
               [[streams]]\nname = \"two\"\nsource = \"http://127.0.0.1:9/a\"\n";
    let relay = Controlled::start(&[LOOPBACK, odd].concat());
    let fine = json!({ "name": "fine", "source": "http://127.0.0.1:9/b", "start": "retry" });
    let checked = relay.check(&fine).await;
    assert_eq!(checked.json["warnings"], json!([]), "{checked:?}");
    let same = json!({ "name": "same", "source": "http://127.0.0.1:9/a", "start": "retry" });
    let checked = relay.check(&same).await;
    let warnings = checked.json["warnings"].as_array().expect("a list");
    assert_eq!(warnings.len(), 1, "{checked:?}");
    assert!(
        warnings[0].as_str().unwrap().contains("same"),
        "{warnings:?}"
    );
}

#[tokio::test]
async fn check_says_if_a_stream_could_not_be_stored() {
    let relay = Controlled::of(&[GATEWAY, LOOPBACK].concat());
    let body = json!({ "name": "yard", "source": "test:" });
    let checked = relay.check(&body).await;
    assert_eq!((checked.status, checked.code()), (409, "not_persistent"));
    assert!(checked.json["hint"].as_str().unwrap().contains("include"));
    let path = "/streams?dry_run=true&persist=false";
    let checked = relay.ask("POST", path, &body.to_string()).await;
    assert_eq!(
        (checked.status, &checked.json["origin"]),
        (200, &"run".into())
    );

    let door = "[[streams]]\nname = \"door\"\nsource = \"test:\"\n";
    let relay = Controlled::of(&[INCLUDE, GATEWAY, LOOPBACK, door].concat());
    let path = "/streams/door?dry_run=true";
    let checked = relay.ask("PATCH", path, r#"{"max_fps": 5}"#).await;
    assert_eq!((checked.status, checked.code()), (409, "defined_in_file"));
    fs::remove_dir(relay.folder.path().join("streams.d")).unwrap();
    let checked = relay.check(&body).await;
    assert_eq!((checked.status, checked.code()), (409, "not_persistent"));
}

#[tokio::test]
async fn schema_lists_what_the_api_may_set_with_what_holds_otherwise() {
    let defaults = "[defaults]\nmax_fps = 12\nfallback = [\"http://me:hunter2@cam/\"]\n";
    let relay = Controlled::start(&[defaults, LOOPBACK].concat());
    let schema = relay.ask("GET", "/schema", "").await.json;
    let text = schema.to_string();
    assert!(!text.contains("hunter2"), "{text}");
    let of = |key: &str| schema["properties"].get(key).cloned();
    for key in ["aliases", "view", "listen"] {
        assert_eq!(of(key), None, "{key}");
    }
    assert_eq!(of("max_fps").unwrap()["default"], 12.0);
    assert_eq!(of("on_demand").unwrap()["type"], "boolean");
    assert_eq!(of("placeholder").unwrap()["enum"], json!(["drawn", "none"]));
    assert_eq!(of("start").unwrap()["default"], "require");
    let kinds = of("source").unwrap()["x-kinds"].clone();
    assert!(
        kinds.as_array().unwrap().contains(&"http".into()),
        "{kinds}"
    );
    // What it lists can be set as it says.
    let properties = schema["properties"].as_object().unwrap();
    let defaults = properties.iter().filter(|(key, _)| *key != "fallback");
    let defaults = defaults.filter_map(|(key, of)| Some((key.clone(), of.get("default")?.clone())));
    let mut body: serde_json::Map<_, _> = defaults.collect();
    assert!(body.len() > 20, "{body:?}");
    body.insert("name".into(), "yard".into());
    body.insert("source".into(), "test:".into());
    let checked = relay.check(&body.into()).await;
    assert_eq!(checked.status, 200, "{checked:?}");

    let listens = Controlled::start("[control]\nlisten = true\n");
    let schema = listens.ask("GET", "/schema", "").await.json;
    assert!(schema["properties"].get("listen").is_some());
}
