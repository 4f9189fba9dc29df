//! Webhooks: what is sent, to whom, how often, and what their receivers cannot do.

mod check;
mod docs;
mod reload;

use std::{
    collections::BTreeSet,
    process::{Command, Stdio},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use mjpeg_testkit::{Viewer, request};
use serde_json::Value;
use tokio::time::{sleep, timeout};

use crate::{
    control::{Controlled, INCLUDE, camera},
    process::run,
    receiver::{Reaction, Received, Receiver},
};

/// A stream without a camera, which is paused and resumed.
const STREAM: &str = "[[streams]]\nname = \"yard\"\nsource = \"test:?size=16x16&fps=5\"\n";

/// The metrics, and the API.
const METRICS: &str = "[[listen]]\naddress = \"127.0.0.1:0\"\n\
                       serve = [\"streams\", \"page\", \"control\", \"metrics\"]\n";

/// Starts a relay with metrics.
fn start(more: &str) -> Controlled {
    Controlled::of(&[INCLUDE, METRICS, more].concat())
}

fn webhook(receiver: &Receiver, keys: &str) -> String {
    let url = format!("http://{}/hook?key=s3cret-query", receiver.addr);
    format!("[[webhooks]]\nurl = \"{url}\"\nsecret = \"{SECRET}\"\n{keys}\n")
}

const SECRET: &str = "correct horse battery staple";

/// Pauses and resumes the stream, which are two events or more.
async fn disturb(relay: &Controlled) {
    for verb in ["pause", "resume"] {
        let path = format!("/streams/yard/{verb}");
        assert_eq!(relay.ask("POST", &path, "").await.status, 204);
    }
}

/// A figure of the first webhook, or of this one.
async fn figure(relay: &Controlled, name: &str, webhook: &str) -> Option<u64> {
    let addr = relay.addr();
    let asked = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let answer = request(addr, asked).await.unwrap();
    let text = String::from_utf8(answer.body.to_vec()).unwrap();
    let total = if name == "waiting" { "" } else { "_total" };
    let begin = format!("mjpeg_webhook_{name}{total}{{webhook=\"{webhook}\"}} ");
    let mut lines = text.lines();
    let value = lines.find_map(|line| line.strip_prefix(&begin));
    value.map(|value| value.parse().unwrap())
}

/// Waits until a figure has reached this.
async fn until(relay: &Controlled, name: &str, least: u64) {
    let waiting = async {
        while figure(relay, name, "webhook1").await < Some(least) {
            sleep(Duration::from_millis(20)).await;
        }
    };
    let waited = timeout(Duration::from_secs(30), waiting).await;
    waited.unwrap_or_else(|_| panic!("{name} never reached {least}"));
}

/// Checks a signature with another implementation.
fn check_signature(received: &Received) {
    let program = "import hmac, hashlib, sys\n\
                   body = sys.stdin.buffer.read()\n\
                   signed = sys.argv[2].encode() + b'.' + body\n\
                   key = sys.argv[1].encode()\n\
                   print('sha256=' + hmac.new(key, signed, hashlib.sha256).hexdigest())";
    let timestamp = received.header("x-timestamp").unwrap();
    let mut python = Command::new("python3")
        .args(["-c", program, SECRET, timestamp])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 runs");
    let mut stdin = python.stdin.take().unwrap();
    std::io::Write::write_all(&mut stdin, received.body.as_bytes()).unwrap();
    drop(stdin);
    let said = python.wait_with_output().unwrap().stdout;
    let said = String::from_utf8(said).unwrap();
    assert_eq!(received.header("x-signature"), Some(said.trim()));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let age = now.as_secs().abs_diff(timestamp.parse().unwrap());
    assert!(age < 60, "{timestamp}");
}

#[tokio::test]
async fn events_arrive_in_order_signed_and_again_after_a_failure() {
    let mut receiver = Receiver::start(|number, _| match number {
        0 => Reaction::Status(500),
        1 => Reaction::Close,
        _ => Reaction::Status(204),
    })
    .await;
    let text = [STREAM, &webhook(&receiver, "")].concat();
    let mut relay = start(&text);
    let mut taken = Vec::new();
    for attempt in 0.. {
        let received = receiver.next().await;
        check_signature(&received);
        assert!(
            received
                .head
                .starts_with("POST /hook?key=s3cret-query HTTP/1.1\r\n")
        );
        let kind = received.header("content-type");
        assert_eq!(kind, Some("application/json"));
        assert_eq!(
            received.header("x-event-id"),
            received.json()["id"].as_str()
        );
        assert_eq!(received.header("host"), Some(&*receiver.addr.to_string()));
        if attempt < 2 {
            assert_eq!(
                received.kind(),
                "started",
                "the first one until it is taken"
            );
            continue;
        }
        let kind = received.kind();
        taken.push(received.json());
        match &*kind {
            "online" if taken.len() < 4 => disturb(&relay).await,
            "online" => break,
            _ => {}
        }
    }
    until(&relay, "sent", taken.len() as u64).await;
    // In the order of the API, and the same.
    let listed = relay.ask("GET", "/streams/yard/events", "").await;
    assert_eq!(listed.json["events"], Value::from(taken.clone()));
    let kinds: BTreeSet<_> = taken
        .iter()
        .filter_map(|event| event["state"].as_str())
        .collect();
    assert!(kinds.contains("paused"), "{taken:?}");
    assert_eq!(figure(&relay, "retries", "webhook1").await, Some(2));
    assert_eq!(figure(&relay, "failed", "webhook1").await, Some(0));
    relay.server.end_by("TERM");
    let log = relay.server.stderr();
    let lines = |text: &str| log.lines().filter(|line| line.contains(text)).count();
    assert_eq!(
        lines("the webhook does not take events; retrying"),
        1,
        "{log}"
    );
    assert_eq!(
        lines("the webhook takes events again webhook=webhook1 failures=2"),
        1,
        "{log}"
    );
    for secret in ["s3cret", "battery"] {
        assert!(!log.contains(secret), "{secret}: {log}");
    }
}

#[tokio::test]
async fn redirects_and_refusals_are_not_followed_and_hold_up_the_next_event_for_a_moment() {
    let mut elsewhere = Receiver::always(Reaction::Status(204)).await;
    let to = format!("http://{}/stolen", elsewhere.addr);
    let mut receiver = Receiver::start(move |number, _| match number {
        0 | 1 => Reaction::Redirect(to.clone()),
        2 => Reaction::Status(404),
        _ => Reaction::Status(200),
    })
    .await;
    let text = [STREAM, &webhook(&receiver, "")].concat();
    let relay = start(&text);
    let mut ids = Vec::new();
    for _ in 0..4 {
        let received = receiver.next().await;
        ids.push(received.header("x-event-id").unwrap().to_owned());
    }
    assert_eq!(ids[0], ids[2], "three times");
    assert_ne!(ids[0], ids[3], "then the next one");
    until(&relay, "sent", 1).await;
    assert_eq!(figure(&relay, "failed", "webhook1").await, Some(1));
    assert!(elsewhere.come().is_none());
}

#[tokio::test]
async fn events_that_are_refused_do_not_slow_down_those_behind_them() {
    let mut receiver = Receiver::always(Reaction::Status(400)).await;
    let streams: String = (0..4)
        .map(|n| format!("[[streams]]\nname = \"s{n}\"\nsource = \"test:\"\n"))
        .collect();
    let _relay = start(&[&*streams, &webhook(&receiver, "")].concat());
    let mut ids = BTreeSet::new();
    // Three attempts each, half a second and a second apart.
    let received = timeout(Duration::from_secs(20), async {
        while ids.len() < 5 {
            ids.insert(
                receiver
                    .next()
                    .await
                    .header("x-event-id")
                    .unwrap()
                    .to_owned(),
            );
        }
    });
    received.await.expect("the fifth event has its turn");
}

#[tokio::test]
async fn answers_that_are_meant_to_hurt_are_cut_short() {
    let mut receiver = Receiver::start(|number, _| match number {
        0 => Reaction::Endless("HTTP/1.1 200 OK\r\nX-Long: "),
        1 => Reaction::Endless("nonsense"),
        2 => Reaction::Endless("HTTP/1.1 200 OK\r\n\r\n"),
        _ => Reaction::Status(200),
    })
    .await;
    let text = [STREAM, &webhook(&receiver, "")].concat();
    let relay = start(&text);
    let mut ids = Vec::new();
    for _ in 0..4 {
        let received = receiver.next().await;
        ids.push(received.header("x-event-id").unwrap().to_owned());
    }
    // A head that has no end is no answer; a body that has none is one.
    assert_eq!(ids[0], ids[2]);
    assert_ne!(ids[2], ids[3]);
    until(&relay, "sent", 2).await;
}

#[tokio::test]
async fn receiver_that_never_answers_delays_nobody_and_costs_the_oldest_events() {
    let mut silent = Receiver::always(Reaction::Hang).await;
    let mut other = Receiver::always(Reaction::Status(200)).await;
    let camera = camera().await;
    let stream = format!(
        "[[streams]]\nname = \"door\"\nsource = \"{}\"\n",
        camera.url()
    );
    let text = [
        STREAM,
        &stream,
        &webhook(&silent, "streams = [\"yard\"]"),
        &webhook(&other, "name = \"other\"\nstreams = [\"yard\"]"),
    ];
    let relay = start(&text.concat());
    let mut viewer = Viewer::open(relay.addr(), "/door/").await.unwrap();
    let first = silent.next().await;
    let mut events = 0;
    while figure(&relay, "dropped", "webhook1").await < Some(5) {
        disturb(&relay).await;
        viewer.next_frame().await.unwrap().expect("a frame");
        while other.come().is_some() {
            events += 1;
        }
    }
    assert!(events > 50, "the other one has them: {events}");
    assert_eq!(figure(&relay, "waiting", "webhook1").await, Some(100));
    assert_eq!(figure(&relay, "sent", "webhook1").await, Some(0));
    assert_eq!(figure(&relay, "dropped", "other").await, Some(0));
    // The first one is tried again, those after it are gone.
    assert_eq!(first.kind(), "started");
    assert_eq!(silent.next().await.body, first.body);
}

#[tokio::test]
async fn only_the_events_and_streams_that_are_wanted_are_sent() {
    let mut receiver = Receiver::always(Reaction::Status(200)).await;
    let keys = "events = [\"paused\", \"stopped\"]\nstreams = [\"yard\"]";
    let other = STREAM.replace("yard", "other");
    let text = [STREAM, &other, &webhook(&receiver, keys)].concat();
    let mut relay = Controlled::start(&text);
    for name in ["other", "yard"] {
        let path = format!("/streams/{name}/pause");
        assert_eq!(relay.ask("POST", &path, "").await.status, 204);
    }
    let received = receiver.next().await;
    assert_eq!(
        (&*received.kind(), &received.json()["stream"]),
        ("paused", &"yard".into())
    );
    // It stops while the webhook goes on.
    let text = text.replace(STREAM, "");
    relay.reload(&[super::control::INCLUDE, super::control::GATEWAY, &text].concat());
    assert_eq!(receiver.next().await.kind(), "stopped");
    assert!(receiver.come().is_none());
}

/// The certificate of another relay is one that this machine trusts, or not.
#[tokio::test]
async fn certificate_of_a_receiver_is_verified() {
    use crate::{
        cert::{Directory, make},
        process::{Server, command},
    };

    let certificates = Directory::new("webhook");
    make(&certificates, &[]);
    let path = certificates.path().display();
    let tls = format!(
        "[[listen]]\naddress = \"127.0.0.1:0\"\nserve = [\"page\"]\n\
         tls = {{ certificate = \"{path}/cert.pem\", key = \"{path}/key.pem\" }}\n{STREAM}"
    );
    let folder = crate::folder::Folder::new();
    let receiver = Server::start(&["run", "-c", &folder.write("tls.toml", tls)], 1);
    let port = receiver.addr(0).port();
    let text = format!(
        "{STREAM}[[webhooks]]\nurl = \"https://localhost:{port}/\"\nsecret = \"{SECRET}\"\n"
    );
    let file = folder.write(
        "mjpeg.toml",
        format!("[[listen]]\naddress = \"127.0.0.1:0\"\n{text}"),
    );
    for (trusted, said) in [
        ("cert.pem", "error=the answer is 405"),
        ("none.pem", "certificate"),
    ] {
        let mut command = command(&["run", "-c", &file]);
        command
            .env("SSL_CERT_FILE", certificates.join(trusted))
            .env("SSL_CERT_DIR", folder.path());
        let mut relay = Server::of(command, 1);
        let lines = relay.stderr_until("the webhook does not take events");
        let line = lines.last().unwrap();
        assert!(line.contains(said), "{line}");
        let is_connected = line.contains("cannot connect");
        assert_eq!(is_connected, trusted == "none.pem", "{line}");
    }
}

/// What `check` says of a file with these lines.
fn checked(lines: &str) -> (Option<i32>, String) {
    let folder = crate::folder::Folder::new();
    let file = folder.write("mjpeg.toml", format!("{STREAM}{lines}"));
    let (code, out, err) = run(&["check", &file]);
    (code, out + &err)
}
