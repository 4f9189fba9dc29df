//! What docs/recordings.md has for print servers, as it is written there.

use std::{
    fs,
    io::Write as _,
    process::{Command, Stdio},
};

use serde_json::{Value, json};

use super::stream_called;
use crate::control::{Controlled, camera};

/// The only block of a kind in the document, with the address of a relay.
fn block(relay: &Controlled, kind: &str) -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/recordings.md");
    let text = fs::read_to_string(path).unwrap();
    let begin = format!("```{kind}\n");
    let mut blocks = text.split(&begin).skip(1);
    let block = blocks.next().unwrap().split("```").next().unwrap();
    assert!(blocks.next().is_none());
    assert!(block.contains("127.0.0.1:8080"));
    block.replace("127.0.0.1:8080", &relay.addr().to_string())
}

/// What a script prints as JSON, to which this text is given.
fn python(script: &str, text: &str) -> Value {
    let mut child = Command::new("python3")
        .args(["-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 runs (cargo xtask ci --install installs it)");
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(text.as_bytes()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{text}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn texts(list: &Value) -> Vec<&str> {
    let list = list.as_array().unwrap().iter();
    list.map(|text| text.as_str().unwrap()).collect()
}

/// Runs a command, which must end well.
async fn run(program: &str, arguments: &[&str]) {
    let mut command = tokio::process::Command::new(program);
    let output = command.args(arguments).output().await;
    let output = output.expect("curl is there");
    assert!(output.status.success(), "{arguments:?}: {output:?}");
}

/// The frames and the reason of the end of all time-lapses, the oldest first.
async fn timelapses(relay: &Controlled) -> Vec<(u64, Option<String>)> {
    let listed = relay.ask("GET", "/timelapses", "").await.json;
    let all = listed["timelapses"].as_array().unwrap().iter();
    let shown = all.map(|it| {
        let reason = it["reason"].as_str().map(str::to_owned);
        (it["frames"].as_u64().unwrap(), reason)
    });
    shown.collect()
}

fn finished() -> Option<String> {
    Some("finished".into())
}

/// Reads the file as Klipper does. The extension runs a command without a shell.
const KLIPPER: &str = r##"
import configparser, json, os, shlex, sys
file = configparser.RawConfigParser(strict=False, inline_comment_prefixes=(";", "#"))
file.read_string(sys.stdin.read())
print(json.dumps({section: {
    "command": shlex.split(os.path.expanduser(file.get(section, "command", fallback=""))),
    "calls": [line.strip() for line in file.get(section, "gcode", fallback="").splitlines()],
} for section in file.sections()}))
"##;

#[tokio::test]
async fn print_makes_a_time_lapse_by_the_macros_of_klipper() {
    let camera = camera().await;
    let relay = Controlled::start(&stream_called("printer", &camera));
    let file = python(KLIPPER, &block(&relay, "ini"));
    let call = async |name: &str| {
        let calls = &file[format!("gcode_macro {name}")]["calls"];
        let mut commands = 0;
        for call in texts(calls) {
            if let Some(command) = call.strip_prefix("RUN_SHELL_COMMAND CMD=") {
                let command = &file[format!("gcode_shell_command {command}")]["command"];
                let command = texts(command);
                run(command[0], &command[1..]).await;
                commands += 1;
            }
        }
        assert!(commands > 0, "{name}");
    };
    call("RELAY_START_TIMELAPSE").await;
    call("RELAY_TAKE_FRAME").await;
    assert_eq!(timelapses(&relay).await, [(1, None)]);
    call("RELAY_TAKE_FRAME").await;
    call("RELAY_FINISH_TIMELAPSE").await;
    assert_eq!(timelapses(&relay).await, [(2, finished())]);
    // A print that was cancelled, and the next one.
    call("RELAY_START_TIMELAPSE").await;
    call("RELAY_START_TIMELAPSE").await;
    call("RELAY_TAKE_FRAME").await;
    let expected = [(2, finished()), (0, finished()), (1, None)];
    assert_eq!(timelapses(&relay).await, expected);
}

/// OctoPrint replaces placeholders, and runs a command by a shell if it is told to.
const OCTOPRINT: &str = r##"
import json, sys, yaml
commands = {}
for entry in yaml.safe_load(sys.stdin)["events"]["subscriptions"]:
    assert entry["type"] == "system" and entry["shell"] is True
    events = entry["event"] if isinstance(entry["event"], list) else [entry["event"]]
    commands.update((event, entry["command"].format()) for event in events)
print(json.dumps(commands))
"##;

#[tokio::test]
async fn print_makes_a_time_lapse_by_the_events_of_octoprint() {
    let camera = camera().await;
    let relay = Controlled::start(&stream_called("printer", &camera));
    let commands = python(OCTOPRINT, &block(&relay, "yaml"));
    let happen = async |event: &str| {
        let command = commands[event].as_str().unwrap();
        run("/bin/sh", &["-c", command]).await;
    };
    for end in ["PrintDone", "PrintFailed"] {
        happen("PrintStarted").await;
        happen("ZChange").await;
        happen("ZChange").await;
        happen(end).await;
    }
    let all = timelapses(&relay).await;
    assert_eq!(all, [(2, finished()), (2, finished())]);
    let first = relay.ask("GET", "/timelapses", "").await.json["timelapses"][0].clone();
    assert_eq!(
        (&first["stream"], &first["every_s"]),
        (&json!("printer"), &Value::Null)
    );
}
