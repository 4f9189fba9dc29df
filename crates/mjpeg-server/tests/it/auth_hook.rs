//! A URL that is asked who may view a stream.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_STANDARD};
use mjpeg_testkit::{Viewer, request};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::{
    control::{Controlled, GATEWAY, INCLUDE, camera},
    receiver::{Reaction, Received, Receiver},
};

/// Nothing for strangers; `alice` may view `yard` only.
const USERS: &str = "[[users]]\nname = \"alice\"\n\
                     token_hash = \"sha256:2bd806c97f0e00af1a1fc3328fa763a9269723c8db8fac4f93af71db186d6e90\"\n\
                     streams = [\"yard\"]\n\
                     [[users]]\nname = \"root\"\nmay = [\"control\"]\n\
                     certificate = \"0000000000000000000000000000000000000000000000000000000000000000\"\n";

const ALICE: &str = "Authorization: Bearer alice\r\n";

fn config(door: &str, hook: &str) -> String {
    format!(
        "[auth]\nanonymous = []\nhook = \"{hook}\"\n{USERS}\
         [[streams]]\nname = \"door\"\nsource = \"{door}\"\n\
         [[streams]]\nname = \"yard\"\nsource = \"test:?size=16x16&fps=5\"\n"
    )
}

fn url(receiver: &Receiver) -> String {
    format!("http://me:s3cret@{}/ask?key=s3cret", receiver.addr)
}

fn basic(name: &str, password: &str) -> String {
    let login = BASE64_STANDARD.encode(format!("{name}:{password}"));
    format!("Authorization: Basic {login}\r\n")
}

/// Asks for a snapshot.
async fn status(relay: &Controlled, stream: &str, headers: &str) -> u16 {
    let asked = format!(
        "GET /{stream}/snapshot HTTP/1.1\r\nHost: localhost\r\n{headers}Connection: close\r\n\r\n"
    );
    let answer = timeout(Duration::from_secs(30), request(relay.addr(), asked)).await;
    answer.expect("in time").expect("an answer").head.status
}

fn is_bob(request: &Received) -> bool {
    request.json()["user"] == "bob"
}

#[tokio::test]
async fn hook_is_asked_as_the_page_says_and_its_status_decides() {
    let mut hook = Receiver::start(|_, request| match is_bob(request) {
        true => Reaction::Status(200),
        false => Reaction::Status(403),
    })
    .await;
    let camera = camera().await;
    let mut relay = Controlled::start(&config(&camera.url(), &url(&hook)));
    let question = |user: Value, token: Value| {
        json!({
            "user": user, "token": token, "address": "127.0.0.1", "stream": "door",
            "action": "view",
        })
    };
    for (headers, expected, asked) in [
        (
            basic("bob", "of:bob"),
            200,
            question("bob".into(), "of:bob".into()),
        ),
        (basic("eve", "x"), 401, question("eve".into(), "x".into())),
        (
            "Authorization: Bearer abc\r\n".into(),
            401,
            question(Value::Null, "abc".into()),
        ),
        (String::new(), 401, question(Value::Null, Value::Null)),
        (ALICE.into(), 404, question("alice".into(), Value::Null)),
    ] {
        // The second time it is known.
        for _ in 0..2 {
            assert_eq!(
                status(&relay, "door", &headers).await,
                expected,
                "{headers}"
            );
        }
        let received = hook.next().await;
        assert_eq!(received.json(), asked);
        assert!(
            received
                .head
                .starts_with("POST /ask?key=s3cret HTTP/1.1\r\n")
        );
        let login = received.header("authorization");
        assert_eq!(login, Some("Basic bWU6czNjcmV0"), "the URL's own");
        assert!(hook.come().is_none(), "{headers}");
    }
    // What the file allows is not its matter, and control is not either.
    assert_eq!(status(&relay, "yard", ALICE).await, 200);
    let bob = basic("bob", "of:bob");
    let answer = relay.ask_with("GET", "/config", &bob, "").await;
    assert_eq!(answer.status, 401);
    assert!(hook.come().is_none());
    // The page shows him what the hook opens.
    let listed = relay.ask_with("GET", "/streams", &bob, "").await;
    let names: Vec<_> = listed.json["streams"].as_array().unwrap().iter().collect();
    assert_eq!(names.len(), 2, "{names:?}");
    relay.server.end_by("TERM");
    let log = relay.server.stderr();
    for secret in ["s3cret", "of:bob", "abc"] {
        assert!(!log.contains(secret), "{log}");
    }
}

#[tokio::test]
async fn failure_of_the_hook_denies_and_is_two_lines_of_the_log() {
    let mut elsewhere = Receiver::always(Reaction::Status(200)).await;
    let to = format!("http://{}/", elsewhere.addr);
    let mut hook = Receiver::start(move |number, _| match number {
        0 => Reaction::Status(500),
        1 => Reaction::Redirect(to.clone()),
        2 => Reaction::Close,
        3 => Reaction::Hang,
        4 => Reaction::Endless("HTTP/1.1 200 OK\r\nX: "),
        _ => Reaction::Status(200),
    })
    .await;
    let camera = camera().await;
    let mut relay = Controlled::start(&config(&camera.url(), &url(&hook)));
    for number in 0..6 {
        let expected = if number < 5 { 401 } else { 200 };
        assert_eq!(
            status(&relay, "door", &basic("bob", "x")).await,
            expected,
            "{number}"
        );
        hook.next().await;
    }
    assert!(elsewhere.come().is_none());
    relay.server.end_by("TERM");
    let log = relay.server.stderr();
    let lines = |text: &str| log.lines().filter(|line| line.contains(text)).count();
    assert_eq!(lines("the auth hook does not answer"), 1, "{log}");
    assert_eq!(lines("error=the answer is 500"), 1, "{log}");
    assert_eq!(lines("the auth hook answers again failures=5"), 1, "{log}");
}

/// The hooks have a thread of their own, because the test waits for reloads.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn viewers_of_the_hook_are_asked_about_after_a_reload() {
    let allows = Receiver::always(Reaction::Status(204)).await;
    let fails = Receiver::always(Reaction::Status(500)).await;
    let denies = Receiver::always(Reaction::Status(403)).await;
    let camera = camera().await;
    let with = |hook: &Receiver| {
        let config = config(&camera.url(), &url(hook));
        [INCLUDE, GATEWAY, &config].concat()
    };
    let mut relay = Controlled::start(&config(&camera.url(), &url(&allows)));
    let bob = basic("bob", "x");
    let bob = bob["Authorization: ".len()..].trim();
    let watch = async || {
        let headers = [("Authorization", bob)];
        Viewer::open_with(relay.server.addr(0), "/door/", &headers)
            .await
            .unwrap()
    };
    let mut viewer = watch().await;
    assert_eq!(viewer.head().status, 200);
    let log = relay.reload(&with(&fails));
    assert!(
        log.iter().any(|line| line.contains("~ auth: hook")),
        "{log:?}"
    );
    // More than were on their way before the reload.
    for _ in 0..100 {
        viewer
            .next_frame()
            .await
            .unwrap()
            .expect("an outage ends nobody");
    }
    assert_eq!(status(&relay, "door", &basic("bob", "x")).await, 401);
    relay.reload(&with(&denies));
    let ending = async { while let Ok(Some(_)) = viewer.next_frame().await {} };
    timeout(Duration::from_secs(30), ending)
        .await
        .expect("it ends");
    relay.reload(&with(&allows));
    assert_eq!(status(&relay, "door", &basic("bob", "x")).await, 200);
    // Without a hook, nobody but the file decides.
    let without = with(&allows).replace("hook = ", "# ");
    relay.reload(&without);
    assert_eq!(status(&relay, "door", &basic("bob", "x")).await, 401);
}

#[tokio::test]
async fn metrics_count_the_answers_of_the_hook() {
    let hook = Receiver::start(|_, request| match is_bob(request) {
        true => Reaction::Status(200),
        false => Reaction::Status(403),
    })
    .await;
    let camera = camera().await;
    let gateway = GATEWAY.replace("\"control\"", "\"metrics\"");
    let relay = Controlled::of(&[&*gateway, &config(&camera.url(), &url(&hook))].concat());
    for (name, expected) in [("bob", 200), ("eve", 401), ("mallory", 401)] {
        assert_eq!(status(&relay, "door", &basic(name, "x")).await, expected);
    }
    let asked = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let answer = request(relay.addr(), asked).await.unwrap();
    let text = String::from_utf8(answer.body.to_vec()).unwrap();
    for (answer, count) in [("allowed", 1), ("denied", 2), ("failed", 0), ("refused", 0)] {
        let line = format!("mjpeg_auth_hook_answers_total{{answer=\"{answer}\"}} {count}\n");
        assert!(text.contains(&line), "{line}{text}");
    }
}
