//! What scripts are told when something is not done.

use std::process::Stdio;

use mjpeg_testkit::refused_addr;

use super::{ControlledRelay, Done, GUEST, PASSWORD, TOKEN, ctl, users};
use crate::folder::Folder;

#[test]
fn wrong_command_line_is_2() {
    let folder = Folder::new();
    let empty = folder.write("empty", "\n");
    let missing = folder.path().join("missing");
    let missing = missing.to_str().unwrap();
    for (args, word) in [
        (&["frob"][..], "frob"),
        (&["remove"], "NAME"),
        (&["set", "garage"], "KEY=VALUE"),
        (&["set", "garage", "max_viewers"], "KEY=VALUE"),
        (&["add", "door", "test:", "linger="], "linger"),
        (&["add", "door", "test:", "source=test:"], "source"),
        (&["list", "--url", "ftp://host"], "http://"),
        (&["list", "--url", "http://a", "--socket", "/b"], "--socket"),
        (&["list", "--fingerprint", "abc"], "64"),
        (
            &[
                "list",
                "--fingerprint",
                &"0".repeat(64),
                "--url",
                "http://a",
            ],
            "https://",
        ),
        (&["list", "--password-file", "/etc/hostname"], "--user"),
        (&["list", "--token-file", missing], "missing"),
        (&["list", "--token-file", &empty], "empty"),
        (&["links", "create", "garage"], "--valid"),
    ] {
        Done::of(ctl(args)).fails(2, &[word]);
    }
}

#[test]
fn no_error_of_the_command_line_repeats_a_secret() {
    for args in [
        &["list", "--url", "http://me:secret@host"][..],
        &[
            "add",
            "door",
            "http://me:secret@cam/",
            "http://me:secret@cam/",
        ],
        &["add", "door", "http://me:secret@cam/", "--bogus"],
        &["set", "garage", "header=[\"secret"],
        &["list", "--user", "alice:secret"],
        &["list", "http://me:secret@host"],
    ] {
        let done = Done::of(ctl(args));
        done.fails(2, &["error: "]);
        assert!(!done.stderr.contains("secret"), "{args:?}: {done:?}");
    }
}

#[test]
fn password_without_a_terminal_is_asked_of_nobody() {
    // In a session of its own, a process has no terminal.
    let mut command = std::process::Command::new("setsid");
    command.args([
        "--wait",
        env!("CARGO_BIN_EXE_mjpeg-server"),
        "ctl",
        "--user",
        "alice",
        "list",
    ]);
    command.stdin(Stdio::null());
    Done::of(command).fails(2, &["--password-file"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unreachable_relay_is_3_and_what_was_tried_is_said() {
    let url = format!("http://{}", refused_addr().await);
    Done::at(&url, &["list"]).fails(3, &[&url, "refused", "hint: is it running?"]);
    let folder = Folder::new();
    let socket = folder.path().join("mjpeg-server/control.sock");
    let socket = socket.to_str().unwrap();
    Done::of(ctl(&["list", "--socket", socket]))
        .fails(3, &[socket, "No such file", "mjpeg-server run"]);
    // One attempt is enough for all of them.
    let done = Done::at(&url, &["pause", "a", "b"]);
    assert_eq!(done.stderr.matches("error: ").count(), 1, "{done:?}");
}

#[test]
fn usual_places_are_tried_in_order() {
    let folder = Folder::new();
    let socket = folder.path().join("mjpeg-server/control.sock");
    // Something else may listen at the last one, the URL.
    let mut command = ctl(&["list", "--names"]);
    command.env("XDG_RUNTIME_DIR", folder.path());
    let done = Done::of(command);
    if done.code == Some(3) {
        let place = |word: &str| {
            done.stderr
                .find(word)
                .unwrap_or_else(|| panic!("{word}: {done:?}"))
        };
        let socket = place(socket.to_str().unwrap());
        let of_system = place("/run/mjpeg-server/control.sock");
        assert!(socket < of_system && of_system < place("http://127.0.0.1:8080"));
    }
}

#[test]
fn what_is_not_there_is_4() {
    let relay = ControlledRelay::start();
    for args in [
        &["show", "nobody"][..],
        &["show", "no name/../at all"],
        &["set", "nobody", "linger=3s"],
        &["remove", "nobody"],
        &["viewers", "nobody"],
        &["kick", "garage:9"],
        &["kick", "nonsense"],
        &["events", "nobody"],
    ] {
        relay.ctl(args).fails(4, &["error: "]);
    }
}

#[test]
fn listener_that_may_not_control_says_so() {
    let relay = ControlledRelay::start_with("serve = [\"streams\", \"page\"]\n");
    let done = Done::at(&relay.url(), &["pause", "garage"]);
    done.fails(4, &["serve = [\"control\"]"]);
    // There, a stream that is not there is no more than that.
    let relay = ControlledRelay::start();
    let done = Done::at(&relay.url(), &["pause", "nobody"]);
    done.fails(4, &[]);
    assert!(!done.stderr.contains("serve"), "{done:?}");
}

#[test]
fn tokens_and_passwords_open_the_relay_and_wrong_ones_are_5() {
    let gateway = format!("serve = [\"streams\", \"control\"]\n{}", users());
    let relay = ControlledRelay::start_with(&gateway);
    let file = |name: &str, text: &str| relay.folder.write(name, format!("{text}\n"));
    let (token, guest, wrong) = (file("t", TOKEN), file("g", GUEST), file("w", "guess"));
    let password = file("p", PASSWORD);
    let info = |args: &[&str]| Done::at(&relay.url(), &[&["info"], args].concat());

    assert_eq!(info(&["--token-file", &token]).code, Some(0));
    assert_eq!(
        info(&["--user", "alice", "--password-file", &password]).code,
        Some(0)
    );
    info(&[]).fails(5, &["--token-file", "--user"]);
    info(&["--token-file", &wrong]).fails(5, &["error: "]);
    info(&["--token-file", &guest]).fails(5, &["error: "]);
    info(&["--user", "alice", "--password-file", &wrong]).fails(5, &["error: "]);

    let mut command = ctl(&["--url", &relay.url(), "info"]);
    command.env("MJPEG_CTL_TOKEN", TOKEN);
    assert_eq!(Done::of(command).code, Some(0));
    // A stream that one may not control is as good as hidden.
    let pause = ["pause", "garage"];
    Done::at(&relay.url(), &pause).fails(4, &["hint: ", "--token-file"]);
    // The socket asks nobody.
    assert_eq!(relay.ctl(&["pause", "garage"]).code, Some(0));
}

#[test]
fn guest_sees_the_list_without_sources() {
    let gateway = format!("serve = [\"streams\", \"page\", \"control\"]\n{}", users());
    let relay = ControlledRelay::start_with(&gateway);
    let guest = relay.folder.write("g", GUEST);
    let done = Done::at(&relay.url(), &["--token-file", &guest, "list"]);
    let line = done.stdout.lines().nth(1).unwrap_or_default();
    assert!(
        line.starts_with("garage  ") && line.ends_with("  -"),
        "{done:?}"
    );
}
