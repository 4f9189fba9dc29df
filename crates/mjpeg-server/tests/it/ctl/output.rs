//! What is printed: for people at a terminal, and for programs.

use std::process::Command;

use serde_json::Value;

use super::ControlledRelay;

/// What a command prints to a terminal of so many columns, as its lines.
fn at_terminal(relay: &ControlledRelay, columns: u16, args: &[&str]) -> Vec<String> {
    let mut python = Command::new("python3");
    python.args([
        "-c",
        PTY,
        &columns.to_string(),
        env!("CARGO_BIN_EXE_mjpeg-server"),
        "ctl",
    ]);
    let command = relay.command(args);
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => python.env(name, value),
            None => python.env_remove(name),
        };
    }
    let output = python.args(args).output().expect("python3 runs");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    text.lines().map(str::to_owned).collect()
}

/// Runs a command at a terminal of its own, and prints what it prints.
const PTY: &str = "\
import fcntl, os, pty, struct, sys, termios
pid, terminal = pty.fork()
if pid == 0:
    size = struct.pack('HHHH', 24, int(sys.argv[1]), 0, 0)
    fcntl.ioctl(1, termios.TIOCSWINSZ, size)
    os.execv(sys.argv[2], sys.argv[2:])
while True:
    try:
        data = os.read(terminal, 65536)
    except OSError:
        break
    if not data:
        break
    sys.stdout.buffer.write(data)
sys.stdout.flush()
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
";

const LONG: &str = "test:?name=100&size=1280x720&fps=15";

fn with_a_long_source() -> ControlledRelay {
    let relay = ControlledRelay::start();
    relay.done(&["add", "a-stream-with-a-long-name", LONG, "on_demand=true"]);
    relay
}

#[test]
fn table_fits_the_terminal() {
    let relay = with_a_long_source();
    for columns in [80, 40] {
        let lines = at_terminal(&relay, columns, &["list"]);
        assert_eq!(lines.len(), 4, "{lines:?}");
        let widest = lines.iter().map(|line| line.chars().count()).max();
        assert!(widest <= Some(columns.into()), "{lines:?}");
        assert!(
            lines[3].ends_with('…') && lines[3].starts_with("a-"),
            "{lines:?}"
        );
        assert!(lines[0].contains("FRAMES"), "{lines:?}");
    }
    let wide = at_terminal(&relay, 200, &["list"]);
    assert!(wide[3].ends_with(LONG), "{wide:?}");
}

#[test]
fn nothing_is_shortened_where_there_is_no_terminal() {
    let relay = with_a_long_source();
    let mut command = relay.command(&["list"]);
    command.env("COLUMNS", "40");
    let printed = String::from_utf8(command.output().unwrap().stdout).unwrap();
    assert!(printed.contains(LONG) && printed.contains("a-stream-with-a-long-name"));
}

#[test]
fn json_is_the_document_of_the_api() {
    let relay = ControlledRelay::start();
    let listed = relay.json(&["list"]);
    let names: Vec<&Value> = listed["streams"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["name"])
        .collect();
    assert_eq!(names, ["garage", "yard"]);
    assert_eq!(
        relay.json(&["viewers"])["viewers"],
        Value::Array(Vec::new())
    );
    assert_eq!(relay.json(&["reload", "--dry-run"])["dry_run"], true);
    assert_eq!(
        relay.json(&["set", "--no-persist", "yard", "linger=3s"])["name"],
        "yard"
    );
    // What has no answer prints none.
    assert_eq!(relay.done(&["--json", "pause", "yard"]), "");
    let refused = relay.ctl(&["--json", "show", "nobody"]);
    refused.fails(4, &[]);
    let problem: Value = serde_json::from_str(&refused.stderr).unwrap();
    assert_eq!(problem["code"], "not_found");
}

#[test]
fn reader_that_has_seen_enough_is_no_error() {
    let relay = ControlledRelay::start();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = relay.command(&["list"]);
    let output = command.stdout(writer).output().unwrap();
    assert_eq!((output.status.code(), output.stderr), (Some(0), Vec::new()));
}
