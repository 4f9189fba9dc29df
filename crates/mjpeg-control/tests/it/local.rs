//! Gateways without users, and without control.

use std::sync::Arc;

use async_trait::async_trait;
use mjpeg_control::{ControlAccess, ControlConfig};
use mjpeg_manager::mjpeg_http::{Access, Gate, Grant, Inquiry, Listener, ListenerConfig};

use crate::support::{JSON, ROOT, Relay};

/// Lets everybody do everything.
struct Open;

#[async_trait]
impl Gate for Open {
    async fn decide(&self, _: &Inquiry) -> Access {
        Access::Allow(Grant::default())
    }
}

async fn relay(access: ControlAccess) -> Relay {
    let relay = Relay::guarded(ControlConfig::default(), None, Arc::new(Open)).await;
    relay.run("door", "tcp://127.0.0.1:9").await;
    relay.configure(|policy| policy.with_access(access));
    relay
}

#[tokio::test]
async fn control_without_users_is_for_this_machine_only() {
    let relay = relay(ControlAccess::LocalOnly).await;
    let pause = async |headers: &[(&str, &str)]| {
        let headers: Vec<_> = [JSON].iter().chain(headers).copied().collect();
        relay
            .send("POST", "/streams/door/pause", &headers, "")
            .await
    };
    let info = async |headers: &[(&str, &str)]| relay.send("GET", "/info", headers, "").await;
    assert_eq!(
        (pause(&[]).await.status(), info(&[]).await.status()),
        (204, 200)
    );
    for host in ["localhost", "127.0.0.1:8080", "[::1]:8080"] {
        assert_eq!(pause(&[("Host", host)]).await.status(), 204, "{host}");
    }
    for header in [
        "Forwarded",
        "Via",
        "X-Real-IP",
        "X-Forwarded-For",
        "x-forwarded-proto",
        "X-Forwarded-Host",
        "X-Forwarded-Anything",
    ] {
        pause(&[(header, "")]).await.is_problem(403, "forbidden");
        info(&[(header, "127.0.0.1")])
            .await
            .is_problem(403, "forbidden");
    }
    // It is ours, and may still lead here from elsewhere.
    relay.configure(|policy| policy.with_hosts(mjpeg_control::Hosts::new(["box"])));
    for host in ["192.168.1.5", "box:8080", "0.0.0.0", "[fe80::1]"] {
        pause(&[("Host", host)]).await.is_problem(403, "forbidden");
        info(&[("Host", host)]).await.is_problem(403, "forbidden");
    }
    // What a page reads is there all the same, and shows no more than to a stranger.
    let seen = relay
        .send("GET", "/streams", &[("Via", "1.1 proxy")], "")
        .await
        .json();
    assert_eq!(seen["streams"][0]["name"], "door");
    assert!(seen["streams"][0].get("source").is_none());
    let seen = relay.send("GET", "/streams", &[], "").await.json();
    assert!(seen["streams"][0].get("source").is_some());
}

#[tokio::test]
async fn control_without_users_is_on_unix_sockets() {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::UnixStream,
    };

    let relay = relay(ControlAccess::LocalOnly).await;
    let path = std::env::temp_dir().join(format!("mjpeg-control-{}.sock", std::process::id()));
    let listener = Listener::bind_unix(&path, ListenerConfig::default()).unwrap();
    let listener = listener.with_fallback(relay.service.clone());
    let serving = tokio::spawn(listener.serve(relay.http.clone(), std::future::pending()));
    let mut socket = UnixStream::connect(&path).await.unwrap();
    let request = b"GET /api/v1/info HTTP/1.0\r\nHost: localhost\r\n\r\n";
    socket.write_all(request).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.0 200"), "{answer}");
    serving.abort();
}

#[tokio::test]
async fn where_control_is_closed_there_is_none() {
    let relay = relay(ControlAccess::Closed).await;
    for (method, path) in [
        ("GET", "/streams/door"),
        ("PATCH", "/streams/door"),
        ("POST", "/streams/door/pause"),
        ("GET", "/streams/door/viewers"),
        ("DELETE", "/viewers/door:1"),
        ("GET", "/config"),
        ("POST", "/reload"),
        ("GET", "/info"),
        ("GET", "/openapi.json"),
    ] {
        relay
            .root(method, path, "")
            .await
            .is_problem(404, "not_found");
    }
    let answer = relay.root("POST", "/streams", "{}").await;
    answer.is_problem(405, "method_not_allowed");
    assert_eq!(answer.header("allow"), Some("GET,HEAD"));
    let seen = relay.get("/streams").await.json();
    assert!(seen["streams"][0].get("source").is_none());
    assert_eq!(relay.get("/streams/door/health").await.status(), 503);
    relay.configure(|policy| policy.with_page(false));
    for path in ["/streams", "/streams/door/health", "/events"] {
        relay.get(path).await.is_problem(404, "not_found");
    }
}

#[tokio::test]
async fn where_there_is_no_page_streams_are_for_those_who_control() {
    let relay = Relay::start().await;
    relay.run("door", "tcp://127.0.0.1:9").await;
    relay.configure(|policy| policy.with_page(false));
    assert_eq!(
        relay.stranger("/streams").await.json()["streams"],
        serde_json::json!([])
    );
    relay
        .stranger("/streams/door/health")
        .await
        .is_problem(404, "not_found");
    assert_eq!(
        relay.get("/streams").await.json()["streams"][0]["name"],
        "door"
    );
    assert_eq!(
        relay
            .send("GET", "/streams/door/health", &[ROOT], "")
            .await
            .status(),
        503
    );
}

#[tokio::test]
async fn base_path_that_a_proxy_leaves_in_place_is_no_part_of_the_path() {
    let relay = relay(ControlAccess::Users).await;
    let listener = ListenerConfig::default().with_base_path("/cams").unwrap();
    relay.configure(|policy| policy.with_listener(listener));
    let get = async |path: &str| {
        let request = format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n");
        mjpeg_testkit::request(relay.addr, request)
            .await
            .unwrap()
            .head
            .status
    };
    assert_eq!(get("/cams/api/v1/info").await, 200);
    assert_eq!(get("/api/v1/info").await, 200);
    assert_eq!(get("http://localhost/api/v1/info").await, 200);
    for path in [
        "/other/api/v1/info",
        "/api/v1",
        "/api/v1/",
        "/api/v1x/info",
        "/api/v2/info",
        "/api/v1/info/",
        "/api/v1//info",
        "/api/v1/../v1/info",
        "/%61pi/v1/info",
    ] {
        assert_eq!(get(path).await, 404, "{path}");
    }
}
