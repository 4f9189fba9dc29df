//! The description of the API, and whether what is served is what it describes.

use std::{collections::BTreeSet, fs, path::Path};

use mjpeg_control::ControlApi;
use serde_json::Value;

use crate::support::{GUEST, JSON, ROOT, Relay, is_guarded};

const METHODS: [&str; 9] = [
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW",
];

/// What everybody may read who may see the streams.
const PUBLIC: [&str; 4] = ["/streams", "/streams/{name}/health", "/events", "/wall"];

/// The methods of each path.
fn described(document: &Value) -> Vec<(String, BTreeSet<String>)> {
    let paths = document["paths"].as_object().unwrap().iter();
    let described = paths.map(|(path, item)| {
        let methods = item.as_object().unwrap().keys();
        let methods = methods.map(|method| method.to_uppercase());
        let path = path.strip_prefix("/api/v1").unwrap();
        (path.to_owned(), methods.collect())
    });
    described.collect()
}

/// A path without parameters.
fn filled(path: &str) -> String {
    path.replace("{name}", "door").replace("{id}", "door:1")
}

#[test]
fn document_is_the_frozen_one() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../public-api/openapi.json");
    let actual = ControlApi::openapi() + "\n";
    if std::env::var("BLESS_OPENAPI").is_ok_and(|value| value == "1") {
        fs::write(&path, &actual).unwrap();
    }
    let frozen = fs::read_to_string(&path).unwrap();
    assert!(
        frozen == actual,
        "the API is not what public-api/openapi.json says; if that is meant, note it in \
         CHANGELOG.md, and accept it with BLESS_OPENAPI=1"
    );
}

#[test]
fn document_is_openapi_3_1_and_whole() {
    let document: Value = serde_json::from_str(&ControlApi::openapi()).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    let text = document.to_string();
    for reference in text.split("\"$ref\":\"").skip(1) {
        let reference = reference.split('"').next().unwrap();
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
    let mut ids = BTreeSet::new();
    for (path, methods) in described(&document) {
        for method in methods {
            let operation = &document["paths"][format!("/api/v1{path}")][method.to_lowercase()];
            let id = operation["operationId"].as_str().unwrap().to_owned();
            assert!(ids.insert(id), "{method} {path} has the id of another one");
            let summary = operation["summary"].as_str().unwrap_or_default();
            assert!(!summary.is_empty(), "{method} {path} is not explained");
            let problem = &operation["responses"]["default"]["content"];
            assert!(
                problem.get("application/problem+json").is_some(),
                "{method} {path}"
            );
        }
    }
}

#[tokio::test]
async fn every_path_takes_the_methods_that_are_described_and_no_other() {
    let relay = Relay::start().await;
    let document = relay.get("/openapi.json").await.json();
    for (path, methods) in described(&document) {
        for method in METHODS {
            // It has no end.
            if (method, &*path) == ("GET", "/events") {
                continue;
            }
            // As somebody else: it changes nothing.
            let answer = relay
                .send(method, &filled(&path), &[GUEST, JSON], "{}")
                .await;
            let is_head = method == "HEAD" && methods.contains("GET");
            let is_described = methods.contains(method) || is_head;
            let case = format!("{method} {path}: {}", answer.status());
            assert_eq!(answer.status() != 405, is_described, "{case}");
            assert!(is_guarded(&answer.0.head), "{case}");
            if is_described {
                continue;
            }
            let mut allowed = methods.clone();
            if allowed.contains("GET") {
                allowed.insert("HEAD".into());
            }
            let allow = answer.header("allow").unwrap().split(',');
            assert_eq!(
                allow.map(|m| m.trim().to_owned()).collect::<BTreeSet<_>>(),
                allowed
            );
            if method != "HEAD" {
                answer.is_problem(405, "method_not_allowed");
            }
        }
    }
}

#[tokio::test]
async fn to_those_who_may_only_look_nothing_but_the_public_things_answers() {
    let relay = Relay::start().await;
    relay.run("door", "tcp://127.0.0.1:9").await;
    let document = relay.get("/openapi.json").await.json();
    let paths = described(&document);
    assert!(paths.len() > 10);
    for headers in [&[JSON][..], &[JSON, GUEST]] {
        for (path, _) in &paths {
            for method in METHODS {
                let is_read = matches!(method, "GET" | "HEAD");
                if is_read && path == "/events" {
                    continue;
                }
                let answer = relay.send(method, &filled(path), headers, "{}").await;
                let is_public = is_read && PUBLIC.contains(&&**path);
                let is_refused = matches!(answer.status(), 401 | 403 | 404 | 405);
                assert_eq!(
                    is_refused,
                    !is_public,
                    "{method} {path}: {}",
                    answer.status()
                );
            }
        }
    }
    assert!(relay.memory.changes.lock().unwrap().is_empty());
    assert_eq!(relay.manager.get("door").unwrap().state.as_str(), "offline");
}

#[tokio::test]
async fn document_is_served_as_it_is_frozen_but_for_what_is_not_there() {
    let relay = Relay::start().await;
    let answer = relay.send("GET", "/openapi.json", &[ROOT], "").await;
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let served = answer.json();
    let mut frozen: Value = serde_json::from_str(&ControlApi::openapi()).unwrap();
    let paths = frozen["paths"].as_object_mut().unwrap();
    let is_there = |path: &str| {
        let absent = ["/api/v1/links", "/api/v1/clips", "/api/v1/timelapses"];
        let of_streams = [
            "/api/v1/streams/{name}/frame",
            "/api/v1/streams/{name}/timelapses/finish",
        ];
        !absent.iter().any(|begin| path.starts_with(begin)) && !of_streams.contains(&path)
    };
    paths.retain(|path, _| is_there(path));
    assert_eq!(served, frozen);
}
