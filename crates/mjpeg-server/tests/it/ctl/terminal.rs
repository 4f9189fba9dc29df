//! A password that is asked for.

use std::process::{Command, Output};

use super::{ControlledRelay, PASSWORD, users};

/// Runs a command at a terminal of its own, types this when it asks, and prints what the terminal
/// shows. Afterwards it says whether the terminal shows again what is typed.
const ASKED: &str = "\
import os, pty, sys, termios
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[2], sys.argv[2:])
shown = b''
while b': ' not in shown:
    shown += os.read(terminal, 65536)
os.write(terminal, sys.argv[1].encode())
while True:
    echo = termios.tcgetattr(terminal)[3] & termios.ECHO
    try:
        data = os.read(terminal, 65536)
    except OSError:
        break
    if not data:
        break
    shown += data
sys.stdout.buffer.write(shown)
sys.stdout.flush()
code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
sys.exit(code if echo else 99)
";

/// What the terminal shows, and the exit code.
fn typing(relay: &ControlledRelay, typed: &str) -> (String, Option<i32>) {
    let program = env!("CARGO_BIN_EXE_mjpeg-server");
    let mut python = Command::new("python3");
    python.args(["-c", ASKED, typed, program, "ctl", "--url", &relay.url()]);
    python.args(["--user", "alice", "list", "--names"]);
    let Output { stdout, status, .. } = python.output().expect("python3 runs");
    (String::from_utf8(stdout).unwrap(), status.code())
}

#[test]
fn password_is_asked_for_and_not_shown() {
    let users = format!("serve = [\"streams\", \"control\"]\n{}", users());
    let relay = ControlledRelay::start_with(&users);
    let (shown, code) = typing(&relay, &format!("{PASSWORD}\n"));
    assert_eq!(code, Some(0), "{shown}");
    assert_eq!(shown, "Password of alice: \r\ngarage\r\nyard\r\n");
    let (shown, code) = typing(&relay, "wrong\n");
    assert_eq!(code, Some(5), "{shown}");
    let (shown, code) = typing(&relay, "half a pass\u{3}");
    assert_eq!(code, Some(2), "{shown}");
    assert!(
        shown.contains("no password was given") && !shown.contains("half"),
        "{shown}"
    );
}
