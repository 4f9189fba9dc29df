//! What `[cluster]` may hold.

use crate::{folder::Folder, process::run};

fn checked(keys: &str) -> (Option<i32>, String) {
    let folder = Folder::new();
    let text = format!("[[streams]]\nname = \"a\"\nsource = \"test:\"\n[cluster]\n{keys}");
    let file = folder.write("mjpeg.toml", text);
    let (code, out, _) = run(&["check", &file]);
    (code, out)
}

const GOOD: &str = "name = \"plant\"\nnode = \"a\"\nengine = [\"http://127.0.0.1:2379\"]\n\
                    listen = \"127.0.0.1:7443\"\n";

#[test]
fn loopback_needs_neither_certificates_nor_a_secret() {
    assert_eq!(checked(GOOD).0, Some(0), "{}", checked(GOOD).1);
}

#[test]
fn what_is_missing_or_open_to_others_is_refused() {
    let with = |from: &str, to: &str| checked(&GOOD.replace(from, to));
    for ((code, said), word) in [
        (with("name = \"plant\"\n", ""), "this cluster has no `name`"),
        (with("node = \"a\"\n", ""), "this cluster has no `node`"),
        (with("\"a\"", "\"a b\""), "expected 1 to 64 letters"),
        (
            with("listen = \"127.0.0.1:7443\"\n", ""),
            "this cluster has no `listen`",
        ),
        (
            with("127.0.0.1:7443", "10.0.0.1:7443"),
            "without `tls`, nodes talk on loopback",
        ),
        (
            with("127.0.0.1:7443", "0.0.0.0:7443"),
            "set `advertise` to HOST:PORT",
        ),
        (
            checked(&format!("{GOOD}advertise = \"relay.lan:7443\"")),
            "without `tls`, nodes talk on loopback",
        ),
        (with("127.0.0.1:2379", "10.0.0.1:2379"), "without `secret`"),
        (with("http://127", "127"), "begins with http:// or https://"),
        (checked(&format!("{GOOD}lease = \"200ms\"")), "1s to 60s"),
        (
            checked(&format!("{GOOD}engine_user = \"x\"")),
            "go together",
        ),
    ] {
        assert_eq!(code, Some(1), "{word}: {said}");
        assert!(said.contains(word), "{word}: {said}");
    }
}

#[test]
fn requirement_without_a_cluster_is_warned_of() {
    let folder = Folder::new();
    let text = "[[streams]]\nname = \"a\"\nsource = \"test:\"\nrequires = { site = \"a\" }\n";
    let file = folder.write("mjpeg.toml", text);
    let (code, said, _) = run(&["check", &file]);
    assert_eq!(code, Some(0));
    assert!(
        said.contains("`requires` has no effect without `[cluster]`"),
        "{said}"
    );
}
