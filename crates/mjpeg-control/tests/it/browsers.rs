//! What a browser may be led to by a page of somebody else.

use std::{io, sync::Arc};

use async_trait::async_trait;
use mjpeg_manager::mjpeg_http::{Listener, ListenerConfig, TlsInfo, Transport, Wrap};

use crate::support::{JSON, ROOT, Relay, is_guarded};

const PAUSE: &str = "/streams/door/pause";

async fn paused(relay: &Relay, headers: &[(&str, &str)]) -> u16 {
    let headers: Vec<_> = [ROOT, JSON].iter().chain(headers).copied().collect();
    let answer = relay.send("POST", PAUSE, &headers, "").await;
    if answer.status() != 204 {
        answer.is_problem(403, "forbidden");
    }
    answer.status()
}

#[tokio::test]
async fn pages_of_other_origins_change_nothing() {
    let relay = Relay::start().await;
    relay.run("door", "tcp://127.0.0.1:9").await;
    let own = format!("http://{}", relay.addr);
    let other_port = format!("http://127.0.0.1:{}", relay.addr.port() ^ 1);
    let localhost = format!("http://localhost:{}", relay.addr.port());
    for origin in [
        &*other_port,
        &localhost,
        "http://evil.example",
        "null",
        "file://",
        "",
    ] {
        assert_eq!(paused(&relay, &[("Origin", origin)]).await, 403, "{origin}");
        let both = [("Origin", origin), ("Sec-Fetch-Site", "same-origin")];
        assert_eq!(paused(&relay, &both).await, 403, "{origin}");
    }
    for site in ["cross-site", "same-site", "none", "x"] {
        assert_eq!(
            paused(&relay, &[("Sec-Fetch-Site", site)]).await,
            403,
            "{site}"
        );
    }
    assert_eq!(paused(&relay, &[("Cookie", "mjpeg_session=1")]).await, 403);
    let twice = [("Origin", &*own), ("Origin", "http://evil.example")];
    assert_eq!(paused(&relay, &twice).await, 403);

    assert_eq!(paused(&relay, &[]).await, 204);
    assert_eq!(paused(&relay, &[("Origin", &own)]).await, 204);
    let cookie = ("Cookie", "mjpeg_session=1");
    assert_eq!(paused(&relay, &[("Origin", &own), cookie]).await, 204);
    assert_eq!(
        paused(&relay, &[("Sec-Fetch-Site", "same-origin"), cookie]).await,
        204
    );
}

/// Says that every connection is secured.
struct Secured;

#[async_trait]
impl Wrap for Secured {
    async fn wrap(&self, transport: Transport) -> io::Result<Transport> {
        Ok(transport.with_tls(TlsInfo::default()))
    }
}

#[tokio::test]
async fn plain_page_of_the_same_host_changes_nothing_where_connections_are_secured() {
    let relay = Relay::start().await;
    relay.run("door", "tcp://127.0.0.1:9").await;
    let addr = "127.0.0.1:0".parse().unwrap();
    let listener = Listener::bind(addr, ListenerConfig::default()).unwrap();
    let addr = listener.local_addr().unwrap();
    let listener = listener.with_fallback(relay.service.clone());
    let listener = listener.with_wrap(Arc::new(Secured));
    let serving = tokio::spawn(listener.serve(relay.http.clone(), std::future::pending()));
    let pause = async |scheme: &str| {
        let request = format!(
            "POST /api/v1/streams/door/pause HTTP/1.0\r\nHost: {addr}\r\n\
             Authorization: Bearer root\r\nContent-Type: application/json\r\n\
             Origin: {scheme}://{addr}\r\n\r\n"
        );
        let answer = mjpeg_testkit::request(addr, request).await.unwrap();
        answer.head.status
    };
    assert_eq!((pause("http").await, pause("https").await), (403, 204));
    serving.abort();
}

#[tokio::test]
async fn forms_change_nothing() {
    let relay = Relay::start().await;
    relay.run("door", "tcp://127.0.0.1:9").await;
    for kind in [
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/plain",
        "text/plain; application/json",
        "application/merge-patch+json",
        "application/jsonp",
        "",
    ] {
        let answer = relay
            .send("POST", PAUSE, &[ROOT, ("Content-Type", kind)], "")
            .await;
        answer.is_problem(415, "unsupported_media_type");
    }
    relay
        .send("POST", PAUSE, &[ROOT], "")
        .await
        .is_problem(415, "unsupported_media_type");
    let twice = [ROOT, JSON, ("Content-Type", "text/plain")];
    relay
        .send("POST", PAUSE, &twice, "")
        .await
        .is_problem(415, "unsupported_media_type");
    let answer = relay.send("DELETE", "/streams/door", &[ROOT], "{}").await;
    answer.is_problem(415, "unsupported_media_type");
    for kind in ["application/json; charset=utf-8", "Application/JSON"] {
        let answer = relay
            .send("POST", PAUSE, &[ROOT, ("Content-Type", kind)], "")
            .await;
        assert_eq!(answer.status(), 204, "{kind}");
    }
}

#[tokio::test]
async fn names_of_others_do_not_lead_here() {
    let relay = Relay::start().await;
    for path in ["/streams", "/info", "/events", "/none"] {
        let answer = relay
            .send("GET", path, &[ROOT, ("Host", "evil.example")], "")
            .await;
        answer.is_problem(421, "misdirected_request");
    }
    let write = [ROOT, JSON, ("Host", "evil.example:80")];
    let answer = relay.send("POST", "/streams", &write, "{}").await;
    answer.is_problem(421, "misdirected_request");
    let both = [ROOT, ("Host", "localhost"), ("Host", "evil.example")];
    relay
        .send("GET", "/info", &both, "")
        .await
        .is_problem(421, "misdirected_request");
    assert_eq!(
        relay
            .send("GET", "/info", &[ROOT, ("Host", "LOCALHOST:1")], "")
            .await
            .status(),
        200
    );
    let cams = [ROOT, ("Host", "cams.example")];
    relay
        .send("GET", "/info", &cams, "")
        .await
        .is_problem(421, "misdirected_request");
    relay.configure(|policy| policy.with_hosts(mjpeg_control::Hosts::new(["cams.example"])));
    assert_eq!(relay.send("GET", "/info", &cams, "").await.status(), 200);
}

#[tokio::test]
async fn preflights_open_nothing() {
    let relay = Relay::start().await;
    let headers = [
        ROOT,
        ("Origin", "http://evil.example"),
        ("Access-Control-Request-Method", "DELETE"),
        ("Access-Control-Request-Headers", "authorization"),
        ("Access-Control-Request-Private-Network", "true"),
    ];
    for path in [
        "/streams",
        "/streams/door",
        "/events",
        "/none",
        "/openapi.json",
    ] {
        for method in ["OPTIONS", "GET", "HEAD"] {
            let answer = relay.send(method, path, &headers, "").await;
            let headers = answer.0.head.headers.iter();
            let is_cors = |name: &str| name.to_ascii_lowercase().starts_with("access-control");
            assert_eq!(
                headers.filter(|(name, _)| is_cors(name)).count(),
                0,
                "{method} {path}"
            );
            if method == "OPTIONS" {
                assert!(matches!(answer.status(), 404 | 405), "{path}");
            }
            if path == "/events" {
                break;
            }
        }
    }
}

#[tokio::test]
async fn answers_are_not_kept_guessed_at_or_embedded() {
    let relay = Relay::start().await;
    for (method, path) in [
        ("GET", "/streams"),
        ("GET", "/none"),
        ("PUT", "/streams"),
        ("GET", "/info"),
        ("GET", "/openapi.json"),
        ("HEAD", "/events"),
    ] {
        for headers in [&[ROOT][..], &[], &[("Host", "evil.example")]] {
            let answer = relay.send(method, path, headers, "").await;
            assert!(is_guarded(&answer.0.head), "{method} {path} {headers:?}");
            let policy = answer.header("cross-origin-resource-policy");
            assert_eq!(policy, Some("same-origin"));
        }
    }
}

#[tokio::test]
async fn websockets_are_refused() {
    let relay = Relay::start().await;
    let headers = [
        ROOT,
        ("Upgrade", "h2c, WebSocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    for path in ["/events", "/streams"] {
        relay
            .send("GET", path, &headers, "")
            .await
            .is_problem(400, "bad_request");
    }
}
