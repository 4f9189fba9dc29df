//! Limits, each at its bound and beyond it.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use mjpeg_control::ControlConfig;
use mjpeg_manager::mjpeg_http::{Access, Gate, Inquiry};
use mjpeg_testkit::request;
use tokio::time::timeout;

use crate::support::{Answer, JSON, ROOT, Relay, until};

/// A POST with this head and what there is of its body.
async fn raw(relay: &Relay, headers: &str, body: &str) -> Answer {
    let head = format!(
        "POST /api/v1/streams HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer root\r\n\
         Content-Type: application/json\r\n{headers}\r\n\r\n{body}",
        relay.addr
    );
    Answer(request(relay.addr, head).await.unwrap())
}

#[tokio::test]
async fn large_bodies_are_refused() {
    let config = ControlConfig::default();
    assert_eq!(config.max_body_bytes(), 256 * 1024);
    let relay = Relay::with(config.with_max_body_bytes(1000), None).await;
    let body = |bytes: usize| format!("{}{{}}", " ".repeat(bytes - 2));
    let post = async |body: String| relay.root("POST", "/streams", &body).await;
    post(body(1000)).await.is_problem(422, "invalid_spec");
    post(body(1001)).await.is_problem(413, "payload_too_large");
    // Its head is enough to know.
    let answer = raw(&relay, "Content-Length: 1001", "").await;
    answer.is_problem(413, "payload_too_large");
    let chunks = format!("3e9\r\n{}\r\n0\r\n\r\n", body(1001));
    let answer = raw(&relay, "Transfer-Encoding: chunked", &chunks).await;
    answer.is_problem(413, "payload_too_large");
}

#[tokio::test]
async fn slow_bodies_are_refused() {
    let limit = Duration::from_millis(50);
    let relay = Relay::with(ControlConfig::default().with_body_timeout(limit), None).await;
    for (headers, body) in [
        ("Content-Length: 10", "{"),
        ("Transfer-Encoding: chunked", "1\r\n{\r\n"),
    ] {
        let answer = timeout(Duration::from_secs(3), raw(&relay, headers, body));
        let answer = answer.await.expect("refused soon after its limit");
        answer.is_problem(408, "request_timeout");
    }
}

#[tokio::test]
async fn bodies_that_are_no_json_are_refused() {
    let relay = Relay::start().await;
    let deep = |levels: usize| {
        let inner = levels - 1;
        format!(r#"{{"name":{}{}}}"#, "[".repeat(inner), "]".repeat(inner))
    };
    let post = async |body: &str| relay.root("POST", "/streams", body).await;
    post(&deep(16)).await.is_problem(422, "invalid_spec");
    post(&deep(17)).await.is_problem(400, "bad_request");
    post(&deep(100_000)).await.is_problem(400, "bad_request");
    for body in [
        "{",
        "{}}",
        "nul",
        "{'a':1}",
        "\u{1}",
        r#"{"hunter2": "hunter2}"#,
    ] {
        let answer = post(body).await;
        answer.is_problem(400, "bad_request");
        assert!(!answer.text().contains("hunter2"));
    }
    for body in ["null", "[]", "\"hunter2\"", "", " "] {
        let answer = post(body).await;
        answer.is_problem(422, "invalid_spec");
        assert!(!answer.text().contains("hunter2"));
    }
}

/// A proxy or a program that checks bodies may have read the other value.
#[tokio::test]
async fn bodies_with_a_name_twice_are_refused_and_the_name_is_said() {
    let relay = Relay::start().await;
    for (body, name) in [
        (r#"{"name":"a","source":"test:","name":"b"}"#, "name"),
        (
            r#"{"name":"a","source":"hunter2","s\u006furce":"test:"}"#,
            "source",
        ),
        (
            r#"{"name":"a","source":"test:","x":[{"y":{"deep":1,"deep":1}}]}"#,
            "deep",
        ),
    ] {
        let answer = relay.root("POST", "/streams", body).await;
        answer.is_problem(400, "bad_request");
        let json = answer.json();
        assert!(json["detail"].as_str().unwrap().contains(name), "{json}");
        assert_eq!(json["errors"][0]["key"], name);
        assert!(!answer.text().contains("hunter2"));
    }
    // What is no word is not repeated: it may be a secret in the wrong place.
    let body = r#"{"me:hunter2@cam":1,"me:hunter2@cam":2}"#;
    let answer = relay.root("POST", "/streams", body).await;
    answer.is_problem(400, "bad_request");
    assert!(!answer.text().contains("hunter2"));
    assert!(relay.memory.changes.lock().unwrap().is_empty());
}

#[tokio::test]
async fn changes_beyond_the_limit_are_refused() {
    let relay = Relay::with(ControlConfig::default().with_max_writes(1), None).await;
    relay.run("door", "tcp://127.0.0.1:9").await;
    let body = r#"{"name":"slow","source":"tcp://127.0.0.1:9","start":"retry"}"#;
    let held = relay.memory.changing.lock().await;
    let second = async {
        let is_asked = async || !relay.memory.changes.lock().unwrap().is_empty();
        until("the change is under way", is_asked).await;
        let answer = relay.root("POST", "/streams/door/pause", "").await;
        answer.is_problem(503, "busy");
        assert_eq!(answer.header("retry-after"), Some("5"));
        drop(held);
    };
    let (first, ()) = tokio::join!(relay.root("POST", "/streams", body), second);
    assert_eq!(first.status(), 201);
    let answer = relay.root("POST", "/streams/door/pause", "").await;
    assert_eq!(answer.status(), 204);
}

/// Never decides.
struct Undecided;

#[async_trait]
impl Gate for Undecided {
    async fn decide(&self, _: &Inquiry) -> Access {
        std::future::pending().await
    }
}

#[tokio::test]
async fn gate_that_does_not_decide_refuses() {
    let config = ControlConfig::default().with_gate_timeout(Duration::from_millis(50));
    let relay = Relay::guarded(config, None, Arc::new(Undecided)).await;
    for (method, path) in [("GET", "/streams"), ("GET", "/info"), ("POST", "/reload")] {
        let answer = timeout(
            Duration::from_secs(5),
            relay.send(method, path, &[ROOT, JSON], ""),
        );
        answer.await.unwrap().is_problem(504, "gate_timeout");
    }
}
