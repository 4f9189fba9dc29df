//! Pages of somebody else, in the browser of somebody who may control.

use fantoccini::Client;
use serde_json::{Value, json};

use super::{
    super::{Controlled, camera},
    door, status,
};
use crate::browser::{Driver, serve_page};

const BODY: &str = r#"{"name":"evil","source":"test:"}"#;

/// Whatever a page of another origin has its browser send, as browsers send it.
#[tokio::test]
async fn pages_of_others_change_nothing() {
    let camera = camera().await;
    let relay = Controlled::start(&door(&camera));
    let port = relay.addr().port();
    let other_port = format!("http://127.0.0.1:{}", port ^ 1);
    for (kind, headers) in [
        (
            "application/json",
            "Origin: http://evil.example\r\nSec-Fetch-Site: cross-site\r\n".into(),
        ),
        (
            "application/json",
            format!("Origin: {other_port}\r\nSec-Fetch-Site: same-site\r\n"),
        ),
        ("application/json", format!("Origin: {other_port}\r\n")),
        ("application/json", "Origin: null\r\n".into()),
        ("application/json", "Sec-Fetch-Site: cross-site\r\n".into()),
        ("application/json", "Sec-Fetch-Site: none\r\n".into()),
        ("application/json", "Cookie: theme=dark\r\n".into()),
        ("text/plain", format!("Origin: http://127.0.0.1:{port}\r\n")),
        ("text/plain", String::new()),
        ("text/plain; application/json", String::new()),
        ("application/x-www-form-urlencoded", String::new()),
        ("multipart/form-data; boundary=x", String::new()),
        ("application/jsonp", String::new()),
    ] {
        for (method, path, body) in [
            ("POST", "/streams", BODY),
            ("PUT", "/streams/evil", BODY),
            ("PATCH", "/streams/door?persist=false", r#"{"max_fps":1}"#),
            ("POST", "/streams/door/pause", "{}"),
            ("POST", "/reload", "{}"),
            ("POST", "/links", r#"{"stream":"door","valid_s":60}"#),
            ("DELETE", "/streams/door?persist=false", " "),
        ] {
            let raw = format!(
                "{method} /api/v1{path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{headers}\
                 Content-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
            let said = status(&relay, raw).await;
            assert!(
                matches!(said, 403 | 415),
                "{method} {path} {kind} {headers}: {said}"
            );
        }
    }
    // Reads that stay open, and what asks whether a write would be allowed.
    for (raw, expected) in [
        (
            "GET /api/v1/events HTTP/1.1\r\nCookie: a=b\r\nOrigin: http://evil.example\r\n",
            403,
        ),
        (
            "GET /api/v1/events HTTP/1.1\r\nCookie: a=b\r\nSec-Fetch-Site: cross-site\r\n",
            403,
        ),
        (
            "GET /api/v1/events HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n",
            400,
        ),
        (
            "OPTIONS /api/v1/streams HTTP/1.1\r\nOrigin: http://evil.example\r\n\
          Access-Control-Request-Method: POST\r\n",
            405,
        ),
    ] {
        let raw = format!("{raw}Host: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n");
        assert_eq!(status(&relay, &raw).await, expected, "{raw}");
    }
    assert_eq!(relay.names().await, ["door"]);
    let links = relay.ask("GET", "/links", "").await;
    assert_eq!(links.json["links"], json!([]));
    let door = relay.ask("GET", "/streams/door", "").await;
    assert_eq!(
        (&door.json["state"], &door.json["origin"]),
        (&json!("online"), &json!("file"))
    );
}

async fn tries(browser: &Client, relay: &Controlled) -> Value {
    let base = format!("http://127.0.0.1:{}", relay.addr().port());
    let tried = browser.execute_async(SCRIPT, vec![base.into()]).await;
    tried.expect("the script runs")
}

#[tokio::test]
async fn chromium_lets_a_page_of_others_view_and_nothing_else() {
    let camera = camera().await;
    let relay = Controlled::start(&door(&camera));
    let elsewhere = serve_page("<!doctype html><title>evil</title>".into()).await;
    let driver = Driver::start();
    let browser = driver.browser().await;
    // Another port of this machine, and another name for it.
    for page in [
        elsewhere.clone(),
        elsewhere.replace("127.0.0.1", "localhost"),
    ] {
        browser.goto(&page).await.unwrap();
        let tried = tries(&browser, &relay).await;
        assert_eq!(
            tried,
            json!({
                "picture": "shown", "read": "blocked", "config": "blocked", "json": "blocked",
                "plain": "blocked", "remove": "blocked", "form": "sent", "events": "error",
                "socket": "error",
            }),
            "{page}"
        );
        assert_eq!(relay.names().await, ["door"], "{page}");
        let door = relay.ask("GET", "/streams/door", "").await;
        assert_eq!(door.json["state"], "online", "{page}");
    }
    // The same from the relay's own page works: what is refused is the origin.
    let own = format!("http://127.0.0.1:{}/door/state", relay.addr().port());
    browser.goto(&own).await.unwrap();
    let tried = tries(&browser, &relay).await;
    assert_eq!(
        (&tried["read"], &tried["json"]),
        (&json!(200), &json!(201)),
        "{tried}"
    );
    assert_eq!(tried["events"], "open", "{tried}");
    browser.close().await.unwrap();
}

/// Tries what a page can, and says what came of it.
const SCRIPT: &str = r#"
    const [base, done] = arguments;
    const api = base + "/api/v1", json = { "Content-Type": "application/json" };
    const body = '{"name":"evil","source":"test:"}';
    const ask = async (path, options) => {
        try {
            const response = await fetch(api + path, { credentials: "include", ...options });
            return response.type == "opaque" ? "opaque" : response.status;
        } catch { return "blocked"; }
    };
    const either = (object, good, bad, words) => new Promise(resolve => {
        object[good] = () => resolve(words[0]);
        object[bad] = () => resolve(words[1]);
    });
    const tried = async () => {
        const said = {};
        const img = new Image();
        const shown = either(img, "onload", "onerror", ["shown", "error"]);
        img.src = base + "/door/snapshot";
        said.picture = await shown;
        said.read = await ask("/streams", {});
        said.config = await ask("/config", {});
        said.json = await ask("/streams", { method: "POST", headers: json, body });
        said.plain = await ask("/streams/door/pause", { method: "POST", mode: "no-cors", body: "{}" });
        said.remove = await ask("/streams/door?persist=false", { method: "DELETE" });
        const frame = document.createElement("iframe");
        frame.name = "answer";
        document.documentElement.append(frame);
        const form = document.createElement("form");
        Object.assign(form, { action: api + "/streams", method: "post", target: "answer" });
        form.enctype = "text/plain";
        const input = document.createElement("input");
        [input.name, input.value] = ['{"name":"evil","source":"test:', '"}'];
        form.append(input);
        document.documentElement.append(form);
        const sent = either(frame, "onload", "onerror", ["sent", "error"]);
        form.submit();
        said.form = await sent;
        const events = new EventSource(api + "/events");
        said.events = await either(events, "onopen", "onerror", ["open", "error"]);
        events.close();
        const socket = new WebSocket(api.replace("http", "ws") + "/events");
        said.socket = await either(socket, "onopen", "onerror", ["open", "error"]);
        return said;
    };
    tried().then(done, error => done(String(error)));
"#;
