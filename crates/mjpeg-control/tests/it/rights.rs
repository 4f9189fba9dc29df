//! Who may do what.

use std::sync::{Arc, atomic::Ordering};

use mjpeg_control::ControlConfig;
use mjpeg_manager::mjpeg_http::Action;

use crate::support::{GUARD, GUEST, JSON, ROOT, Relay, Users};

#[tokio::test]
async fn gate_is_asked_about_every_request() {
    let users = Arc::new(Users::default());
    let relay = Relay::guarded(ControlConfig::default(), None, Arc::clone(&users) as _).await;
    relay.run("door", "tcp://127.0.0.1:9").await;
    let asked = async |method: &str, path: &str| {
        users.asked.lock().unwrap().clear();
        relay.root(method, path, "").await;
        let asked = users.asked.lock().unwrap();
        let asked = asked
            .iter()
            .map(|(action, stream)| (*action, stream.clone()));
        asked.collect::<Vec<_>>()
    };
    let control = |stream: Option<&str>| vec![(Action::Control, stream.map(str::to_owned))];
    for (method, path) in [
        ("GET", "/streams/door"),
        ("GET", "/streams/webcam"),
        ("GET", "/streams/door/viewers"),
        ("GET", "/streams/door/events"),
        ("POST", "/streams/door/pause"),
        ("POST", "/streams/door/resume"),
        ("POST", "/streams/door/retry"),
        ("POST", "/streams/door/probe"),
        ("DELETE", "/viewers/door:1"),
    ] {
        assert_eq!(
            asked(method, path).await,
            control(Some("door")),
            "{method} {path}"
        );
    }
    for (method, path) in [
        ("POST", "/streams"),
        ("PUT", "/streams/door"),
        ("PATCH", "/streams/door"),
        ("DELETE", "/streams/door"),
        ("GET", "/config"),
        ("POST", "/reload"),
        ("GET", "/info"),
        ("GET", "/openapi.json"),
    ] {
        assert_eq!(asked(method, path).await, control(None), "{method} {path}");
    }
    relay.run("door", "tcp://127.0.0.1:9").await;
    let state = vec![(Action::State, Some("door".to_owned()))];
    assert_eq!(asked("GET", "/streams/webcam/health").await, state);
    assert_eq!(asked("GET", "/streams").await[0], (Action::Page, None));
    assert_eq!(asked("HEAD", "/events").await, [(Action::Page, None)]);
}

#[tokio::test]
async fn nothing_is_read_of_a_request_before_the_gate_agrees() {
    let relay = Relay::start().await;
    let head = format!(
        "POST /api/v1/streams HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n\
         Content-Length: 999999999\r\n\r\n",
        relay.addr
    );
    let answer = mjpeg_testkit::request(relay.addr, head).await.unwrap();
    assert_eq!(answer.head.status, 401);
}

#[tokio::test]
async fn stream_that_one_may_not_see_is_as_one_that_is_not_there() {
    let relay = Relay::start().await;
    for name in ["door", "yard", "hidden"] {
        relay.run(name, "tcp://127.0.0.1:9").await;
    }
    for headers in [&[JSON][..], &[JSON, GUEST], &[JSON, GUARD]] {
        for (method, before, after) in [
            ("GET", "/streams/", ""),
            ("GET", "/streams/", "/health"),
            ("GET", "/streams/", "/viewers"),
            ("GET", "/streams/", "/events"),
            ("POST", "/streams/", "/pause"),
            ("PUT", "/streams/", ""),
            ("PATCH", "/streams/", ""),
            ("DELETE", "/streams/", ""),
            ("DELETE", "/viewers/", ":1"),
        ] {
            let send = async |name: &str| {
                let path = format!("{before}{name}{after}");
                let answer = relay.send(method, &path, headers, "").await;
                (answer.status(), answer.text().to_owned())
            };
            let none = send("none").await;
            assert_eq!(send("hidden").await, none, "{method} {before}NAME{after}");
            assert!(none.0 >= 401);
        }
    }
    // Who may see it is told what the matter is.
    relay
        .send("GET", "/streams/yard", &[GUEST], "")
        .await
        .is_problem(403, "forbidden");
    relay
        .stranger("/streams/yard")
        .await
        .is_problem(401, "unauthorized");
}

#[tokio::test]
async fn where_nobody_may_look_everybody_is_asked_to_log_in() {
    let users = Arc::new(Users::default());
    let relay = Relay::guarded(ControlConfig::default(), None, Arc::clone(&users) as _).await;
    relay.run("door", "tcp://127.0.0.1:9").await;
    users.is_closed.store(true, Ordering::Relaxed);
    for path in [
        "/streams",
        "/streams/door",
        "/streams/none",
        "/streams/door/health",
        "/events",
    ] {
        let answer = relay.stranger(path).await;
        answer.is_problem(401, "unauthorized");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    }
    let wrong = ("Authorization", "Bearer wrong");
    for path in ["/streams", "/streams/door", "/streams/none", "/info"] {
        relay
            .send("GET", path, &[wrong], "")
            .await
            .is_problem(401, "unauthorized");
    }
    assert_eq!(
        relay
            .send("GET", "/streams/door", &[ROOT], "")
            .await
            .status(),
        200
    );
}
