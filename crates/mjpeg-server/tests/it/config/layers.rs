//! Which layer beats which, flag by flag.

use crate::{folder::Folder, process::command};

/// A flag, the key that it sets, and four values in the file's words: of `[defaults]`, of the flag,
/// of the stream or listener itself, and the flag's as it is written on the command line.
struct Flag {
    flag: &'static str,
    key: &'static str,
    defaults: &'static str,
    flagged: &'static str,
    own: &'static str,
    argument: &'static str,
}

const fn flag(
    flag: &'static str,
    key: &'static str,
    [defaults, flagged, own, argument]: [&'static str; 4],
) -> Flag {
    Flag {
        flag,
        key,
        defaults,
        flagged,
        own,
        argument,
    }
}

const STREAM_FLAGS: [Flag; 20] = [
    flag(
        "require-cameras",
        "start",
        ["\"retry\"", "\"require\"", "\"retry\"", "true"],
    ),
    flag("on-demand", "on_demand", ["false", "true", "false", "true"]),
    flag("linger", "linger", ["\"1s\"", "\"2s\"", "\"3s\"", "2"]),
    flag("repair", "repair", ["[]", "[\"eoi\"]", "[\"none\"]", "eoi"]),
    flag("rotate", "rotate", ["90", "180", "270", "180"]),
    flag("mirror", "mirror", ["true", "false", "true", "false"]),
    flag(
        "check-frames",
        "check_frames",
        ["true", "false", "true", "false"],
    ),
    flag(
        "placeholder",
        "placeholder",
        ["\"none\"", "\"drawn\"", "\"none\"", "drawn"],
    ),
    flag(
        "placeholder-after",
        "placeholder_after",
        ["\"1s\"", "\"1500ms\"", "\"3s\"", "1.5"],
    ),
    flag("max-viewers", "max_viewers", ["1", "2", "3", "2"]),
    flag(
        "max-viewers-per-address",
        "max_viewers_per_address",
        ["1", "\"none\"", "3", "none"],
    ),
    flag("max-fps", "max_fps", ["1", "2.0", "3", "2"]),
    flag("max-kbps", "max_kbps", ["1", "2.5", "\"none\"", "2.5"]),
    flag(
        "max-duration",
        "max_duration",
        ["\"1s\"", "\"2m\"", "\"3s\"", "2m"],
    ),
    flag(
        "snapshot-fresh",
        "snapshot_fresh",
        ["true", "false", "true", "false"],
    ),
    flag(
        "snapshot-max-age",
        "snapshot_max_age",
        ["\"1s\"", "\"2s\"", "\"3s\"", "2s"],
    ),
    flag(
        "snapshot-wait",
        "snapshot_wait",
        ["\"1s\"", "\"2s\"", "\"3s\"", "2s"],
    ),
    flag(
        "snapshot-connect-wait",
        "snapshot_connect_wait",
        ["\"1s\"", "\"2s\"", "\"3s\"", "2"],
    ),
    flag(
        "webkit-fetch-mixed",
        "webkit_fetch_mixed",
        ["true", "false", "true", "0"],
    ),
    flag("on-demand", "on_demand", ["true", "false", "true", "no"]),
];

const LISTEN_FLAGS: [Flag; 2] = [
    flag(
        "trusted-proxy",
        "trusted_proxies",
        [
            "",
            "[\"10.0.0.1/32\", \"fd00::/8\"]",
            "[\"10.0.0.2\"]",
            "10.0.0.1,fd00::/8",
        ],
    ),
    flag(
        "base-path",
        "base_path",
        ["", "\"/flag\"", "\"/own\"", "/flag"],
    ),
];

const PROCESS_FLAGS: [Flag; 4] = [
    flag("worker-threads", "worker_threads", ["3", "2", "", "2"]),
    flag(
        "max-viewers-total",
        "max_viewers_total",
        ["3", "2", "", "2"],
    ),
    flag(
        "notsent-lowat",
        "notsent_lowat",
        ["\"1KiB\"", "\"2KiB\"", "", "2048"],
    ),
    flag("watch", "watch", ["true", "false", "", "false"]),
];

/// How the values of a key are set.
#[derive(Clone, Copy, PartialEq)]
enum By {
    Nobody,
    Flag,
    Variable,
}

/// The effective values of a key, in their order, each with its origin.
fn shown(file: &str, flag: &Flag, by: By) -> Vec<(String, String)> {
    let mut config = command(&["config", "--show-origin", "--config", file]);
    let variable = format!("MJPEG_{}", flag.flag.to_ascii_uppercase().replace('-', "_"));
    match by {
        By::Nobody => drop(config.env(variable, "")),
        By::Flag => drop(config.arg(format!("--{}={}", flag.flag, flag.argument))),
        By::Variable => drop(config.env(variable, flag.argument)),
    }
    let output = config.output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "--{}: {err}", flag.flag);
    let out = String::from_utf8(output.stdout).unwrap();
    let begin = format!("{} = ", flag.key);
    let lines = out.lines().filter_map(|line| line.strip_prefix(&begin));
    let pairs = lines.filter_map(|line| line.split_once(" # "));
    let pairs = pairs.map(|(value, origin)| (value.trim().to_owned(), origin.to_owned()));
    pairs.collect()
}

/// Checks a key with a value in a section below the flag, and one above it.
fn check(flag: &Flag, file: &str, below: &str, has_own: bool) {
    for by in [By::Nobody, By::Flag, By::Variable] {
        let found = shown(file, flag, by);
        let variable = flag.flag.to_ascii_uppercase().replace('-', "_");
        let (value, origin) = match by {
            By::Nobody => (below, None),
            By::Flag => (flag.flagged, Some(format!("--{}", flag.flag))),
            By::Variable => (flag.flagged, Some(format!("MJPEG_{variable}"))),
        };
        let (found_value, found_origin) = found.first().expect("a value");
        assert_eq!(found_value, value, "--{}", flag.flag);
        if let Some(origin) = origin {
            assert_eq!(*found_origin, origin, "--{}", flag.flag);
        }
        if has_own {
            let (value, origin) = found.get(1).expect("a value of its own");
            assert_eq!(
                value, flag.own,
                "--{}: its own key beats the flag",
                flag.flag
            );
            assert!(origin.contains("mjpeg.toml:"), "--{}: {origin}", flag.flag);
        }
    }
}

#[test]
fn flag_beats_defaults_and_a_streams_own_key_beats_the_flag() {
    for flag in &STREAM_FLAGS {
        let folder = Folder::new();
        let text = format!(
            "[defaults]\n{key} = {}\n[[streams]]\nname = \"a\"\nsource = \"test:\"\n[[streams]]\n\
             name = \"b\"\nsource = \"test:\"\n{key} = {}\n",
            flag.defaults,
            flag.own,
            key = flag.key,
        );
        let file = folder.write("mjpeg.toml", text);
        check(flag, &file, flag.defaults, true);
    }
}

#[test]
fn listeners_own_key_beats_the_flag() {
    for flag in &LISTEN_FLAGS {
        let folder = Folder::new();
        let text = format!(
            "[[listen]]\naddress = 8081\n[[listen]]\naddress = 8082\n{} = {}\n",
            flag.key, flag.own,
        );
        let file = folder.write("mjpeg.toml", text);
        let built_in = if flag.key == "base_path" {
            "\"\""
        } else {
            "[]"
        };
        check(flag, &file, built_in, true);
    }
}

#[test]
fn flag_beats_the_top_of_the_file() {
    for flag in &PROCESS_FLAGS {
        let folder = Folder::new();
        let file = folder.write("mjpeg.toml", format!("{} = {}\n", flag.key, flag.defaults));
        check(flag, &file, flag.defaults, false);
    }
}

#[test]
fn streams_own_option_beats_the_flag_and_its_own_key_the_option() {
    let folder = Folder::new();
    let text = r#"
        [defaults]
        stall_limit = "1s"
        poll_interval = "1s"
        [[streams]]
        name = "a"
        source = "http://cam/#stall_limit=2s&fps=4"
        [[streams]]
        name = "b"
        source = "http://cam/#stall_limit=2s&fps=4"
        stall_limit = "3s"
        poll_interval = "3s"
        [[streams]]
        name = "c"
        source = "http://cam/"
    "#;
    let file = folder.write("mjpeg.toml", text);
    let output = command(&["config", "--show-origin", "-c", &file])
        .output()
        .unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    let values = |key: &str| -> Vec<_> {
        let begin = format!("{key} = ");
        let lines = out.lines().filter_map(|line| line.strip_prefix(&*begin));
        lines
            .map(|line| line.split(" #").next().unwrap().trim().to_owned())
            .collect()
    };
    assert_eq!(values("stall_limit"), ["\"2s\"", "\"3s\"", "\"1s\""]);
    assert_eq!(values("poll_interval"), ["\"250ms\"", "\"3s\"", "\"1s\""]);
    let labels = values("source");
    assert!(
        labels[0].contains("fps=4") && labels[0].contains("stall_limit=2s"),
        "{out}"
    );
    assert!(
        labels[1].contains("poll_interval=3s") && labels[1].contains("stall_limit=3s"),
        "{out}"
    );
    assert!(
        labels[2].contains("poll_interval=1s") && labels[2].contains("stall_limit=1s"),
        "{out}"
    );
}

#[test]
fn fallback_is_for_a_stream_of_the_command_line() {
    let folder = Folder::new();
    let text = "[[streams]]\nname = \"a\"\nsource = \"test:\"\n";
    let file = folder.write("mjpeg.toml", text);
    let shown = |stream: &str, variable: &str| {
        let mut config = command(&["config", "--show-origin", "-c", &file, "--stream", stream]);
        config.env("MJPEG_FALLBACK", variable);
        let output = config.output().unwrap();
        String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
    };
    let out = shown("b=test:", "b=tcp://one:1\nb=tcp://two:2");
    let line = out
        .lines()
        .find(|line| line.starts_with("fallback = [\"tcp"));
    let line = line.unwrap_or_else(|| panic!("{out}"));
    assert!(
        line.contains("[\"tcp://one:1\", \"tcp://two:2\"]"),
        "{line}"
    );
    assert!(line.ends_with("# MJPEG_FALLBACK"), "{line}");

    let out = shown("b=test:", "a=tcp://one:1");
    assert!(
        out.contains("MJPEG_FALLBACK: no stream of the command line is named a"),
        "{out}"
    );
    assert!(out.contains("set its `fallback` in the file"), "{out}");
    let out = shown("b=test:", "c=tcp://one:1");
    assert!(out.contains("add --stream c=…"), "{out}");
}
