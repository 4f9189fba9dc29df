//! The log of changes.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex, OnceLock},
};

use tracing_subscriber::fmt::MakeWriter;

use crate::support::{GUARD, GUEST, JSON, ROOT, Relay, until};

/// What was logged by all tests of this binary.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn get() -> &'static Self {
        static LOG: OnceLock<Log> = OnceLock::new();
        LOG.get_or_init(|| {
            let log = Self::default();
            tracing_subscriber::fmt()
                .with_writer(log.clone())
                .with_ansi(false)
                .init();
            log
        })
    }

    /// The lines about changes that hold this word.
    fn lines(&self, word: &str) -> Vec<String> {
        let bytes = self.0.lock().unwrap();
        let text = String::from_utf8_lossy(&bytes);
        let lines = text
            .lines()
            .filter(|line| line.contains("mjpeg_control::audit"));
        let lines = lines.filter(|line| line.contains(word));
        lines
            .map(|line| line.split_once("change by the API ").unwrap().1.to_owned())
            .collect()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn every_change_is_logged_in_one_line_and_never_its_body() {
    let log = Log::get();
    let relay = Relay::start().await;
    let body =
        r#"{"name":"audited","source":"tcp://127.0.0.1:9","start":"retry","note":"hunter2"}"#;
    relay.root("POST", "/streams", body).await;
    relay.root("POST", "/streams", body).await;
    // These change nothing.
    for body in [body, r#"{"name":"audited"}"#, "{"] {
        relay.root("POST", "/streams?dry_run=true", body).await;
    }
    let path = "/streams/audited";
    relay
        .root(
            "PATCH",
            &format!("{path}?persist=x&hunter2"),
            r#"{"note":"hunter2"}"#,
        )
        .await;
    relay.root("POST", &format!("{path}/pause"), "").await;
    relay.root("DELETE", "/viewers/audited:9", "").await;
    relay.root("DELETE", path, "").await;
    relay.send("GET", path, &[ROOT], "").await;
    let expected = [
        ("create", "ok"),
        ("create", "already_exists"),
        ("change", "invalid_spec"),
        ("pause", "ok"),
        ("disconnect", "not_found"),
        ("remove", "ok"),
    ];
    until("all lines", async || {
        log.lines("audited").len() >= expected.len()
    })
    .await;
    let lines = log.lines("audited");
    assert_eq!(lines.len(), expected.len(), "{lines:#?}");
    for (line, (verb, outcome)) in lines.iter().zip(expected) {
        let start = r#"user="root" peer="127.0.0.1:"#;
        assert!(line.starts_with(start), "{line}");
        let end = format!(r#" verb="{verb}" stream="audited" outcome="{outcome}""#);
        assert!(line.ends_with(&end), "{line} is not {end}");
    }
    assert!(!String::from_utf8_lossy(&log.0.lock().unwrap()).contains("hunter2"));
}

#[tokio::test]
async fn refused_changes_are_logged_too_and_who_asked() {
    let log = Log::get();
    let relay = Relay::start().await;
    relay.root("POST", "/streams", &named("refused")).await;
    let path = "/streams/refused";
    let pause = "/streams/refused/pause";
    let text = ("Content-Type", "text/plain");
    let foreign = ("Origin", "http://evil.example");
    let forged = ("Authorization", "Bearer forged");
    for (method, path, headers, status) in [
        ("DELETE", path, &[][..], 401),
        ("PATCH", path, &[JSON, forged][..], 401),
        ("PATCH", path, &[JSON, GUEST], 403),
        ("POST", pause, &[JSON, GUARD], 403),
        ("PUT", path, &[ROOT, text], 415),
        ("POST", pause, &[ROOT, JSON, foreign], 403),
        ("POST", pause, &[ROOT, JSON, ("Host", "evil.example")], 421),
        ("DELETE", path, &[ROOT, ("If-Match", "\"v9\"")], 412),
        ("DELETE", "/viewers/refused:1", &[GUARD], 403),
        // These change nothing, or there are none.
        ("GET", path, &[GUEST], 403),
        ("OPTIONS", path, &[foreign], 405),
        ("POST", "/streams/refused/nothing", &[JSON], 404),
    ] {
        let answer = relay.send(method, path, headers, "").await;
        assert_eq!(answer.status(), status, "{method} {path} {headers:?}");
    }
    let expected = [
        ("root", "create", "ok"),
        ("-", "remove", "unauthorized"),
        ("-", "change", "unauthorized"),
        ("guest", "change", "forbidden"),
        ("guard", "pause", "forbidden"),
        ("-", "replace", "unsupported_media_type"),
        ("-", "pause", "forbidden"),
        ("-", "pause", "misdirected_request"),
        ("root", "remove", "precondition_failed"),
        ("guard", "disconnect", "forbidden"),
    ];
    let lines = log.lines("stream=\"refused\"");
    assert_eq!(lines.len(), expected.len(), "{lines:#?}");
    for (line, (user, verb, outcome)) in lines.iter().zip(expected) {
        let start = format!(r#"user="{user}" peer="127.0.0.1:"#);
        let end = format!(r#" verb="{verb}" stream="refused" outcome="{outcome}""#);
        assert!(line.starts_with(&start) && line.ends_with(&end), "{line}");
    }
}

#[tokio::test]
async fn flood_of_refused_changes_does_not_flood_the_log() {
    let log = Log::get();
    let relay = Relay::start().await;
    relay.root("POST", "/streams", &named("flooded")).await;
    let path = "/streams/flooded";
    for _ in 0..50 {
        let refused = relay.send("DELETE", path, &[], "").await;
        assert_eq!(refused.status(), 401);
    }
    // Whoever may change something is logged all the same.
    for _ in 0..20 {
        let refused = relay.root("PATCH", path, r#"{"name": "other"}"#).await;
        assert_eq!(refused.status(), 422);
    }
    let lines = |user: &str| {
        let lines = log.lines("flooded").into_iter();
        let start = format!("user=\"{user}\"");
        lines.filter(|line| line.starts_with(&start)).count()
    };
    assert_eq!((lines("-"), lines("root")), (10, 21));
}

fn named(name: &str) -> String {
    format!(r#"{{"name":"{name}","source":"tcp://127.0.0.1:9","start":"retry"}}"#)
}

#[tokio::test]
async fn texts_of_clients_are_not_logged() {
    let log = Log::get();
    let relay = Relay::start().await;
    relay
        .root("POST", "/streams/%1b%5b2Jfaked%0aline/pause", "")
        .await;
    until("a line", async || {
        !log.lines("verb=\"pause\" stream=\"-\"").is_empty()
    })
    .await;
    assert!(log.lines("faked").is_empty());
}
