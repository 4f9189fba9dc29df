//! Requests that name another host, in every way there is.

use super::{super::Controlled, status};

const BODY: &str = r#"{"name":"evil","source":"test:"}"#;

async fn adds(relay: &Controlled, target: &str, rest: &str) -> u16 {
    let raw = format!(
        "POST {target} HTTP/1.1\r\n{rest}Content-Type: application/json\r\nConnection: close\r\n\
         Content-Length: {}\r\n\r\n{BODY}",
        BODY.len()
    );
    status(relay, raw).await
}

/// A page of `evil.example`, whose name leads to 127.0.0.1 by now, is of the same origin to a
/// browser.
#[tokio::test]
async fn name_that_leads_here_by_rebinding_opens_nothing() {
    let relay = Controlled::start("");
    let port = relay.addr().port();
    for host in [
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
    ] {
        let host = format!("{host}:{port}");
        let headers =
            format!("Host: {host}\r\nOrigin: http://{host}\r\nSec-Fetch-Site: same-origin\r\n");
        assert_eq!(
            adds(&relay, "/api/v1/streams", &headers).await,
            421,
            "{host}"
        );
        for path in ["/", "/api/v1/streams", "/api/v1/config", "/api/v1/events"] {
            let raw = format!("GET {path} HTTP/1.1\r\n{headers}Connection: close\r\n\r\n");
            assert_eq!(status(&relay, raw).await, 421, "{host} {path}");
        }
    }
    assert!(relay.names().await.is_empty());
}

#[tokio::test]
async fn host_that_can_be_read_in_two_ways_is_nobodys() {
    let relay = Controlled::start("");
    let path = "/api/v1/streams";
    for (target, headers, expected) in [
        // Two of them.
        (path, "Host: localhost\r\nHost: localhost\r\n", 421),
        (path, "Host: localhost\r\nHost: evil.example\r\n", 421),
        (path, "Host: evil.example\r\nHost: localhost\r\n", 421),
        (path, "Host: localhost, evil.example\r\n", 421),
        // A login, a path, or nothing.
        (path, "Host: localhost@evil.example\r\n", 421),
        (path, "Host: evil.example@localhost\r\n", 421),
        (path, "Host: localhost/evil.example\r\n", 421),
        (path, "Host: localhost:80:80\r\n", 421),
        (path, "Host: localhost:evil.example\r\n", 421),
        (path, "Host:\r\n", 421),
        // Loopback in disguise, which resolvers know and browsers ask for.
        (path, "Host: 127.1\r\n", 421),
        (path, "Host: 2130706433\r\n", 421),
        (path, "Host: localhost..\r\n", 421),
        (path, "Host: [::1\r\n", 421),
        (path, "Host: [::1].evil.example\r\n", 421),
        // Addresses, but none of this machine alone.
        (path, "Host: 0.0.0.0\r\n", 403),
        (path, "Host: 192.168.1.5\r\n", 403),
        (path, "Host: [::]\r\n", 403),
        // The request line counts, and says another one.
        (
            "http://evil.example/api/v1/streams",
            "Host: localhost\r\n",
            421,
        ),
        (
            "http://evil@localhost/api/v1/streams",
            "Host: localhost\r\n",
            421,
        ),
        ("//localhost/api/v1/streams", "Host: localhost\r\n", 404),
        // The page's origin is another one.
        (
            path,
            "Host: localhost\r\nOrigin: http://localhost:1\r\n",
            403,
        ),
        (
            path,
            "Host: localhost:1\r\nOrigin: http://localhost\r\n",
            403,
        ),
        (path, "Host: localhost\r\nOrigin: null\r\n", 403),
        (
            path,
            "Host: localhost\r\nOrigin: http://localhost.\r\n",
            403,
        ),
    ] {
        let said = adds(&relay, target, headers).await;
        let refused = said == expected || said == 400;
        assert!(refused, "{target} {headers:?}: {said}");
    }
    assert!(relay.names().await.is_empty());
    // In these ways it is the same as always.
    for (target, headers) in [
        (path, "Host: LOCALHOST.:99\r\n"),
        ("http://localhost/api/v1/streams", "Host: evil.example\r\n"),
        (path, "Host: [::ffff:127.0.0.1]\r\n"),
    ] {
        assert_eq!(
            adds(&relay, target, headers).await,
            201,
            "{target} {headers:?}"
        );
        assert_eq!(relay.ask("DELETE", "/streams/evil", "").await.status, 204);
    }
}

/// Who says to come from this machine, or to be somebody, is not believed.
#[tokio::test]
async fn proxies_headers_of_strangers_open_nothing() {
    let users = "[auth]\nremote_user = true\n[[users]]\nname = \"alice\"\nmay = [\"control\"]\n";
    let without_users = Controlled::start("");
    let with_users = Controlled::start(users);
    for header in [
        "X-Forwarded-For: 127.0.0.1",
        "X-Forwarded-For: ::1",
        "X-Forwarded-For:",
        "Forwarded: for=127.0.0.1;host=localhost",
        "X-Real-IP: 127.0.0.1",
        "X-Forwarded-Host: localhost",
        "X-Forwarded-Anything: 1",
        "Via: 1.1 localhost",
        "x-forwarded-for: 127.0.0.1\r\nX-FORWARDED-FOR: 127.0.0.1",
    ] {
        let headers = format!("Host: localhost\r\n{header}\r\n");
        let said = adds(&without_users, "/api/v1/streams", &headers).await;
        assert_eq!(said, 403, "{header}");
        let said = adds(&with_users, "/api/v1/streams", &headers).await;
        assert_eq!(said, 401, "{header}");
    }
    for header in [
        "Remote-User: alice",
        "REMOTE-USER: alice",
        "Remote_User: alice",
        "X-Remote-User: alice",
        "Remote-User: alice\r\nX-Forwarded-For: 127.0.0.1",
        "Connection: Remote-User\r\nRemote-User: alice",
    ] {
        let headers = format!("Host: localhost\r\n{header}\r\n");
        let said = adds(&with_users, "/api/v1/streams", &headers).await;
        assert_eq!(said, 401, "{header}");
    }
    assert!(without_users.names().await.is_empty());
}
