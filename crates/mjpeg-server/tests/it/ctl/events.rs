//! `ctl events`.

use std::{
    io::{BufRead, BufReader, Lines},
    process::{Child, ChildStdout, Stdio},
};

use mjpeg_testkit::{FakeHttpCamera, Step};
use serde_json::Value;

use super::{ControlledRelay, Done, ctl};

/// A command that prints events as they happen. Killed when dropped.
struct Follower {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Follower {
    /// Starts it, and waits until the relay sends it events.
    fn start(relay: &ControlledRelay, args: &[&str]) -> Self {
        let this = Self::of(relay.command(&[&["events", "--follow"], args].concat()));
        while relay.json(&["info"])["subscribers"] != 1 {}
        this
    }

    fn of(mut command: std::process::Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program runs");
        let stdout = child.stdout.take().expect("piped");
        let lines = BufReader::new(stdout).lines();
        Self { child, lines }
    }

    fn line(&mut self) -> String {
        self.lines.next().expect("it has not ended").expect("UTF-8")
    }

    /// The next line with this word; the lines before it, too.
    fn until(&mut self, word: &str) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            lines.push(self.line());
            if lines.last().is_some_and(|line| line.contains(word)) {
                return lines;
            }
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn event_is_printed_when_it_happens() {
    let relay = ControlledRelay::start();
    let mut follower = Follower::start(&relay, &["garage"]);
    // Of another stream.
    relay.done(&["pause", "yard"]);
    relay.done(&["pause", "garage"]);
    let lines = follower.until("paused");
    assert!(
        lines.iter().all(|line| line.contains("Z  garage  state  ")),
        "{lines:?}"
    );
    assert!(lines.last().unwrap().ends_with("  paused"), "{lines:?}");
}

#[test]
fn events_are_one_object_per_line() {
    let relay = ControlledRelay::start();
    let mut follower = Follower::start(&relay, &["--json", "garage"]);
    relay.done(&["pause", "garage"]);
    let lines = follower.until("paused");
    let parsed = |line: &String| serde_json::from_str::<Value>(line).unwrap();
    let events: Vec<Value> = lines.iter().map(parsed).collect();
    let event = events.last().unwrap();
    assert_eq!([&event["stream"], &event["state"]], ["garage", "paused"]);
    drop(follower);
    let past = relay.done(&["events", "--json"]);
    let past: Vec<Value> = past
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(past.contains(event), "{past:?}");
}

#[test]
fn past_events_of_all_streams_are_in_the_order_in_which_they_happened() {
    let relay = ControlledRelay::start();
    relay.done(&["pause", "yard"]);
    relay.done(&["pause", "garage"]);
    relay.done(&["remove", "--no-persist", "yard"]);
    relay.done(&["add", "--no-persist", "yard", "test:", "on_demand=true"]);
    let printed = relay.done(&["events"]);
    let at: Vec<&str> = printed.lines().map(|line| &line[..24]).collect();
    assert!(at.is_sorted(), "{printed}");
    let place = |words: &str| {
        printed
            .find(words)
            .unwrap_or_else(|| panic!("{words}: {printed}"))
    };
    assert!(place("yard  state  paused") < place("garage  state  paused"));
    let of_one = relay.done(&["events", "garage"]);
    assert!(
        !of_one.contains("yard") && of_one.contains("garage  started"),
        "{of_one}"
    );
}

#[test]
fn unknown_stream_has_no_events() {
    let relay = ControlledRelay::start();
    relay.ctl(&["events", "nobody"]).fails(4, &[]);
    relay.ctl(&["events", "--follow", "nobody"]).fails(4, &[]);
}

#[test]
fn relay_that_was_restarted_is_found_again() {
    let relay = ControlledRelay::start();
    let mut follower = Follower::start(&relay, &["--json"]);
    let ControlledRelay { mut server, folder } = relay;
    server.end_by("KILL");
    let mut command = crate::process::command(&["run", "-c"]);
    command.arg(folder.path().join("mjpeg.toml"));
    command.env("RUNTIME_DIRECTORY", folder.path().join("run"));
    let mut server = crate::process::Server::of(command, 1);
    server.stderr_until("listener=control");
    let relay = ControlledRelay { server, folder };
    while relay.json(&["info"])["subscribers"] != 1 {}
    relay.done(&["pause", "garage"]);
    let lines = follower.until("paused");
    // The gap is told, as the ids of another run say nothing.
    assert!(
        lines.contains(&r#"{"missed":null}"#.to_owned()),
        "{lines:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connection_that_breaks_goes_on_behind_the_last_event() {
    let relay = FakeHttpCamera::start(|request| {
        let events = match request.header("last-event-id") {
            None => "retry: 1\nid: 4-7\ndata: {\"stream\":\"a\",\"change\":\"started\"}\n\n",
            Some("4-7") => "data: {\"stream\":\"a\",\"change\":\"stopped\"}\n\n",
            Some(other) => panic!("{other}"),
        };
        let head =
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n";
        vec![Step::Send(format!("{head}{events}").into()), Step::Close]
    });
    let mut follower = Follower::of(ctl(&[
        "--url",
        &relay.url(""),
        "events",
        "--follow",
        "--json",
    ]));
    assert_eq!(follower.line(), r#"{"change":"started","stream":"a"}"#);
    assert_eq!(follower.line(), r#"{"change":"stopped","stream":"a"}"#);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn relay_that_no_longer_lets_one_in_ends_it() {
    let relay = FakeHttpCamera::start(|request| {
        let answer = match request.connection {
            0 => {
                "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n\
                  retry: 1\n\n"
            }
            1 => {
                "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            }
            _ => "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        };
        vec![Step::Send(answer.into()), Step::Close]
    });
    Done::at(&relay.url(""), &["events", "--follow"]).fails(5, &["401", "--token-file"]);
}
