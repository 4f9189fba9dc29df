//! What `check` says of sources that wait for pictures, and what a reload does to them.

use mjpeg_testkit::{Viewer, jpeg, request};

use super::reach;
use crate::{
    control::{Controlled, GATEWAY, INCLUDE},
    folder::Folder,
    process::run,
    sources::free_addr,
};

fn checked(text: &str) -> (Option<i32>, String) {
    let folder = Folder::new();
    let file = folder.write("mjpeg.toml", text);
    let (code, stdout, stderr) = run(&["check", &file]);
    (code, stdout + &stderr)
}

fn stream(name: &str, source: &str, keys: &str) -> String {
    format!("[[streams]]\nname = \"{name}\"\nsource = \"{source}\"\n{keys}\n")
}

#[test]
fn check_teaches_how_such_a_source_is_written() {
    for (source, says) in [
        (
            "http-listen://:8090/cam1#token=hunter2",
            "the address to listen at is missing",
        ),
        ("http-listen://0.0.0.0:8090/cam1", "add #token=SECRET"),
        (
            "http-listen://0.0.0.0:8090/cam1?token=hunter2",
            "stands behind the path",
        ),
        ("push://0.0.0.0:8090", "push: has no address"),
        ("push", "a source is a URL"),
    ] {
        let (code, said) = checked(&stream("a", source, ""));
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains(says), "{source}: {said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
}

#[test]
fn check_finds_paths_that_two_streams_have() {
    let a = stream("a", "http-listen://127.0.0.1:8090/cam1#token=hunter2", "");
    let b = stream(
        "b",
        "http-listen://127.0.0.1:8090/cam%31#stall_limit=1m",
        "",
    );
    let (code, said) = checked(&[&*a, &b].concat());
    assert_eq!(code, Some(1), "{said}");
    let expected = "streams a and b have the same path: http-listen://127.0.0.1:8090/cam1";
    assert!(
        said.contains(expected) && !said.contains("hunter2"),
        "{said}"
    );
    let c = stream("c", "http-listen://127.0.0.1:8090/cam2", "");
    let (code, said) = checked(&[&*a, &c].concat());
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn check_warns_where_nobody_can_send() {
    let phone = stream("phone", "push:", "");
    let (code, said) = checked(&phone);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("nobody may send pictures to phone"), "{said}");
    let (_, said) = checked(&["[auth]\nanonymous = [\"view\", \"push\"]\n", &*phone].concat());
    assert!(!said.contains("nobody may send"), "{said}");
    let (_, said) = checked(&stream(
        "a",
        "http-listen://127.0.0.1:1/a",
        "on_demand = true",
    ));
    assert!(said.contains("its senders are refused"), "{said}");
}

/// Sends a picture to a port of a source; returns the status.
async fn posted(addr: std::net::SocketAddr, target: &str, number: u32) -> u16 {
    let picture = jpeg::numbered(number);
    let head = format!(
        "POST {target} HTTP/1.1\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        picture.len()
    );
    let answer = request(addr, [head.as_bytes(), &picture].concat()).await;
    answer.map_or(0, |answer| answer.head.status)
}

#[tokio::test]
async fn reload_changes_token_path_and_port_and_viewers_go_on() {
    let (first, second) = (free_addr(), free_addr());
    let config = |source: &str| {
        let other = format!("http-listen://{first}/other#token=o");
        let streams = [
            stream("cam", source, "placeholder = \"none\""),
            stream("other", &other, ""),
        ];
        [INCLUDE, GATEWAY, &streams.concat()].concat()
    };
    let mut relay = Controlled::of(&config(&format!("http-listen://{first}/a#token=x")));
    let mut viewer = Viewer::open(relay.addr(), "/cam/stream").await.unwrap();
    let steps = [
        (first, "/a", "x", (first, "/a?token=y"), 401),
        (first, "/a", "y", (first, "/a?token=x"), 401),
        (first, "/b", "y", (first, "/a?token=y"), 404),
        (second, "/b", "y", (first, "/b?token=y"), 404),
    ];
    for (n, (addr, path, token, (old, target), refused)) in (0..).zip(steps) {
        if n > 0 {
            let source = format!("http-listen://{addr}{path}#token={token}");
            let lines = relay.reload(&config(&source)).join("\n");
            assert!(lines.contains("configuration reloaded"), "{lines}");
            assert!(
                !lines.contains("token=x") && !lines.contains("token=y"),
                "{lines}"
            );
        }
        let sends = async {
            // The stream's task takes the new source a moment after the reload.
            while posted(addr, &format!("{path}?token={token}"), n).await != 200 {}
        };
        let sent = tokio::time::timeout(std::time::Duration::from_secs(20), sends).await;
        sent.expect("it is taken");
        reach(&mut viewer, n).await;
        assert_eq!(posted(old, target, 100).await, refused, "{path} {token}");
        // The other stream of the port is not disturbed.
        assert_eq!(posted(first, "/other?token=o", 1).await, 200);
    }
}
