//! Each command, over the control socket.

use std::{io::Write, process::Stdio, time::Duration};

use mjpeg_testkit::Viewer;
use serde_json::json;
use tokio::time::timeout;

use super::{ControlledRelay, Done};

/// The cells of a line.
fn cells(line: &str) -> Vec<&str> {
    line.split("  ")
        .map(str::trim)
        .filter(|cell| !cell.is_empty())
        .collect()
}

#[test]
fn streams_are_listed_in_order_and_by_name() {
    let relay = ControlledRelay::start();
    let printed = relay.done(&["list"]);
    let lines: Vec<Vec<&str>> = printed.lines().map(cells).collect();
    assert_eq!(
        lines[0],
        ["NAME", "STATE", "FPS", "VIEWERS", "FRAMES", "SOURCE"]
    );
    assert_eq!([lines[1][0], lines[1][5]], ["garage", "test:?fps=20"]);
    assert_eq!([lines[2][0], lines[2][5]], ["yard", "tcp://127.0.0.1:1"]);
    assert_eq!(relay.done(&["list", "--names"]), "garage\nyard\n");
    assert_eq!(relay.done(&["ls", "--names"]), "garage\nyard\n");
}

#[test]
fn stream_is_shown_with_its_keys() {
    let relay = ControlledRelay::start();
    let printed = relay.done(&["show", "garage"]);
    let has = |words: &[&str]| {
        let words: String = words.join(" ");
        let mut lines = printed.lines();
        lines.any(|line| line.split_whitespace().collect::<Vec<_>>().join(" ") == words)
    };
    assert!(
        has(&["name", "garage"]) && has(&["configured", "in a file"]),
        "{printed}"
    );
    assert!(has(&["source = test:?fps=20"]), "{printed}");
    assert_eq!(relay.json(&["show", "garage"])["name"], "garage");
}

#[test]
fn stream_is_added_changed_and_removed() {
    let relay = ControlledRelay::start();
    let file = relay.folder.path().join("streams.d/door.toml");
    let printed = relay.done(&["add", "door", "test:", "on_demand=true", "max_viewers=7"]);
    assert_eq!(printed, "door is added; idle\n");
    assert!(
        std::fs::read_to_string(&file)
            .unwrap()
            .contains("max_viewers = 7")
    );
    assert_eq!(
        relay.done(&["set", "door", "max_viewers=", "linger=3s"]),
        "door is changed; idle\n"
    );
    let config = &relay.json(&["show", "door"])["config"];
    assert_eq!(
        *config,
        json!({ "source": "test:", "on_demand": true, "linger": "3s" })
    );
    assert_eq!(relay.done(&["remove", "door"]), "door is removed\n");
    assert!(!file.exists());
    relay.ctl(&["show", "door"]).fails(4, &["error: "]);
}

#[test]
fn list_is_a_key_that_is_given_more_than_once() {
    let relay = ControlledRelay::start();
    let fallback = ["fallback=test:?name=1", "fallback=test:?name=2"];
    let added = [&["add", "door", "test:", "on_demand=true"][..], &fallback].concat();
    let added = relay.json(&added);
    assert_eq!(
        added["config"]["fallback"],
        json!(["test:?name=1", "test:?name=2"])
    );
}

#[test]
fn camera_that_does_not_answer_is_added_only_to_be_retried() {
    let relay = ControlledRelay::start();
    let add = ["add", "door", "tcp://127.0.0.1:1"];
    relay.ctl(&add).fails(1, &["error: ", "127.0.0.1:1"]);
    relay.ctl(&["show", "door"]).fails(4, &[]);
    relay.done(&[&add[..], &["--retry"]].concat());
    assert_eq!(relay.done(&["list", "--names"]), "garage\nyard\ndoor\n");
}

#[test]
fn source_is_read_from_standard_input_where_nobody_else_sees_it() {
    let relay = ControlledRelay::start();
    let mut command = relay.command(&["add", "door", "-", "--retry"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin
        .write_all(b"http://me:secret@127.0.0.1:1/video\n")
        .unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let file = relay.folder.path().join("streams.d/door.toml");
    assert!(
        std::fs::read_to_string(file)
            .unwrap()
            .contains("me:secret@127.0.0.1:1/video")
    );
    assert!(!relay.done(&["show", "door"]).contains("secret"));
}

#[test]
fn change_of_a_hand_written_stream_is_for_this_run_only() {
    let relay = ControlledRelay::start();
    let set = ["set", "garage", "max_viewers=7"];
    relay
        .ctl(&set)
        .fails(1, &["error: ", "hint: ", "--no-persist"]);
    relay.done(&[&set[..], &["--no-persist"]].concat());
    assert_eq!(relay.json(&["show", "garage"])["config"]["max_viewers"], 7);
    relay.ctl(&["remove", "garage"]).fails(1, &["--no-persist"]);
    relay.done(&["remove", "--no-persist", "garage"]);
    assert_eq!(relay.done(&["list", "--names"]), "yard\n");
}

#[test]
fn cameras_are_paused_resumed_and_retried() {
    let relay = ControlledRelay::start();
    let state = || relay.json(&["show", "garage"])["state"].clone();
    assert_eq!(
        relay.done(&["pause", "garage", "yard"]),
        "garage is paused\nyard is paused\n"
    );
    assert_eq!(state(), "paused");
    assert_eq!(relay.done(&["resume", "garage"]), "garage is resumed\n");
    while state() != "online" {}
    assert_eq!(
        relay.done(&["retry", "yard"]),
        "yard is being tried again\n"
    );
}

#[test]
fn of_several_streams_the_others_are_done_and_the_first_failure_counts() {
    let relay = ControlledRelay::start();
    let done = relay.ctl(&["pause", "nobody", "garage", "a b", "yard"]);
    done.fails(4, &["error: nobody: ", "error: a b: "]);
    assert_eq!(done.stdout, "garage is paused\nyard is paused\n");
    let remove = |names: [&str; 2]| relay.ctl(&["remove", names[0], names[1]]).code;
    assert_eq!(remove(["garage", "nobody"]), Some(1));
    assert_eq!(remove(["nobody", "garage"]), Some(4));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn viewers_are_listed_and_disconnected() {
    let relay = ControlledRelay::start();
    let nobody = relay.ctl(&["viewers", "garage"]);
    assert_eq!((nobody.code, nobody.stdout.as_str()), (Some(0), ""));
    let mut viewer = Viewer::open(relay.addr(), "/garage/?key=hall")
        .await
        .unwrap();
    viewer.next_frame().await.unwrap();
    for args in [&["viewers"][..], &["viewers", "garage"]] {
        let printed = relay.done(args);
        let lines: Vec<Vec<&str>> = printed.lines().map(cells).collect();
        assert_eq!(lines[0][..4], ["ID", "ADDRESS", "USER", "KEY"]);
        assert_eq!(
            lines[1][..4],
            ["garage:1", &viewer.local_addr().to_string(), "-", "hall"]
        );
    }
    relay
        .ctl(&["kick", "garage:99", "garage:1"])
        .fails(4, &["error: garage:99: "]);
    let ended = async { while let Ok(Some(_)) = viewer.next_frame().await {} };
    timeout(Duration::from_secs(10), ended)
        .await
        .expect("it is disconnected");
}

#[test]
fn configuration_is_read_again_after_a_look_at_what_would_change() {
    let relay = ControlledRelay::start();
    assert_eq!(relay.done(&["reload"]), "nothing differs\n");
    let path = relay.folder.path().join("mjpeg.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("\"yard\"", "\"barn\"")).unwrap();
    assert!(relay.done(&["reload", "--dry-run"]).contains("barn"));
    assert_eq!(relay.done(&["list", "--names"]), "garage\nyard\n");
    assert!(relay.done(&["reload"]).contains("barn"));
    assert_eq!(relay.done(&["list", "--names"]), "garage\nbarn\n");
    std::fs::write(&path, text.replace("source", "sauce")).unwrap();
    let place = format!("mjpeg.toml:{}:1: ", 4);
    relay
        .ctl(&["reload"])
        .fails(1, &["error: ", &place, "sauce"]);
    // The only thing that is wrong is said once.
    let done = relay.ctl(&["set", "--no-persist", "garage", "max_viewer=3"]);
    done.fails(1, &["max_viewers"]);
    assert_eq!(done.stderr.matches("unknown key").count(), 1, "{done:?}");
}

#[test]
fn relay_says_what_it_is() {
    let relay = ControlledRelay::start();
    let printed = relay.done(&["info"]);
    assert!(
        printed.contains("control.sock\n") && printed.contains("streams  2\n"),
        "{printed}"
    );
    assert_eq!(relay.json(&["info"])["program"], "mjpeg-server");
}

#[test]
fn relay_is_found_at_a_url_too() {
    let relay = ControlledRelay::start();
    let listed = Done::at(&relay.url(), &["list", "--names"]);
    assert_eq!(listed.stdout, "garage\nyard\n", "{listed:?}");
    let mut command = super::ctl(&["list", "--names"]);
    command.env("MJPEG_CTL_URL", relay.url());
    assert_eq!(Done::of(command).stdout, "garage\nyard\n");
    // The socket on the command line beats the URL in the environment.
    let socket = relay.folder.path().join("run/control.sock");
    let mut command = super::ctl(&["list", "--names", "--socket", socket.to_str().unwrap()]);
    command.env("MJPEG_CTL_URL", "http://127.0.0.1:1");
    assert_eq!(Done::of(command).stdout, "garage\nyard\n");
}

#[test]
fn stream_can_be_checked_without_being_added_or_changed() {
    let relay = ControlledRelay::start();
    let printed = relay.done(&["add", "door", "test:", "max_viewers=7", "--dry-run"]);
    assert_eq!(printed, "door can be added\n");
    let checked = relay.json(&["set", "yard", "max_fps=5", "--dry-run", "--no-persist"]);
    assert_eq!(checked["config"]["max_fps"], 5);
    assert_eq!(relay.done(&["list", "--names"]), "garage\nyard\n");
    assert!(relay.json(&["show", "yard"])["config"]["max_fps"].is_null());
    let refused = relay.ctl(&["add", "door", "test:", "linger=5", "--dry-run"]);
    refused.fails(1, &["linger"]);
}
