//! Many at once.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::{super::Controlled, Watching, door, steady};

/// Subscribes to the events, and returns the status and the connection.
async fn subscribe(relay: &Controlled) -> (u16, TcpStream) {
    let mut stream = TcpStream::connect(relay.addr()).await.unwrap();
    let raw = "GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n";
    stream.write_all(raw.as_bytes()).await.unwrap();
    let mut head = [0; 12];
    stream.read_exact(&mut head).await.unwrap();
    let status = String::from_utf8_lossy(&head[9..]).parse().unwrap();
    (status, stream)
}

#[tokio::test]
async fn three_hundred_who_want_events_cost_viewers_no_frame() {
    let camera = steady().await;
    let relay = Controlled::start(&door(&camera));
    let watching = Watching::start(&relay, "/door/").await;
    let all = join_all((0..300).map(|_| subscribe(&relay))).await;
    let of = |wanted| all.iter().filter(|(status, _)| *status == wanted).count();
    assert_eq!((of(200), of(503)), (100, 200));
    // Events for all of them, which most read never.
    for n in 0..30 {
        let added = relay.add(&format!("s{n}"), "test:?size=64x48&fps=1").await;
        assert_eq!(added.status, 201, "{added:?}");
    }
    drop(all);
    // Their places are free when it is noticed that they are gone.
    let is_free = async { while subscribe(&relay).await.0 != 200 {} };
    let is_free = timeout(Duration::from_secs(10), is_free).await;
    is_free.expect("in time");
    watching.frames().await;
}

#[tokio::test]
async fn many_changes_at_once_are_made_or_refused_and_cost_viewers_no_frame() {
    let camera = steady().await;
    let mut relay = Controlled::start(&door(&camera));
    let watching = Watching::start(&relay, "/door/").await;
    let source = "test:?size=64x48&fps=1";
    let names: Vec<String> = (0..100).map(|n| format!("s{n}")).collect();
    let added = join_all(names.iter().map(|name| relay.add(name, source))).await;
    let mut expected = Vec::new();
    for (name, added) in names.iter().zip(&added) {
        match (added.status, added.code()) {
            (201, _) => expected.push(name.clone()),
            (503, "busy") => {}
            _ => panic!("{name}: {added:?}"),
        }
    }
    assert!(
        (16..100).contains(&expected.len()),
        "{} of 100",
        expected.len()
    );
    // All of one stream: one after another, whole.
    let changes = (1..=40).map(|n| format!(r#"{{"max_fps":{n},"linger":"{n}s"}}"#));
    let changes: Vec<String> = changes.collect();
    let path = format!("/streams/{}", expected[0]);
    let changed = join_all(changes.iter().map(|body| relay.ask("PATCH", &path, body))).await;
    assert!(
        changed
            .iter()
            .all(|answer| matches!(answer.status, 200 | 503)),
        "{changed:?}"
    );
    let config =
        async |relay: &Controlled| relay.ask("GET", &path, "").await.json["config"].clone();
    let before = config(&relay).await;
    let fps = before["max_fps"].as_f64().expect("set");
    assert_eq!(before["linger"], format!("{fps}s"), "never half of two");
    watching.frames().await;

    expected.push("door".into());
    expected.sort();
    for restarts in [false, true] {
        if restarts {
            relay.restart();
        }
        let mut names = relay.names().await;
        names.sort();
        assert_eq!(names, expected, "{restarts}");
        assert_eq!(config(&relay).await, before, "{restarts}");
    }
}
