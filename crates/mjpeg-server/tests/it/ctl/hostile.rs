//! Relays that are none, or none that anybody should trust.

use bytes::Bytes;
use mjpeg_testkit::{FakeHttpCamera, Step};
use serde_json::{Value, json};

use super::Done;

/// Answers every request with this status and document.
fn relay(status: &'static str, kind: &'static str, body: impl Into<Bytes>) -> FakeHttpCamera {
    let body = body.into();
    FakeHttpCamera::start(move |_| {
        let length = body.len();
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\
             Connection: close\r\n\r\n"
        );
        vec![
            Step::Send(head.into()),
            Step::Send(body.clone()),
            Step::Close,
        ]
    })
}

fn json_relay(body: &Value) -> FakeHttpCamera {
    relay("200 OK", "application/json", body.to_string())
}

/// Ends a line, clears the screen, and turns what follows around.
const EVIL: &str = "a\r\n\u{1b}[2J\u{9b}31m\u{202e}b\u{7f}";

#[track_caller]
fn steers_nothing(text: &str) {
    let is_plain =
        |c: char| c == '\n' || !(c.is_control() || ('\u{202a}'..'\u{202f}').contains(&c));
    assert!(text.chars().all(is_plain), "{text:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_text_of_a_relay_steers_the_terminal() {
    let stream = json!({
        "name": EVIL, "state": EVIL, "fps": EVIL, "frames": EVIL, "source": EVIL, "text": EVIL,
        "since": EVIL, "config": { EVIL: EVIL }, "warnings": [EVIL], "discarded": { EVIL: 1 },
        "sources": [{ "is_active": false, "source": EVIL, "text": EVIL }], "origin": EVIL,
    });
    let recording = json!({
        "id": EVIL, "stream": EVIL, "title": EVIL, "state": EVIL, "reason": EVIL, "frames": EVIL,
        "max_frames": EVIL, "every_s": EVIL, "last": EVIL, "created": EVIL, "problem": EVIL,
    });
    let mut all = json!({
        "streams": [stream], "viewers": [{ "id": EVIL, "key": EVIL, "since": EVIL }],
        "links": [{ "id": EVIL, "expires": EVIL }],
        "timelapses": [recording], "clips": [recording],
        "damaged": [{ "id": EVIL, "reason": EVIL }], "id": EVIL, "number": EVIL,
        "changes": [EVIL], "warnings": [EVIL],
        "program": EVIL, "version": EVIL, "url": EVIL, "expires": EVIL,
        "events": [{ "at": EVIL, "stream": EVIL, "change": EVIL, "text": EVIL }],
    });
    for (key, value) in stream.as_object().unwrap() {
        all[key] = value.clone();
    }
    let relay = json_relay(&all);
    for args in [
        &["list"][..],
        &["show", "a"],
        &["set", "a", "b=1"],
        &["viewers", "a"],
        &["links"],
        &["links", "create", "a", "--valid", "1h"],
        &["timelapse"],
        &["timelapse", "start", "a"],
        &["timelapse", "frame", "a"],
        &["timelapse", "finish", "a"],
        &["clip"],
        &["clip", "keep", "a", "--from", "-1s"],
        &["events"],
        &["reload"],
        &["info"],
    ] {
        for args in [args.to_vec(), [&["--json"], args].concat()] {
            let done = Done::at(&relay.url(""), &args);
            assert_eq!(done.code, Some(0), "{args:?}: {done:?}");
            steers_nothing(&done.stdout);
            steers_nothing(&done.stderr);
            let is_shown = done.stdout.contains("a\\r\\n\\u") && done.stdout.contains("202e");
            assert!(is_shown, "{args:?}: {done:?}");
        }
    }
    let problem =
        json!({ "detail": EVIL, "hint": EVIL, "errors": [{ "file": EVIL, "message": EVIL }] });
    let refusing = self::relay(
        "409 Conflict",
        "application/problem+json",
        problem.to_string(),
    );
    for args in [&["list"][..], &["--json", "list"]] {
        let done = Done::at(&refusing.url(""), args);
        done.fails(1, &["202e"]);
        steers_nothing(&done.stderr);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_for_shells_are_names() {
    let names = ["$(touch /tmp/x)", "a b", "ok-1", "`x`", "", "a;b", "a\nb"];
    let streams: Vec<Value> = names.iter().map(|name| json!({ "name": name })).collect();
    let relay = json_relay(&json!({ "streams": streams }));
    let done = Done::at(&relay.url(""), &["list", "--names"]);
    assert_eq!(done.stdout, "ok-1\n", "{done:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_are_bounded() {
    let padded = |len: usize| {
        let empty = json!({ "streams": [], "x": "" }).to_string();
        let x = "x".repeat(len - empty.len());
        relay(
            "200 OK",
            "application/json",
            json!({ "streams": [], "x": x }).to_string(),
        )
    };
    let largest = padded(16 << 20);
    assert_eq!(Done::at(&largest.url(""), &["list"]).code, Some(0));
    let larger = padded((16 << 20) + 1);
    Done::at(&larger.url(""), &["list"]).fails(1, &["16777216"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn list_without_an_end_is_given_up() {
    let empty = json_relay(&json!({ "streams": [], "next": "1" }));
    Done::at(&empty.url(""), &["list"]).fails(1, &["no end"]);
    let stream = json!({ "name": "a", "x": "x".repeat(1 << 20) });
    let endless = json_relay(&json!({ "streams": [stream], "next": "1" }));
    Done::at(&endless.url(""), &["list"]).fails(1, &["16777216"]);
    assert_eq!(
        endless.requests()[1].path(),
        "/api/v1/streams?limit=1000&cursor=1"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_are_bounded() {
    let follow = ["events", "--follow", "--json"];
    let event = |len: usize| {
        let line = format!("data: \"{}\"", "x".repeat(len - 8));
        assert_eq!(line.len(), len);
        relay(
            "200 OK",
            "text/event-stream",
            format!("retry: 1\n\n{line}\n\ndata: no JSON\n\n"),
        )
    };
    let done = Done::at(&event(64 << 10).url(""), &follow);
    done.fails(1, &["not JSON"]);
    assert_eq!(done.stdout.len(), (64 << 10) - 5);
    Done::at(&event((64 << 10) + 1).url(""), &follow).fails(1, &["65536"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_relay_is_called_that() {
    let words = ["hint: ", "mjpeg-server"];
    for (status, kind, body) in [
        ("200 OK", "text/html", "<html>"),
        ("200 OK", "application/json", "[]"),
        ("200 OK", "application/json", "{\"streams\":1}"),
        ("502 Bad Gateway", "text/html", "<html>"),
        (
            "500 Internal Server Error",
            "application/json",
            "{\"detail\":7}",
        ),
    ] {
        Done::at(&relay(status, kind, body).url(""), &["list"]).fails(1, &words);
    }
    let redirecting = FakeHttpCamera::saying(
        "HTTP/1.1 302 Found\r\nLocation: http://elsewhere/\r\nContent-Length: 0\r\n\r\n",
    );
    Done::at(&redirecting.url(""), &["list"]).fails(1, &["redirects are not followed"]);
    assert_eq!(redirecting.requests().len(), 1);
    let silent = FakeHttpCamera::saying("");
    Done::at(&silent.url(""), &["list"]).fails(3, &["did not answer"]);
    let cut = FakeHttpCamera::saying("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}");
    Done::at(&cut.url(""), &["list"]).fails(3, &["whole"]);
}
