//! What a proxy does not pass on.

use super::{
    curl::Server,
    proxy::{ALL, PAGE, Proxy, Running, snippet},
    relay::{Relay, TOKEN, operator},
};

#[test]
fn nobody_controls_through_a_proxy() {
    for proxy in ALL.into_iter().filter(|proxy| proxy.is_installed()) {
        for keeps_prefix in [false, true] {
            closes(proxy, keeps_prefix);
        }
    }
}

fn closes(proxy: &Proxy, keeps_prefix: bool) {
    let relay = Relay::start_with(CAMERA, CAMERA, keeps_prefix, &operator());
    let running = proxy.start(relay.addr, keeps_prefix);
    nobody_controls(&relay, &running);
}

/// Not even who may control the relay does so through the proxy; the page has what it reads.
fn nobody_controls(relay: &Relay, proxy: &Running) {
    let (plain, tls) = (Server::plain(proxy.plain), Server::tls(proxy.tls));
    let login = ["--header", &*format!("Authorization: Bearer {TOKEN}")];
    let source = CAMERA.as_bytes();
    let shows = |text: &[u8]| text.windows(source.len()).any(|bytes| bytes == source);
    let direct = Server::plain(relay.addr);
    for path in ["/api/v1/config", "/api/v1/streams/live"] {
        let text = direct.ask(&login, &[path]);
        assert!(shows(&text), "there would be something to see: {path}");
    }
    for path in [
        "/api/v1/config",
        "/cameras/api/v1/config",
        "/cameras/api/v1/config/",
        "/cameras//api/v1/config",
        "/cameras/api//v1/config",
        "/cameras/api/v1//config",
        "/cameras/%61pi/v1/config",
        "/cameras/api/v1/%63onfig",
        "/cameras/api%2fv1/config",
        "/cameras/api%2fv1%2fconfig",
        "/cameras/./api/v1/config",
        "/cameras/live/../api/v1/config",
        "/cameras/api/v1/streams/../config",
        "/cameras/api/v1/config?x=/api/v1/streams",
        "/cameras/api/v1/config%3fx=/api/v1/streams",
        "/cameras/api/v1/config%23/api/v1/streams",
        "/cameras/cameras/api/v1/config",
        "/cameras/%0a/api/v1/config",
        "/cameras/api/v1/config%0a",
        "/cameras/api/v1/streams/live",
        "/cameras/api/v1/streams/live/",
        "/cameras/api/v1/streams/live/viewers",
    ] {
        for server in [plain, tls] {
            let text = server.ask(&login, &[path]);
            let printed = String::from_utf8_lossy(&text);
            // Its own refusals have a code.
            assert!(
                !shows(&text) && !printed.contains("\"code\":\"unauth"),
                "{path}: {printed}"
            );
        }
    }
    for (method, path) in [
        ("POST", "/cameras/api/v1/reload"),
        ("DELETE", "/cameras/api/v1/streams/live"),
        ("PATCH", "/cameras/api/v1/streams"),
    ] {
        let json = [
            "--header",
            "Content-Type: application/json",
            "--request",
            method,
        ];
        let text = plain.ask(&[&login[..], &json].concat(), &[path]);
        let text = String::from_utf8_lossy(&text);
        assert!(
            !text.contains("\"code\""),
            "{method} {path}: the relay's: {text}"
        );
    }
    let (status, listed) = plain.get("/cameras/api/v1/streams");
    let listed = String::from_utf8_lossy(&listed);
    assert!(status == 200 && listed.contains("\"live\""), "{listed}");
}

/// Those that are only printed, too.
#[test]
fn every_snippet_of_a_proxy_closes_metrics_and_control() {
    for language in ["nginx", "haproxy", "caddy", "lighttpd", "apache", "vcl"] {
        let snippet = snippet(language);
        for closed in ["metrics/*", "v1/(?!(streams|events|wall)"] {
            // Caddy knows no such expression.
            let closed = match language {
                "caddy" => closed.trim_start_matches("v1/(?!"),
                _ => closed,
            };
            assert!(snippet.contains(closed), "{language}: {closed}");
        }
    }
    let languages = PAGE.lines().filter_map(|line| line.strip_prefix("```"));
    let languages = languages.filter(|language| !["", "toml"].contains(language));
    assert_eq!(languages.count(), 6, "a proxy that this test does not know");
}

/// There is none. Only those see where it would be who may control the relay.
const CAMERA: &str = "tcp://127.0.0.1:1";
