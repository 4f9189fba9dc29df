//! `mjpeg-server migrate`: what it makes of other programs' configurations.

mod hostile;
mod started;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};

use crate::{
    folder::Folder,
    process::{command, run},
};

/// A configuration that was written for these tests.
fn fixture(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/migrate");
    folder.join(name)
}

/// The configurations, in order.
fn fixtures() -> Vec<String> {
    let folder = fs::read_dir(fixture("")).unwrap();
    let names = folder.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let is_input = |name: &String| !name.ends_with(".toml") && name != "README.md";
    let mut names: Vec<_> = names.filter(is_input).collect();
    names.sort();
    names
}

/// Migrates a fixture, and returns the result and what was said about it.
fn migrated(name: &str) -> (String, String) {
    // The result names the file, so the folder of this machine must not be in the name.
    let output = command(&["migrate", name])
        .current_dir(fixture(""))
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let (out, err) = (text(output.stdout), text(output.stderr));
    assert_eq!(output.status.code(), Some(0), "{name}: {err}");
    (out, err)
}

/// The variables that a result names, which get some value.
fn variables(text: &str) -> Vec<(String, String)> {
    let references = text.split("${env:").skip(1);
    let names = references.filter_map(|rest| rest.split_once('}'));
    names
        .filter(|(name, _)| *name != "NAME")
        .map(|(name, _)| (name.to_owned(), "hunter2".to_owned()))
        .collect()
}

/// A result without what differs from run to run: the salt of hashes.
fn steady(text: &str) -> String {
    let lines = text
        .lines()
        .map(|line| match line.starts_with("password_hash = ") {
            true => "password_hash = \"HASH\"\n".to_owned(),
            false => format!("{line}\n"),
        });
    lines.collect()
}

#[test]
fn each_configuration_becomes_what_is_beside_it() {
    let names = fixtures();
    assert!(names.len() >= 20, "{names:?}");
    for name in names {
        let (out, err) = migrated(&name);
        let said: String = err.lines().map(|line| format!("# {line}\n")).collect();
        let text = steady(&out) + "\n# Standard error:\n" + &said;
        let beside = fixture(&format!("{name}.toml"));
        if std::env::var("BLESS_MIGRATE").is_ok_and(|value| value == "1") {
            fs::write(&beside, &text).unwrap();
        }
        let expected = fs::read_to_string(&beside).unwrap_or_default();
        assert!(
            text == expected,
            "{name} becomes:\n{text}\nAccept it with BLESS_MIGRATE=1"
        );
    }
}

#[test]
fn each_result_passes_the_check_once_its_variables_are_set() {
    let folder = Folder::new();
    for name in fixtures() {
        let (out, _) = migrated(&name);
        let file = folder.write("mjpeg.toml", &out);
        let variables = variables(&out);
        let check = |is_set: bool| {
            let mut check = command(&["check", &file]);
            if is_set {
                check.envs(variables.iter().cloned());
            }
            let output = check.output().unwrap();
            (
                output.status.success(),
                String::from_utf8(output.stdout).unwrap(),
            )
        };
        let (is_fine, said) = check(true);
        assert!(is_fine, "{name}: {said}\n{out}");
        assert!(said.contains("0 errors"), "{name}: {said}");
        if !variables.is_empty() {
            let (is_fine, said) = check(false);
            assert!(!is_fine && said.contains("is not set"), "{name}: {said}");
        }
    }
}

#[test]
fn kind_is_told_by_name_by_content_or_by_flag() {
    let folder = Folder::new();
    for name in fixtures() {
        // By content alone.
        let text = fs::read_to_string(fixture(&name)).unwrap();
        let file = folder.write("configuration", &text);
        let (code, out, err) = run(&["migrate", &file]);
        assert_eq!(code, Some(0), "{name}: {err}");
        let program = match name.split(['_', '.']).next().unwrap() {
            "mjpg" | "garage" => "mjpg-streamer",
            "octopi" => "OctoPi",
            "frigate" => "Frigate",
            other => other,
        };
        let head = out.lines().take(3).collect::<Vec<_>>().join(" ");
        assert!(head.contains(&format!("({program})")), "{name}: {head}");
    }
    // By name: an empty list of streams looks like nothing.
    let file = folder.write("go2rtc.yaml", "{streams: {a: test}}");
    let (code, _, err) = run(&["migrate", &file]);
    assert!(
        code == Some(1) && err.contains("streams: a: it is no URL"),
        "{err}"
    );
    let file = folder.write("other", "{streams: {a: 'http://cam/video.mjpg'}}");
    let (code, _, err) = run(&["migrate", &file]);
    assert!(
        code == Some(1) && err.contains("cannot tell which program reads this"),
        "{err}"
    );
    assert!(err.contains("--from PROGRAM"), "{err}");
    let (code, out, err) = run(&["migrate", "--from", "go2rtc", &file]);
    assert!(
        code == Some(0) && out.contains("http://cam/video.mjpg"),
        "{err}"
    );
    let (code, _, err) = run(&["migrate", "--from", "motion", &file]);
    assert!(code == Some(2) && err.contains("crowsnest"), "{err}");
}

#[test]
fn several_files_and_standard_input_become_one_configuration() {
    let folder = Folder::new();
    let one = folder.write("one.conf", "[cam front]\nport: 8081\ndevice: /dev/video0\n");
    let two = folder.write("two.conf", "[cam front]\nport: 8081\ndevice: /dev/video1\n");
    let (code, out, err) = run(&["migrate", &one, &two]);
    assert_eq!(code, Some(0), "{err}");
    assert!(
        out.contains("name = \"front\"") && out.contains("name = \"front-2\""),
        "{out}"
    );
    // The port is the first one's; the second is at one that serves all.
    assert!(
        out.matches("8081").count() == 1 && out.contains("address = \"127.0.0.1:8080\""),
        "{out}"
    );
    assert!(
        err.contains("2 cameras carried over, on a condition"),
        "{err}"
    );

    let mut child = command(&["migrate", "-"]);
    child
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = child.spawn().unwrap();
    let line = b"ustreamer -d /dev/video0 -m JPEG -p 8085";
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), line).unwrap();
    let output = child.wait_with_output().unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    assert!(out.contains("from standard input (ustreamer)"), "{out}");
    assert!(out.contains("listen = \"127.0.0.1:8085\""), "{out}");
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        "1 camera carried over\n"
    );
}

#[test]
fn help_teaches() {
    let (code, out, _) = run(&["migrate", "--help"]);
    assert_eq!(code, Some(0));
    for words in [
        "crowsnest.conf > mjpeg.toml",
        "docs/migration.md",
        "--from <PROGRAM>",
        "octopi",
    ] {
        assert!(out.contains(words), "{words}: {out}");
    }
}
