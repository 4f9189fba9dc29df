//! What those find out and reach who are not meant to.

use std::time::Duration;

use mjpeg_testkit::{Response, request};
use tokio::time::timeout;

use super::{
    super::{Controlled, INCLUDE, camera},
    door,
};

fn users() -> String {
    use sha2::{Digest, Sha256};

    let user = |name: &str, may: &str| {
        let hash: String = Sha256::digest(name)
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        format!("[[users]]\nname = \"{name}\"\ntoken_hash = \"sha256:{hash}\"\nmay = {may}\n")
    };
    user("alice", "[\"view\"]") + &user("root", "[\"control\"]")
}

async fn ask(addr: std::net::SocketAddr, asked: &str, token: &str) -> Response {
    let login = match token {
        "" => String::new(),
        token => format!("Authorization: Bearer {token}\r\n"),
    };
    let raw = format!(
        "{asked} HTTP/1.1\r\nHost: localhost\r\n{login}Content-Type: application/json\r\n\
         Content-Length: 0\r\nConnection: close\r\n\r\n"
    );
    let answer = timeout(Duration::from_secs(10), request(addr, raw)).await;
    answer.expect("no stream").unwrap()
}

/// An answer but for what every answer says anew.
fn told(answer: &Response) -> (u16, Vec<(String, String)>, String) {
    let headers = answer.head.headers.iter();
    let headers = headers.filter(|(name, _)| !name.eq_ignore_ascii_case("date"));
    let body = String::from_utf8_lossy(&answer.body).into_owned();
    (answer.head.status, headers.cloned().collect(), body)
}

#[tokio::test]
async fn hidden_stream_answers_like_none_in_every_header_and_byte() {
    let camera = camera().await;
    let hidden = [
        &*door(&camera).replace("door", "hidden"),
        "view = [\"alice\"]\n",
    ]
    .concat();
    let open = door(&camera);
    let relay = Controlled::start(&[&*open, &hidden, &users()].concat());
    for (method, paths) in [
        (
            "GET",
            &[
                "/NAME",
                "/NAME/",
                "/NAME/stream",
                "/NAME/snapshot",
                "/NAME/state",
            ][..],
        ),
        (
            "GET",
            &[
                "/NAME/view",
                "/NAME/x",
                "/NAME/?action=stream",
                "/NAME/?action=command",
            ],
        ),
        (
            "GET",
            &[
                "/api/stream.mjpeg?src=NAME",
                "/api/frame.jpeg?src=NAME",
                "//api//stream.mjpeg/?src=NAME",
                "/api/stream.mjpeg/x?src=NAME",
                "/%61pi/stream.mjpeg?src=NAME",
            ],
        ),
        (
            "GET",
            &["/api/v1/streams/NAME", "/api/v1/streams/NAME/health"],
        ),
        (
            "GET",
            &[
                "/api/v1/streams/NAME/viewers",
                "/api/v1/streams/NAME/events",
            ],
        ),
        (
            "HEAD",
            &[
                "/NAME/",
                "/NAME/stream",
                "/NAME/snapshot",
                "/api/v1/streams/NAME/health",
            ],
        ),
        (
            "POST",
            &[
                "/NAME/",
                "/NAME/stream",
                "/NAME/snapshot",
                "/api/v1/streams/NAME/pause",
            ],
        ),
        (
            "DELETE",
            &["/NAME/", "/api/v1/streams/NAME", "/api/v1/viewers/NAME:1"],
        ),
        ("PATCH", &["/api/v1/streams/NAME"]),
        (
            "OPTIONS",
            &["/NAME/", "/NAME/stream", "/api/v1/streams/NAME"],
        ),
    ] {
        for path in paths {
            for token in ["", "wrong"] {
                let of = |name: &str| format!("{method} {}", path.replace("NAME", name));
                let hidden = ask(relay.addr(), &of("hidden"), token).await;
                let nothing = ask(relay.addr(), &of("absent"), token).await;
                assert_eq!(told(&hidden), told(&nothing), "{method} {path} {token}");
                assert!(
                    hidden.head.status >= 400 || method == "OPTIONS",
                    "{method} {path}"
                );
            }
        }
    }
    let seen = ask(relay.addr(), "GET /hidden/snapshot", "alice").await;
    assert_eq!(seen.head.status, 200);
}

#[tokio::test]
async fn port_of_a_stream_obeys_the_same_users() {
    let camera = camera().await;
    let own = |name: &str, keys: &str| {
        let stream = door(&camera).replace("door", name);
        format!("{stream}listen = \"127.0.0.1:0\"\n{keys}")
    };
    let text = |anonymous: &str, keys: &str| {
        let auth = format!("[auth]\nanonymous = {anonymous}\nremote_user = true\n");
        let listen = "[[listen]]\naddress = \"127.0.0.1:0\"\n";
        [INCLUDE, listen, &auth, &own("hidden", keys), &users()].concat()
    };
    let view = "view = [\"alice\"]\n";
    let mut relay = Controlled::of_several(&text("[\"view\"]", view), 2);
    let port = relay.server.addr(1);
    let paths = [
        "/",
        "/stream",
        "/snapshot",
        "/state",
        "/?action=stream",
        "/?action=snapshot",
    ];
    for (anonymous, status) in [("[\"view\"]", 404), ("[]", 401)] {
        relay.reload(&text(anonymous, view).replace("alice\"]\n", "alice\"]\nlinger = \"9s\"\n"));
        for path in paths {
            for headers in ["", "root"] {
                let refused = ask(port, &format!("GET {path}"), headers).await.head.status;
                // Whoever is known gets no second chance to log in.
                let expected = if headers.is_empty() { status } else { 404 };
                assert_eq!(refused, expected, "{path} {headers} {anonymous}");
            }
        }
        let spoofed = "GET /snapshot HTTP/1.1\r\nHost: x\r\nRemote-User: alice\r\n\
                       X-Forwarded-For: 127.0.0.1\r\nConnection: close\r\n\r\n";
        assert_eq!(request(port, spoofed).await.unwrap().head.status, status);
        assert_eq!(ask(port, "GET /snapshot", "alice").await.head.status, 200);
    }
    // It has no API at all.
    for path in [
        "/api/v1/streams",
        "/api/v1/config",
        "/metrics",
        "/hidden/snapshot",
    ] {
        let answer = ask(port, &format!("GET {path}"), "alice").await;
        assert_eq!(answer.head.status, 404, "{path}");
    }
    let posted = ask(port, "POST /api/v1/streams", "root").await;
    assert!(matches!(posted.head.status, 404 | 405), "{posted:?}");
}
