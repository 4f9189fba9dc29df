//! What shells complete.

use std::process::Command;

use mjpeg_testkit::FakeHttpCamera;

use super::ControlledRelay;
use crate::{folder::Folder, process::run};

/// What bash offers behind these words, of which the last is not finished, in its order.
fn offered(environment: &[(&str, &str)], words: &[&str]) -> Vec<String> {
    let (_, script, _) = run(&["completions", "bash"]);
    let program = env!("CARGO_BIN_EXE_mjpeg-server");
    let asked = format!(
        "{script}\nprogram=$1; shift\nCOMP_WORDS=(\"$program\" \"$@\")\nCOMP_CWORD=$#\n\
         complete -p mjpeg-server | grep -q -- '-F _mjpeg_server_with_streams' || exit 1\n\
         _mjpeg_server_with_streams \"$program\" \"${{@: -1}}\" \"${{@: -2:1}}\"\n\
         printf '%s\\n' \"${{COMPREPLY[@]}}\""
    );
    // It is longer than an argument may be.
    let folder = Folder::new();
    let file = folder.write("asked", asked);
    let mut bash = Command::new("bash");
    bash.args(["--norc", &file, program]).args(words);
    for variable in ["RUNTIME_DIRECTORY", "XDG_RUNTIME_DIR", "MJPEG_CTL_TOKEN"] {
        bash.env_remove(variable);
    }
    let output = bash.envs(environment.iter().copied()).output();
    let output = output.expect("bash runs");
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{output:?}"
    );
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes_commands_options_and_names_of_streams() {
    let relay = ControlledRelay::start();
    relay.done(&["add", "gate", "test:", "on_demand=true"]);
    let url = relay.url();
    let environment = [("MJPEG_CTL_URL", url.as_str())];
    for (words, expected) in [
        (&["ct"][..], &["ctl"][..]),
        (&["ctl", "re"], &["remove", "resume", "retry", "reload"]),
        (&["ctl", "show", "--js"], &["--json"]),
        (&["ctl", "show", ""], &["garage", "yard", "gate"]),
        (&["ctl", "show", "ga"], &["garage", "gate"]),
        (&["ctl", "events", "--follow", "y"], &["yard"]),
        (&["ctl", "links", "create", "y"], &["yard"]),
        (&["ctl", "timelapse", "start", "y"], &["yard"]),
        (&["ctl", "clip", "keep", "y"], &["yard"]),
        (&["ctl", "clip", "re"], &["remove"]),
        (&["ctl", "pause", "yard", "g"], &["garage", "gate"]),
    ] {
        assert_eq!(offered(&environment, words), expected, "{words:?}");
    }
    for words in [
        &["ctl", "show", "yard", "g"][..],
        &["ctl", "set", "yard", "g"],
        &["run", "show", "g"],
        &["ctl", "timelapse", "remove", "g"],
        &["ctl", "timelapse", "start", "yard", "g"],
        &["ctl", "create", "g"],
    ] {
        let offered = offered(&environment, words);
        assert!(
            !offered.iter().any(|word| word == "garage"),
            "{words:?}: {offered:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn name_that_a_relay_makes_up_is_no_command() {
    let folder = Folder::new();
    let trace = folder.path().join("trace");
    let body = serde_json::json!({ "streams": [
        { "name": format!("$(touch {})", trace.display()) }, { "name": "door" },
    ] });
    let body = body.to_string();
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let relay = FakeHttpCamera::saying(answer);
    let url = relay.url("");
    assert_eq!(
        offered(&[("MJPEG_CTL_URL", &url)], &["ctl", "show", ""]),
        ["door"]
    );
    assert!(!trace.exists());
}

#[test]
fn every_shell_has_a_script_that_asks_for_names() {
    for shell in ["bash", "zsh", "fish"] {
        let (code, script, _) = run(&["completions", shell]);
        assert_eq!(code, Some(0));
        assert!(script.contains("ctl list --names"), "{shell}");
        assert!(!script.contains("_users"), "{shell}");
    }
    let (code, _, _) = run(&["completions", "cmd"]);
    assert_eq!(code, Some(2));
}
