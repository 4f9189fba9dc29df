//! What is wrong with a file, and how it is told.

use crate::{
    folder::Folder,
    process::{command, run},
};

pub(super) fn checked(text: &str) -> (Option<i32>, String) {
    let folder = Folder::new();
    folder.write("mjpeg.toml", text);
    let output = command(&["check", "mjpeg.toml"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    (output.status.code(), out)
}

const BAD: &str = r#"worker_threads = 0
max_viewer = 3
[[listen]]
adress = "127.0.0.1:0"
serve = ["streams", "control"]
tls = { certificate = "/a", keys = "/b" }
[defaults]
linger = 10
stall_limit = "8d"
name = "x"
[[streams]]
name = "a"
source = "rtps://me:hunter2@cam/1"
max_fps = "fast"
[[streams]]
name = "a"
sorce = "tcp://a:1"
repair = ["eoi", "eio"]
[[streams]]
name = "healthz"
source = "tcp://a:1"
listen = "here"
password = "hunter2"
"#;

#[test]
fn all_errors_are_told_at_once_with_their_lines() {
    let (code, out) = checked(BAD);
    assert_eq!(code, Some(1), "{out}");
    for (place, line, message) in [
        (
            1,
            "worker_threads = 0",
            "`worker_threads` is out of bounds: 1 to 256",
        ),
        (2, "max_viewer = …", "unknown key `max_viewer`"),
        (4, "adress = \"…\"", "did you mean `address`?"),
        (
            3,
            "[[listen]]",
            "this listener has no `address`, `unix` or `fd`",
        ),
        (5, "serve = [", "\"control\" needs a user who may control"),
        (6, "tls = {", "did you mean `key`?"),
        (8, "linger = 10", "expected a time with its unit"),
        (9, "stall_limit = \"8d\"", "1ms to 7d"),
        (10, "name = \"x\"", "it belongs to [[streams]]"),
        (13, "source = \"rtps:…\"", "unknown kind of source \"rtps\""),
        (14, "max_fps = \"fast\"", "expected a number, or \"none\""),
        (16, "name = \"a\"", "the name a is taken (already_exists)"),
        (17, "sorce = \"…\"", "did you mean `source`?"),
        (15, "[[streams]]", "this stream has no `source`"),
        (18, "repair = [\"eoi\", \"eio\"]", "unknown word `eio`"),
        (
            20,
            "name = \"healthz\"",
            "the listeners need the name healthz themselves",
        ),
        (22, "listen = \"here\"", "expected a port (8081)"),
        (23, "password = \"…\"", "unknown key `password`"),
    ] {
        let said = out.contains(message) && out.contains(&format!("mjpeg.toml:{place}:"));
        assert!(said && out.contains(line), "{message}: {out}");
    }
    assert!(
        out.contains("         ^^^^^\n"),
        "the word itself is underlined: {out}"
    );
    assert!(
        out.ends_with("mjpeg.toml: 18 errors, 0 warnings\n"),
        "{out}"
    );
    assert!(!out.contains("hunter2"), "{out}");
}

#[test]
fn errors_are_json_for_programs() {
    let folder = Folder::new();
    let file = folder.write("mjpeg.toml", BAD);
    let (code, out, err) = run(&["check", &file, "--json"]);
    assert_eq!((code, &*err), (Some(1), ""));
    let found: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(found["errors"].as_array().unwrap().len(), 18, "{out}");
    assert_eq!(found["warnings"], serde_json::json!([]));
    let first = &found["errors"][0];
    assert_eq!(first["file"], *file);
    assert_eq!((&first["line"], &first["column"]), (&1.into(), &18.into()));
    assert_eq!(first["key"], "worker_threads");
    assert!(!out.contains("hunter2"), "{out}");
}

#[test]
fn what_is_not_toml_is_told_and_the_rest_is_read_all_the_same() {
    for (text, message) in [
        (
            "[listen]\naddress = 1\n",
            "write [[listen]], with two brackets on each side",
        ),
        ("[[defaults]]\n", "write [defaults]"),
        ("streams = 1\n", "write [[streams]]"),
        ("include = \"a\"\n", "write a list"),
        ("include = [1]\n", "in quotation marks"),
        (
            "include = [\"*/a.toml\"]\n",
            "only the file's name may have a '*'",
        ),
        (
            "include = [\"missing.toml\"]\n",
            "missing.toml: cannot read this file",
        ),
        (
            "[[streams]]\nsource = http://me:hunter2@cam/\n",
            "string values must be quoted",
        ),
        (
            "[[streams]]\nsource = \"http://me:hunter2@cam/\n",
            "mjpeg.toml:2:",
        ),
        ("[[streams]]\nname = \"a\"\nname = \"b\"\n", "duplicate key"),
        ("[[listen]]\nmode = \"0999\"\n", "octal"),
        (
            "[[listen]]\naddress = 8080\nunix = \"/a\"\n",
            "one of `address`, `unix` and `fd`",
        ),
        (
            "[[listen]]\naddress = 1\ndefault = \"x\"\n",
            "no stream is named x",
        ),
        (
            "[[listen]]\naddress = 1\norigins = [\"page\"]\n",
            "is not an origin",
        ),
        (
            "[[listen]]\naddress = 1\nbase_path = \"x\"\n",
            "must begin with a slash",
        ),
        (
            "[[listen]]\naddress = 1\n[[listen]]\naddress = 1\n",
            "taken twice (port_in_use)",
        ),
        (
            "[[listen]]\naddress = 1\nhosts = [\"a b\"]\n",
            "write names of this machine",
        ),
        (
            "[defaults]\nplaceholder = \"/no/such.jpg\"\n[[streams]]\nname = \"a\"\nsource = \"test:\"\n",
            "cannot read /no/such.jpg",
        ),
        (
            "[[streams]]\nname = \"a\"\nsource = \"test:\"\nstart = \"require\"\non_demand = true\n",
            "mjpeg.toml:4:9",
        ),
        ("a = \"\u{1b}[2J\"\n", "unknown key `a`"),
    ] {
        let text = text.to_owned() + "[defaults]\nxyz = 1\n";
        let text = match text.matches("[defaults]").count() {
            1 => text,
            _ => text.replace("[defaults]\nxyz = 1\n", ""),
        };
        let (code, out) = checked(&text);
        assert_eq!(code, Some(1), "{text}: {out}");
        assert!(out.contains(message), "{text}: {out}");
        assert!(
            !text.contains("xyz") || out.contains("unknown key `xyz`"),
            "{text}: {out}"
        );
        assert!(
            !out.contains("hunter2") && !out.contains('\u{1b}'),
            "{text}: {out}"
        );
    }
}

#[test]
fn included_file_may_hold_only_streams() {
    let folder = Folder::new();
    let file = folder.write("mjpeg.toml", "include = [\"more.toml\"]\n");
    folder.write(
        "more.toml",
        "worker_threads = 1\ninclude = [\"mjpeg.toml\"]\n[[listen]]\n",
    );
    let (code, out, _) = run(&["check", &file]);
    assert_eq!(code, Some(1), "{out}");
    assert_eq!(
        out.matches("an included file may hold only [[streams]]")
            .count(),
        3,
        "{out}"
    );
}

#[test]
fn warnings_leave_the_exit_code_0() {
    let text = r#"
        [[listen]]
        address = "127.0.0.1:0"
        tls = { certificate = "/no/such/cert.pem", key = "/no/such/key.pem" }
        [[streams]]
        name = "a"
        source = "tcp://cam:1#stall_limit=1m"
        stall_limit = "2m"
        linger = "5s"
        poll_interval = "1s"
        [[streams]]
        name = "b"
        source = "tcp://cam:1"
    "#;
    let (code, out) = checked(text);
    assert_eq!(code, Some(0), "{out}");
    for message in [
        "cannot read /no/such/cert.pem",
        "cannot read /no/such/key.pem",
        "the key `stall_limit` beats the option #stall_limit of the URL",
        "`linger` has no effect without `on_demand`",
        "`poll_interval` is only for cameras that speak HTTP",
        "streams a and b name the same camera",
    ] {
        assert!(out.contains(message), "{message}: {out}");
    }
    assert!(
        out.ends_with("0 errors, 6 warnings; 2 streams, 1 listener\n"),
        "{out}"
    );
}

#[test]
fn streams_of_one_camera_are_told_together() {
    let stream = |name: &str| format!("[[streams]]\nname = '{name}'\nsource = 'tcp://cam:1'\n");
    let text: String = ["a", "b", "c", "d"].map(stream).concat();
    let (code, out) = checked(&text);
    assert_eq!(code, Some(0), "{out}");
    let together = "streams a, b and 2 more name the same camera";
    assert!(out.contains(together), "{out}");
    assert!(out.contains("0 errors, 1 warning;"), "{out}");
}

#[test]
fn reserved_names_are_free_where_there_is_no_listener() {
    let stream = "[[streams]]\nname = \"stream\"\nsource = \"test:\"\n";
    let (code, out) = checked(&format!("{stream}listen = 8081\n"));
    assert_eq!(code, Some(0), "{out}");
    assert!(out.contains("1 stream, 0 listeners"), "{out}");
    let (code, out) = checked(stream);
    assert_eq!(code, Some(1), "{out}");
    assert!(out.contains("the listeners need the name stream"), "{out}");
    let alias = "[[streams]]\nname = \"a\"\nsource = \"test:\"\naliases = [\"api\", \"a\"]\n";
    let (_, out) = checked(alias);
    assert!(
        out.contains("need the name api") && out.contains("the name a is taken"),
        "{out}"
    );
}

#[test]
fn files_includes_and_streams_are_bounded() {
    let folder = Folder::new();
    let large = "# ".to_owned() + &"x".repeat(4 << 20);
    let many = |n| -> String {
        let stream = |n| format!("[[streams]]\nname = \"s{n}\"\nsource = \"test:\"\nlisten = 0\n");
        (0..n).map(stream).collect()
    };
    let includes: String = (0..65).map(|n| format!("\"f{n}-*\",")).collect();
    for (text, code, message) in [
        (large.as_str(), 1, "larger than 4 MiB"),
        (&many(4097), 1, "at most 4096 streams"),
        (&many(4096), 0, "4096 streams"),
        (&format!("include = [{includes}]"), 1, "at most 64 patterns"),
        (&format!("a = {}", "[".repeat(100_000)), 1, "error"),
    ] {
        let file = folder.write("mjpeg.toml", text);
        let (found, out, err) = run(&["check", &file]);
        assert_eq!(found, Some(code), "{message}: {err}");
        assert!(out.contains(message), "{message}");
    }
    let (_, out, _) = run(&["check", "/dev/zero"]);
    assert!(out.contains("/dev/zero"), "{out}");
}
