//! Logging in and out.

use std::time::Duration;

use mjpeg_testkit::{Response, Viewer};
use serde_json::Value;
use tokio::time::timeout;

use super::{GATEWAY, JSON, PASSWORD, Relay, alice, ask, text};
use crate::cert::{Directory, make};

fn cookie(response: &Response) -> &str {
    response.head.header("set-cookie").expect("a cookie")
}

/// The header that a browser sends with the cookie of this answer.
fn sent(response: &Response) -> String {
    let pair = cookie(response).split(';').next().expect("a pair");
    format!("Cookie: {pair}\r\n")
}

fn code(response: &Response) -> String {
    let problem: Value = serde_json::from_slice(&response.body).expect("a problem");
    problem["code"].as_str().unwrap_or_default().to_owned()
}

fn closed() -> String {
    let closed = "[auth]\nanonymous = []\n[[streams]]\nname = \"door\"\nsource = \"test:\"\n";
    [GATEWAY, closed, &alice()].concat()
}

#[tokio::test]
async fn session_begins_with_the_right_password_and_ends_at_the_logout() {
    let relay = Relay::start(&closed(), 1);
    for (name, password) in [("alice", "wrong"), ("mallory", PASSWORD), ("", "")] {
        let refused = relay.log_in("", name, password).await;
        assert_eq!(
            (refused.head.status, &*code(&refused)),
            (401, "unauthorized")
        );
        let asks = refused.head.header("www-authenticate");
        assert!(asks.is_none() && refused.head.header("set-cookie").is_none());
    }
    let begun = relay.log_in("", "alice", PASSWORD).await;
    assert_eq!((begun.head.status, begun.body.len()), (204, 0));
    let port = relay.addr().port();
    let (pair, attributes) = cookie(&begun).split_once("; ").expect("attributes");
    assert!(
        pair.starts_with(&format!("mjpeg_session_{port}=")),
        "{pair}"
    );
    assert_eq!(
        attributes,
        "Path=/; Max-Age=43200; HttpOnly; SameSite=Strict"
    );

    let session = sent(&begun);
    let stranger = relay.ask("GET", "/", "", "").await;
    assert!(!text(&stranger).contains("door"), "{}", text(&stranger));
    let page = relay.ask("GET", "/", &session, "").await;
    assert!(text(&page).contains("href=\"door/\""), "{}", text(&page));
    let json = "Accept: application/json\r\n";
    let strange = relay.ask("GET", "/login", json, "").await;
    let expected = r#"{"user":null,"has_users":true,"has_session":false}"#;
    assert_eq!(text(&strange), expected);
    let known = relay
        .ask("GET", "/login", &format!("{json}{session}"), "")
        .await;
    let expected = r#"{"user":"alice","has_users":true,"has_session":true}"#;
    assert_eq!(text(&known), expected);
    // Anybody could make them log out: that, too, must come from the page.
    let headers = format!("{JSON}{session}");
    let refused = relay.ask("POST", "/logout", &headers, "").await;
    assert_eq!(refused.head.status, 403);
    let origin = format!("{headers}Origin: http://{}\r\n", relay.addr());
    let ended = relay.ask("POST", "/logout", &origin, "{}").await;
    assert_eq!(ended.head.status, 204);
    assert!(cookie(&ended).contains("Max-Age=0"), "{}", cookie(&ended));
    let page = relay.ask("GET", "/", &session, "").await;
    assert_eq!(text(&page), text(&stranger));
}

#[tokio::test]
async fn viewer_of_a_session_ends_with_it() {
    let relay = Relay::start(&closed(), 1);
    let session = sent(&relay.log_in("", "alice", PASSWORD).await);
    let addr = relay.addr();
    let (_, cookie) = session.trim_end().split_once(": ").expect("a header");
    let viewer = Viewer::open_with(addr, "/door/", &[("Cookie", cookie)]).await;
    let mut viewer = viewer.expect("a response");
    viewer.next_frame().await.expect("a frame");
    let headers = format!("{JSON}{session}Origin: http://{addr}\r\n");
    let ended = relay.ask("POST", "/logout", &headers, "").await;
    assert_eq!(ended.head.status, 204);
    let ending = async { while let Ok(Some(_)) = viewer.next_frame().await {} };
    let ended = timeout(Duration::from_secs(2), ending).await;
    ended.expect("the response ends");
}

#[tokio::test]
async fn too_many_wrong_passwords_are_refused_before_they_are_looked_at() {
    let relay = Relay::start(&closed(), 1);
    for _ in 0..100 {
        let refused = relay.log_in("", "alice", "wrong").await;
        if refused.head.status == 401 {
            continue;
        }
        assert_eq!(
            (refused.head.status, &*code(&refused)),
            (429, "rate_limited")
        );
        let wait: u64 = refused.head.header("retry-after").unwrap().parse().unwrap();
        assert!(wait >= 1);
        // Not even the right one.
        let refused = relay.log_in("", "alice", PASSWORD).await;
        assert_eq!(refused.head.status, 429);
        return;
    }
    panic!("a hundred wrong passwords");
}

#[tokio::test]
async fn login_is_read_only_from_a_page_of_the_same_origin_and_as_json() {
    let relay = Relay::start(&closed(), 1);
    let same = format!(
        "Origin: http://{}\r\nSec-Fetch-Site: same-origin\r\n",
        relay.addr()
    );
    assert_eq!(
        relay.log_in(&same, "alice", PASSWORD).await.head.status,
        204
    );
    for (headers, status) in [
        ("Origin: http://evil.example\r\n", 403),
        ("Origin: null\r\n", 403),
        ("Sec-Fetch-Site: cross-site\r\n", 403),
        ("Sec-Fetch-Site: same-site\r\n", 403),
        ("Cookie: a=b\r\n", 403),
        ("Host: evil.example\r\n", 421),
    ] {
        let refused = relay.log_in(headers, "alice", PASSWORD).await;
        assert_eq!(refused.head.status, status, "{headers}");
        assert!(refused.head.header("set-cookie").is_none(), "{headers}");
    }
    let form = format!("name=alice&password={PASSWORD}");
    let json = format!(r#"{{"name": "alice", "password": "{PASSWORD}"}}"#);
    for kind in [
        "application/x-www-form-urlencoded",
        "text/plain",
        "multipart/form-data",
    ] {
        for body in [&form, &json] {
            let kind = format!("Content-Type: {kind}\r\n");
            let refused = relay.ask("POST", "/login", &kind, body).await;
            assert_eq!(refused.head.status, 415, "{kind}");
        }
    }
    let long = format!(
        r#"{{"name": "alice", "password": "{}"}}"#,
        "x".repeat(16 << 10)
    );
    for (body, status) in [
        (&*long, 413),
        ("{", 400),
        ("[]", 422),
        ("", 422),
        (r#"{"name": "alice"}"#, 422),
        (r#"{"name": "alice", "password": 5}"#, 422),
        (r#"{"name": "alice", "password": "x", "more": 1}"#, 422),
    ] {
        let refused = relay.ask("POST", "/login", JSON, body).await;
        assert_eq!(refused.head.status, status, "{body}");
        assert!(!text(&refused).contains("alice"));
    }
    for (method, path, allowed) in [
        ("GET", "/logout", "POST"),
        ("PUT", "/login", "GET, HEAD, POST"),
        ("POST", "/assets/page.js", "GET, HEAD"),
    ] {
        let refused = relay.ask(method, path, JSON, "").await;
        assert_eq!(refused.head.status, 405, "{path}");
        assert_eq!(refused.head.header("allow"), Some(allowed), "{path}");
    }
}

#[tokio::test]
async fn session_of_one_port_is_none_at_another() {
    let relay = Relay::start(&[GATEWAY, &closed()].concat(), 2);
    let session = sent(&relay.log_in("", "alice", PASSWORD).await);
    let there = relay.server.addr(1);
    let headers = format!("Accept: application/json\r\n{session}");
    let who = relay.ask("GET", "/login", &headers, "").await;
    assert!(text(&who).contains("alice"));
    let who = ask(there, "GET", "/login", &headers, "").await;
    assert!(!text(&who).contains("alice"), "{}", text(&who));
}

#[tokio::test]
async fn cookie_is_for_encrypted_connections_only_if_it_was_set_by_one() {
    let directory = Directory::new("page");
    make(&directory, &["--name", "127.0.0.1"]);
    let (cert, key) = (directory.join("cert.pem"), directory.join("key.pem"));
    let tls = format!(
        "[[listen]]\naddress = \"127.0.0.1:0\"\n\
         tls = {{ certificate = {cert:?}, key = {key:?} }}\n"
    );
    let relay = Relay::start(&[&tls, &*alice()].concat(), 1);
    let login = format!("{}login", relay.url());
    let body = format!(r#"{{"name": "alice", "password": "{PASSWORD}"}}"#);
    let output = tokio::process::Command::new("curl")
        .args([
            "-sk",
            "-D",
            "-",
            "-H",
            "Content-Type: application/json",
            "-d",
            &body,
            &login,
        ])
        .output();
    let output = output.await.expect("curl runs");
    let head = String::from_utf8(output.stdout)
        .expect("UTF-8")
        .to_lowercase();
    let cookie = head.lines().find(|line| line.starts_with("set-cookie: "));
    let cookie = cookie.unwrap_or_else(|| panic!("{head}"));
    let port = relay.addr().port();
    let name = format!("set-cookie: __host-mjpeg_session_{port}=");
    assert!(cookie.starts_with(&name), "{cookie}");
    assert!(
        cookie.ends_with("; httponly; samesite=strict; secure"),
        "{cookie}"
    );
}

#[tokio::test]
async fn pages_and_what_they_load_are_typed_guarded_and_not_kept() {
    let relay = Relay::start(&closed(), 1);
    for (path, kind) in [
        ("/", "text/html; charset=utf-8"),
        ("/login", "text/html; charset=utf-8"),
        ("/assets/page.js", "text/javascript; charset=utf-8"),
        ("/assets/page.css", "text/css; charset=utf-8"),
    ] {
        let response = relay.ask("GET", path, "", "").await;
        let header = |name| response.head.header(name).unwrap_or_default();
        assert_eq!(
            (response.head.status, header("content-type")),
            (200, kind),
            "{path}"
        );
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("cache-control"), "no-store");
        let foreign = relay.ask("GET", path, "Host: evil.example\r\n", "").await;
        assert_eq!(foreign.head.status, 421, "{path}");
        if kind.starts_with("text/html") {
            assert_eq!(
                header("content-security-policy"),
                "default-src 'none'; script-src 'self'; style-src 'self'; \
                 img-src 'self' blob:; connect-src 'self'; frame-ancestors 'none'"
            );
            assert_eq!(header("referrer-policy"), "no-referrer");
            // Below whatever path a proxy puts it.
            let page = text(&response);
            assert!(!page.contains("=\"/") && !page.contains("://127"), "{page}");
        }
    }
    for path in [
        "/assets",
        "/assets/",
        "/assets/page",
        "/assets/../page.js",
        "/login/x",
    ] {
        let missing = relay.ask("GET", path, "", "").await;
        assert!([401, 404].contains(&missing.head.status), "{path}");
    }
    let slash = relay.ask("GET", "/login/", "", "").await;
    assert_eq!(slash.head.header("location"), Some("../login"));
}
