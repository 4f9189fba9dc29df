//! What `config` prints.

use crate::{folder::Folder, process::run};

#[test]
fn example_passes_the_check_as_it_is_printed() {
    let folder = Folder::new();
    let (code, example, _) = run(&["config", "--example"]);
    assert_eq!(code, Some(0));
    let file = folder.write("mjpeg.toml", &example);
    let (code, out, err) = run(&["check", &file]);
    assert_eq!(code, Some(0), "{out}{err}");
    assert!(
        out.ends_with("0 errors, 0 warnings; 1 stream, 1 listener\n"),
        "{out}"
    );

    // With each commented key taken in, but for those that exclude one another, and for users, who
    // need a hash.
    let mut is_of_user = false;
    let all = example.lines().map(|line| match line.strip_prefix('#') {
        Some(key) if key.contains(" = ") && !key.starts_with([' ', ':']) => {
            let other = ["unix", "fd", "mode", "view"]
                .iter()
                .any(|other| key.starts_with(other));
            if other || is_of_user { line } else { key }
        }
        _ => {
            let is_header = line.trim_start_matches('#').starts_with('[');
            is_of_user = if is_header {
                // Their values stand for what only the operator has.
                let theirs = ["users", "webhooks", "cluster"];
                theirs.iter().any(|section| line.contains(section))
            } else {
                is_of_user
            };
            line
        }
    });
    let file = folder.write("all.toml", all.collect::<Vec<_>>().join("\n"));
    let (code, out, err) = run(&["check", &file]);
    assert_eq!(code, Some(0), "{out}{err}");
    assert!(
        out.contains("cannot read /etc/mjpeg-server/cert.pem"),
        "only that is missing: {out}"
    );
}

#[test]
fn schema_knows_every_key_of_the_example() {
    let (code, schema, _) = run(&["config", "--schema"]);
    assert_eq!(code, Some(0));
    let schema: serde_json::Value = serde_json::from_str(&schema).unwrap();
    let properties = |path: &str| schema.pointer(path).and_then(|at| at.as_object()).unwrap();
    let top = properties("/properties");
    let listen = properties("/properties/listen/items/properties");
    let streams = properties("/properties/streams/items/properties");
    let defaults = properties("/properties/defaults/properties");
    assert!(defaults.keys().all(|key| streams.contains_key(key)));
    assert!(!defaults.contains_key("source"));
    let (_, example, _) = run(&["config", "--example"]);
    let sections = [
        "/properties/auth",
        "/properties/users/items",
        "/properties/control",
        "/properties/webhooks/items",
        "/properties/cluster",
    ];
    let sections = sections.map(|section| properties(&format!("{section}/properties")));
    let keys = example.lines().filter_map(|line| {
        let (key, _) = line.trim_start_matches('#').split_once(" = ")?;
        (!key.contains(' ')).then_some(key)
    });
    for key in keys {
        let mut all = [top, listen, streams].into_iter().chain(sections);
        let is_known = all.any(|all| all.contains_key(key));
        assert!(is_known, "{key}");
    }
    assert_eq!(schema["properties"]["worker_threads"]["maximum"], 256);
    assert_eq!(schema["additionalProperties"], false);
}

#[test]
fn reference_is_current() {
    let (_, reference, _) = run(&["config", "--reference"]);
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/configuration.md");
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == reference,
        "write it anew: cargo run -p mjpeg-server -- config --reference > docs/configuration.md"
    );
}

#[test]
fn origin_of_every_value_is_shown_and_no_secret() {
    let folder = Folder::new();
    let text = r#"worker_threads = 2
[[listen]]
address = "127.0.0.1:0"
[defaults]
max_viewers = 5
[[streams]]
name = "a"
source = "http://me:hunter2@cam/v?token=hunter2#stall_limit=1m"
fallback = ["tcp://cam:1"]
max_fps = 3
"#;
    let file = folder.write("mjpeg.toml", text);
    let args = ["config", "--show-origin", "-c", &file, "--max-kbps", "100"];
    let (code, out, err) = run(&args);
    assert_eq!(code, Some(0), "{err}");
    let line = |key: &str| {
        let found = out
            .lines()
            .find(|line| line.starts_with(&format!("{key} = ")));
        let words = found.unwrap_or_default().split_whitespace();
        words.collect::<Vec<_>>().join(" ")
    };
    for (key, value, origin) in [
        ("worker_threads", "2", format!("{file}:1:18")),
        ("max_viewers_total", "20000", "built-in default".into()),
        ("address", "\"127.0.0.1:0\"", format!("{file}:3:11")),
        ("max_viewers", "5", format!("{file}:5:15")),
        ("max_fps", "3", format!("{file}:10:11")),
        ("max_kbps", "100.0", "--max-kbps".into()),
        (
            "stall_limit",
            "\"1m\"",
            "option in the URL of the source".into(),
        ),
        ("snapshot_wait", "\"800ms\"", "built-in default".into()),
        ("fallback", "[\"tcp://cam:1\"]", format!("{file}:9:12")),
    ] {
        assert_eq!(line(key), format!("{key} = {value} # {origin}"), "{out}");
    }
    assert!(line("source").contains("http://***@cam/v"), "{out}");
    assert!(!(out + &err).contains("hunter2"));
}
