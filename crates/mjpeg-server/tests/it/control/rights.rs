//! Who may see and control what.

use std::{io::Write, process::Stdio, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use mjpeg_testkit::{Camera, Response, Viewer, request};
use tokio::time::timeout;

use super::{Controlled, GATEWAY, INCLUDE, camera};
use crate::process::{command, run};

/// The hashes of two tokens; made by hand: `printf TOKEN | sha256sum`.
fn user(name: &str, token: &str, keys: &str) -> String {
    use sha2::{Digest, Sha256};

    let digest = Sha256::digest(token.as_bytes());
    let hash: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("[[users]]\nname = \"{name}\"\ntoken_hash = \"sha256:{hash}\"\n{keys}\n")
}

fn stream(name: &str, camera: &Camera, keys: &str) -> String {
    format!(
        "[[streams]]\nname = \"{name}\"\nsource = \"{}\"\n{keys}\n",
        camera.url()
    )
}

async fn get(relay: &Controlled, path: &str, token: &str) -> Response {
    let login = match token {
        "" => String::new(),
        token => format!("Authorization: Bearer {token}\r\n"),
    };
    let asked =
        format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{login}Connection: close\r\n\r\n");
    request(relay.addr(), asked).await.expect("an answer")
}

async fn ends(mut viewer: Viewer) -> bool {
    let ending = async { while let Ok(Some(_)) = viewer.next_frame().await {} };
    timeout(Duration::from_secs(1), ending).await.is_ok()
}

#[tokio::test]
async fn stream_that_is_not_for_everybody_is_nowhere_for_the_others() {
    let camera = camera().await;
    let relay = Controlled::start(
        &[
            stream("open", &camera, ""),
            stream(
                "hidden-one",
                &camera,
                "view = [\"alice\"]\naliases = [\"other-name\"]",
            ),
            user("alice", "token-of-alice", "may = []"),
            user("bob", "token-of-bob", "may = []"),
            // Without one who may control, whoever is on this machine may.
            user("root", "root", "may = [\"control\"]"),
        ]
        .concat(),
    );
    let unknown = get(&relay, "/nothing/", "").await;
    for path in [
        "/hidden-one/",
        "/hidden-one",
        "/hidden-one/stream",
        "/hidden-one/snapshot",
        "/hidden-one/state",
        "/hidden-one/view",
        "/hidden-one/nothing",
        "/hidden-one/?action=stream",
        "/other-name/",
        "/other-name",
        "/other-name/snapshot",
        "/?action=stream_1",
        "/api/stream.mjpeg?src=hidden-one",
        "/api/frame.jpeg?src=hidden-one",
    ] {
        for token in ["", "token-of-bob"] {
            let refused = get(&relay, path, token).await;
            assert_eq!(refused.head.status, unknown.head.status, "{path} {token}");
            let same = refused.body == unknown.body;
            assert!(same, "{path} {token}: {}", refused.body.escape_ascii());
        }
    }
    for path in ["/", "/api/v1/streams", "/metrics"] {
        let body = get(&relay, path, "").await.body;
        let text = String::from_utf8_lossy(&body).into_owned();
        assert!(
            !text.contains("hidden-one") && !text.contains("other-name"),
            "{path}: {text}"
        );
    }
    let health = get(&relay, "/api/v1/streams/hidden-one/health", "").await;
    assert_eq!(health.head.status, 404);
    for path in ["/hidden-one/snapshot", "/other-name/snapshot"] {
        assert_eq!(
            get(&relay, path, "token-of-alice").await.head.status,
            200,
            "{path}"
        );
    }
    let page = get(&relay, "/", "token-of-alice").await;
    assert!(String::from_utf8_lossy(&page.body).contains("hidden-one"));
}

#[tokio::test]
async fn viewers_who_lose_the_right_end_within_a_second_and_no_others() {
    let camera = camera().await;
    let text = |users: &str| {
        let closed = stream("closed", &camera, "view = [\"alice\", \"bob\"]");
        [
            INCLUDE,
            GATEWAY,
            &stream("open", &camera, ""),
            &closed,
            users,
        ]
        .concat()
    };
    let (alice, bob) = (user("alice", "a", "may = []"), user("bob", "b", "may = []"));
    let mut relay = Controlled::of(&text(&[&*alice, &*bob].concat()));
    let watch = async |path: &str, token: &str| {
        let login = format!("Bearer {token}");
        let headers = [("Authorization", &*login)];
        let viewer = Viewer::open_with(relay.addr(), path, &headers)
            .await
            .unwrap();
        assert_eq!(viewer.head().status, 200, "{path} {token}");
        viewer
    };
    let of_alice = watch("/closed/", "a").await;
    let mut of_bob = watch("/closed/", "b").await;
    let mut stranger = Viewer::open(relay.addr(), "/open/").await.unwrap();
    // Alice has another token now.
    let alice = user("alice", "another", "may = []");
    let log = relay.reload(&text(&[&*alice, &*bob].concat()));
    assert!(
        log.iter()
            .any(|line| line.contains("~ user alice: token_hash")),
        "{log:#?}"
    );
    assert!(ends(of_alice).await);
    for viewer in [&mut of_bob, &mut stranger] {
        for _ in 0..3 {
            viewer.next_frame().await.unwrap().expect("goes on");
        }
    }
}

#[tokio::test]
async fn new_stream_is_closed_from_its_first_moment() {
    let camera = camera().await;
    let users = user("alice", "a", "may = []");
    let relay = Controlled::of(&[INCLUDE, GATEWAY, &users].concat());
    let closed = stream("closed", &camera, "view = [\"alice\"]");
    relay
        .folder
        .write("mjpeg.toml", [INCLUDE, GATEWAY, &users, &closed].concat());
    relay.server.signal("HUP");
    loop {
        assert_eq!(get(&relay, "/closed/snapshot", "").await.head.status, 404);
        if get(&relay, "/closed/snapshot", "a").await.head.status == 200 {
            break;
        }
    }
}

#[tokio::test]
async fn control_of_some_streams_adds_and_removes_none() {
    let camera = camera().await;
    let relay = Controlled::start(
        &[
            stream("door", &camera, ""),
            stream("yard", &camera, ""),
            user("ann", "ann", "may = [\"control\"]\nstreams = [\"door\"]"),
            user("root", "root", "may = [\"control\"]"),
        ]
        .concat(),
    );
    for (user, method, path, status) in [
        ("", "POST", "/streams/door/pause", 401),
        ("ann", "POST", "/streams/door/pause", 204),
        ("ann", "POST", "/streams/door/resume", 204),
        ("ann", "GET", "/streams/door/viewers", 200),
        ("ann", "POST", "/streams/yard/pause", 403),
        ("ann", "DELETE", "/streams/door", 403),
        ("ann", "PATCH", "/streams/door", 403),
        ("ann", "POST", "/streams", 403),
        ("ann", "POST", "/reload", 403),
        ("ann", "GET", "/config", 403),
        ("ann", "GET", "/links", 403),
        ("root", "POST", "/streams/yard/pause", 204),
        ("root", "POST", "/reload", 200),
    ] {
        let login = match user {
            "" => String::new(),
            user => format!("Authorization: Bearer {user}\r\n"),
        };
        let answer = relay.ask_with(method, path, &login, "{}").await;
        // Whether there is something to answer with is of no matter.
        let as_wanted = match status {
            200..300 => (200..300).contains(&answer.status),
            refused => answer.status == refused,
        };
        assert!(as_wanted, "{user} {method} {path}: {answer:?}");
    }
}

/// What a newcomer does by the docs alone.
#[tokio::test]
async fn user_with_a_hashed_password_or_token_is_let_in() {
    let camera = camera().await;
    let mut hashing = command(&["hash-password"]);
    hashing.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut hashing = hashing.spawn().unwrap();
    let mut stdin = hashing.stdin.take().unwrap();
    stdin.write_all(b"correct horse\nnot this\n").unwrap();
    drop(stdin);
    let printed = hashing.wait_with_output().unwrap().stdout;
    let password = String::from_utf8(printed).unwrap();
    assert!(
        password.starts_with("password_hash = \"$argon2id$"),
        "{password}"
    );
    let (_, printed, _) = run(&["hash-password", "--token"]);
    let (token, token_hash) = printed.split_once('\n').unwrap();
    let token = token.strip_prefix("token: ").unwrap();
    let text = format!(
        "[auth]\nanonymous = []\n[[users]]\nname = \"alice\"\n{password}\
         [[users]]\nname = \"frigate\"\n{token_hash}\n{}",
        stream("door", &camera, "")
    );
    let relay = Controlled::start(&text);
    let basic = |login: &str| format!("Basic {}", BASE64_STANDARD.encode(login));
    for (login, status) in [
        (basic("alice:correct horse"), 200),
        (basic("alice:not this"), 401),
        (basic("alice:"), 401),
        (format!("Bearer {token}"), 200),
        (format!("Bearer {token}x"), 401),
    ] {
        let asked = format!(
            "GET /door/snapshot HTTP/1.1\r\nHost: localhost\r\nAuthorization: {login}\r\n\
             Connection: close\r\n\r\n"
        );
        let answer = request(relay.addr(), asked).await.unwrap();
        assert_eq!(answer.head.status, status, "{login}");
    }
}

#[tokio::test]
async fn strangers_end_when_nothing_is_open_to_them_any_more() {
    let camera = camera().await;
    let text = |auth: &str| {
        let users = user("alice", "a", "");
        let gateway = GATEWAY.replace(", \"control\"", "");
        [
            INCLUDE,
            &gateway,
            auth,
            &users,
            &stream("open", &camera, ""),
        ]
        .concat()
    };
    let mut relay = Controlled::of(&text(""));
    let stranger = Viewer::open(relay.addr(), "/open/").await.unwrap();
    let headers = [("Authorization", "Bearer a")];
    let alice = Viewer::open_with(relay.addr(), "/open/", &headers);
    let mut alice = alice.await.unwrap();
    relay.reload(&text("[auth]\nanonymous = []\n"));
    assert!(ends(stranger).await);
    alice.next_frame().await.unwrap().expect("goes on");
    for path in ["/open/", "/nothing/"] {
        assert_eq!(get(&relay, path, "").await.head.status, 401, "{path}");
    }
    assert!(relay.names().await.is_empty());
}

#[tokio::test]
async fn remote_user_counts_only_from_a_trusted_proxy() {
    let camera = camera().await;
    let text = |remote_user: bool, proxies: &str| {
        let users = user("alice", "a", "");
        let closed = stream("closed", &camera, "view = [\"alice\"]");
        let auth = format!("[auth]\nremote_user = {remote_user}\n");
        let gateway = format!("{GATEWAY}trusted_proxies = {proxies}\n");
        let gateway = gateway.replace(", \"control\"", "");
        [INCLUDE, &*gateway, &auth, &users, &closed].concat()
    };
    let mut relay = Controlled::of(&text(true, "[\"127.0.0.1\"]"));
    let asks = "GET /closed/snapshot HTTP/1.1\r\nHost: localhost\r\nRemote-User: alice\r\n\
                Connection: close\r\n\r\n";
    for (remote_user, proxies, status) in [
        (true, "[\"127.0.0.1\"]", 200),
        (false, "[\"127.0.0.1\"]", 404),
        (true, "[]", 404),
        (true, "[\"10.0.0.0/8\"]", 404),
    ] {
        relay.reload(&text(remote_user, proxies));
        let answer = request(relay.addr(), asks).await.unwrap();
        assert_eq!(answer.head.status, status, "{remote_user} {proxies}");
    }
}
