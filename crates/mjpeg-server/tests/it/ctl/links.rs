//! `ctl links`, against a relay, and against what answers as the API does.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    thread::{self, JoinHandle},
    time::Duration,
};

use mjpeg_testkit::{Viewer, request};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{ControlledRelay, Done, GUEST, TOKEN, users};

/// Answers one request with this status and document. Returns its URL, and then what was asked:
/// the request line and the document.
pub(super) fn answering(status: &str, answer: &Value) -> (String, JoinHandle<(String, Value)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let body = if answer.is_null() {
        String::new()
    } else {
        answer.to_string()
    };
    let length = body.len();
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    let asked = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let (mut first, mut length) = (String::new(), 0);
        reader.read_line(&mut first).unwrap();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if line.trim().is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        stream.write_all(answer.as_bytes()).unwrap();
        (
            first.trim().into(),
            serde_json::from_slice(&body).unwrap_or_default(),
        )
    });
    (url, asked)
}

fn link() -> Value {
    json!({
        "id": "7Yw", "stream": "garage", "action": "stream",
        "expires": "2026-11-29T09:00:00.000Z", "fps": 5.0,
    })
}

#[test]
fn link_is_made_and_printed_with_the_url_of_the_relay() {
    let mut made = link();
    made["url"] = json!("garage/?sig=abc");
    let (url, asked) = answering("201 Created", &made);
    let create = ["links", "create", "garage", "--valid", "90m", "--fps", "5"];
    let done = Done::at(&format!("{url}/cams"), &create);
    assert_eq!(
        done.stdout,
        format!("{url}/cams/garage/?sig=abc\n"),
        "{done:?}"
    );
    assert!(done.stderr.contains("7Yw") && done.stderr.contains("2026-11-29 09:00:00"));
    let (line, body) = asked.join().unwrap();
    assert_eq!(line, "POST /cams/api/v1/links HTTP/1.1");
    assert_eq!(
        body,
        json!({ "stream": "garage", "valid_s": 5400.0, "fps": 5.0 })
    );
}

#[test]
fn link_for_single_pictures_says_so() {
    let (url, asked) = answering("201 Created", &link());
    let create = [
        "links",
        "create",
        "garage",
        "--valid",
        "1h",
        "--snapshot",
        "--json",
    ];
    let done = Done::at(&url, &create);
    assert_eq!(serde_json::from_str::<Value>(&done.stdout).unwrap(), link());
    assert_eq!(asked.join().unwrap().1["action"], "snapshot");
}

#[test]
fn links_are_listed_and_revoked() {
    for args in [&["links"][..], &["links", "list"]] {
        let (url, asked) = answering("200 OK", &json!({ "links": [link()] }));
        let done = Done::at(&url, args);
        let expected = "\
ID   STREAM  ACTION  EXPIRES (UTC)        FPS
7Yw  garage  stream  2026-11-29 09:00:00  5.0
";
        assert_eq!(done.stdout, expected, "{done:?}");
        assert_eq!(
            asked.join().unwrap().0,
            "GET /api/v1/links?limit=1000 HTTP/1.1"
        );
    }
    let (url, asked) = answering("204 No Content", &Value::Null);
    let done = Done::at(&url, &["links", "revoke", "a/b"]);
    assert_eq!(done.stdout, "a/b is revoked\n", "{done:?}");
    assert_eq!(
        asked.join().unwrap().0,
        "DELETE /api/v1/links/a%2Fb HTTP/1.1"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn link_is_good_until_it_is_revoked() {
    let closed = format!(
        "serve = [\"streams\", \"page\", \"control\"]\n[auth]\nanonymous = []\n{}",
        users()
    );
    let relay = ControlledRelay::start_with(&closed);
    let url = relay.url();
    let token = relay.folder.write("token", TOKEN);
    let guest = relay.folder.write("guest", GUEST);
    let links = |token: &str, args: &[&str]| {
        Done::at(&url, &[&["--token-file", token, "links"], args].concat())
    };
    links(&guest, &["create", "garage", "--valid", "1h"]).fails(5, &["error: "]);
    links(&token, &["create", "nobody", "--valid", "1h"]).fails(4, &["error: "]);
    let mut made = Vec::new();
    for more in [&[][..], &["--snapshot"]] {
        let create = [&["create", "garage", "--valid", "1h"], more].concat();
        let done = links(&token, &create);
        let path = done.stdout.trim().strip_prefix(&url).expect("its URL");
        let (_, id) = done.stderr.split_once("link ").expect("its id");
        let (id, _) = id.split_once(',').expect("its end");
        made.push((path.to_owned(), id.to_owned()));
    }
    let get = async |path: &str| {
        let asked = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        let answer = request(relay.addr(), asked).await.expect("an answer");
        answer.head.status
    };
    let [(stream, id), (snapshot, other)] = &made[..] else {
        panic!("{made:?}");
    };
    assert_eq!(get("/garage/stream").await, 401);
    let mut viewer = Viewer::open(relay.addr(), stream).await.unwrap();
    viewer.next_frame().await.unwrap().expect("a frame");
    assert_eq!(get(snapshot).await, 200);

    let listed = links(&token, &[]).stdout;
    let listed: Vec<&str> = listed.lines().collect();
    assert!(
        listed.len() == 3 && listed[1].starts_with(&**id),
        "{listed:?}"
    );
    assert!(listed[2].starts_with(&**other) && listed[2].contains("snapshot"));
    let signature = stream.split_once("sig=").expect("it is signed").1;
    assert!(!listed.concat().contains(signature), "{listed:?}");

    let revoked = links(&token, &["revoke", id]);
    assert_eq!(revoked.stdout, format!("{id} is revoked\n"), "{revoked:?}");
    assert_eq!(get(stream).await, 401);
    let ending = async { while let Ok(Some(_)) = viewer.next_frame().await {} };
    let ended = timeout(Duration::from_secs(1), ending).await;
    ended.expect("whoever watches by it is cut");
    assert_eq!(get(snapshot).await, 200, "the other link is good");
    links(&token, &["revoke", id]).fails(4, &["error: "]);
    assert_eq!(links(&token, &[]).stdout.lines().count(), 2);
}
