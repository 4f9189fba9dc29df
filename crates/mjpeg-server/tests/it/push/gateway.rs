//! `POST /NAME/push` of a gateway, and who may send there.

use std::{fs, time::Duration};

use mjpeg_testkit::{Response, Viewer, jpeg, request};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::time::timeout;

use super::{commands, reach, run, shell};
use crate::{
    control::{Controlled, GATEWAY, INCLUDE},
    folder::Folder,
};

fn user(name: &str, keys: &str) -> String {
    let hash = Sha256::digest(format!("token of {name}"));
    let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("[[users]]\nname = \"{name}\"\ntoken_hash = \"sha256:{hash}\"\n{keys}\n")
}

fn bearer(name: &str) -> String {
    format!("Authorization: Bearer token of {name}\r\n")
}

const STREAMS: &str = "\
    [[streams]]\nname = \"phone\"\nsource = \"push:\"\nplaceholder = \"none\"\n\
    aliases = [\"mobile\"]\n\
    [[streams]]\nname = \"door\"\nsource = \"test:\"\n\
    [[streams]]\nname = \"secret\"\nsource = \"push:\"\nview = [\"owner\"]\n";

fn relay(auth: &str) -> Controlled {
    let users = [
        user(
            "sender",
            "may = [\"push\"]\nstreams = [\"phone\", \"door\"]",
        ),
        user("viewer", "may = [\"view\"]"),
        user("owner", "may = [\"view\", \"push\", \"control\"]"),
    ]
    .concat();
    Controlled::start(&[auth, &users, STREAMS].concat())
}

async fn sent(relay: &Controlled, line: &str, headers: &str, body: &[u8]) -> Response {
    let head = format!(
        "{line} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n{headers}Content-Type: image/jpeg\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        relay.addr().port(),
        body.len()
    );
    let asked = [head.as_bytes(), body].concat();
    let answer = timeout(Duration::from_secs(30), request(relay.addr(), asked)).await;
    answer.expect("in time").expect("an answer")
}

fn code(response: &Response) -> String {
    let problem: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    problem["code"].as_str().unwrap_or_default().into()
}

#[tokio::test]
async fn only_who_has_the_right_sends_and_only_to_streams_that_take_pictures() {
    let relay = relay("");
    let mut viewer = Viewer::open(relay.addr(), "/phone/stream").await.unwrap();
    let picture = jpeg::numbered(1);
    for (line, headers, status, word) in [
        ("POST /phone/push", "".into(), 401, "unauthorized"),
        ("POST /phone/push", bearer("nobody"), 401, "unauthorized"),
        ("POST /phone/push", bearer("viewer"), 403, "forbidden"),
        ("POST /phone/push", bearer("sender"), 200, ""),
        ("PUT /mobile/push", bearer("sender"), 200, ""),
        ("POST //phone//push/?x=y", bearer("owner"), 200, ""),
        (
            "GET /phone/push",
            bearer("sender"),
            405,
            "method_not_allowed",
        ),
        (
            "DELETE /phone/push",
            bearer("sender"),
            405,
            "method_not_allowed",
        ),
        (
            "POST /door/push",
            bearer("sender"),
            409,
            "not_a_push_stream",
        ),
        ("POST /door/push", "".into(), 401, "unauthorized"),
        // As for a stream that is not there.
        ("POST /secret/push", bearer("sender"), 404, "not_found"),
        ("POST /secret/push", bearer("owner"), 200, ""),
        ("POST /attic/push", bearer("sender"), 404, "not_found"),
        ("POST /attic/push", bearer("owner"), 404, "not_found"),
        ("POST /at%20tic/push", bearer("owner"), 404, "not_found"),
        ("POST /push", bearer("sender"), 404, ""),
    ] {
        let answer = sent(&relay, line, &headers, &picture).await;
        let said = format!("{line} {headers}: {answer:?}");
        assert_eq!(answer.head.status, status, "{said}");
        if !word.is_empty() {
            assert_eq!(code(&answer), word, "{said}");
        }
        if status == 200 {
            let taken: Value = serde_json::from_slice(&answer.body).unwrap();
            assert_eq!(taken, json!({ "pictures": 1 }));
        }
    }
    reach(&mut viewer, 1).await;
    for (body, status, word) in [
        (&b"<html>"[..], 415, "unsupported_media_type"),
        (b"", 415, "unsupported_media_type"),
        (&picture[..50], 400, "bad_request"),
    ] {
        let answer = sent(&relay, "POST /phone/push", &bearer("sender"), body).await;
        assert_eq!(
            (answer.head.status, &*code(&answer)),
            (status, word),
            "{answer:?}"
        );
    }
}

#[tokio::test]
async fn answers_to_pushes_are_counted_by_their_status() {
    let gateway =
        "[[listen]]\naddress = \"127.0.0.1:0\"\nserve = [\"streams\", \"page\", \"metrics\"]\n";
    let users = [
        user(
            "sender",
            "may = [\"push\"]\nstreams = [\"phone\", \"door\"]",
        ),
        user("owner", "may = [\"view\"]"),
    ]
    .concat();
    let relay = Controlled::of(&[INCLUDE, gateway, &users, STREAMS].concat());
    let mut viewer = Viewer::open(relay.addr(), "/phone/stream").await.unwrap();
    let picture = jpeg::numbered(1);
    for (line, headers, body) in [
        ("POST /phone/push", "".into(), &picture[..]),
        ("POST /phone/push", bearer("nobody"), &picture),
        ("POST /phone/push", bearer("sender"), &picture),
        ("POST /phone/push", bearer("sender"), b"<html>"),
        ("POST /door/push", bearer("sender"), &picture),
        // No pushes: another method, another path.
        ("PATCH /phone/push", bearer("sender"), &picture),
        ("POST /phone/pushed", bearer("sender"), &picture),
    ] {
        sent(&relay, line, &headers, body).await;
    }
    reach(&mut viewer, 1).await;
    let scraped = sent(&relay, "GET /metrics", "", b"").await;
    let scraped = String::from_utf8(scraped.body.to_vec()).unwrap();
    let counted = scraped.lines().filter_map(|line| {
        let line = line.strip_prefix("mjpeg_gateway_push_requests_total{status=\"")?;
        line.split_once("\"} ").filter(|(_, count)| *count != "0")
    });
    let counted: Vec<_> = counted.collect();
    let expected = [("200", "1"), ("401", "2"), ("409", "1"), ("415", "1")];
    assert_eq!(counted, expected, "{scraped}");
}

#[tokio::test]
async fn strangers_send_only_where_the_file_lets_them() {
    let relay = relay("[auth]\nanonymous = [\"view\", \"push\"]\n");
    let picture = jpeg::numbered(1);
    let answer = sent(&relay, "POST /phone/push", "", &picture).await;
    assert_eq!(answer.head.status, 200, "{answer:?}");
    // A stream that is not for everybody answers as one that is not there.
    let hidden = sent(&relay, "POST /secret/push", "", &picture).await;
    assert_eq!(hidden.head.status, 404, "{hidden:?}");
    let missing = sent(&relay, "POST /attic/push", "", &picture).await;
    let told = |answer: &Response| {
        let headers = answer
            .head
            .headers
            .iter()
            .filter(|(name, _)| name != "date");
        (headers.cloned().collect::<Vec<_>>(), answer.body.clone())
    };
    assert_eq!(told(&hidden), told(&missing));
}

#[tokio::test]
async fn page_of_another_origin_sends_nothing() {
    let relay = relay("[auth]\nanonymous = [\"view\", \"push\"]\n");
    let (port, picture) = (relay.addr().port(), jpeg::numbered(1));
    for (headers, status) in [
        ("Origin: http://evil.example\r\n".into(), 403),
        ("Sec-Fetch-Site: cross-site\r\n".into(), 403),
        ("Sec-Fetch-Site: none\r\n".into(), 403),
        ("Cookie: a=b\r\n".into(), 403),
        (format!("Origin: http://127.0.0.1:{port}\r\n"), 200),
        (
            format!("Cookie: a=b\r\nOrigin: http://127.0.0.1:{port}\r\n"),
            200,
        ),
        (String::new(), 200),
    ] {
        let answer = sent(&relay, "POST /phone/push", &headers, &picture).await;
        assert_eq!(answer.head.status, status, "{headers}: {answer:?}");
    }
    // A page that has made its own name lead here.
    let body = String::from_utf8_lossy(&picture).len();
    let asked = format!(
        "POST /phone/push HTTP/1.1\r\nHost: evil.example\r\nOrigin: http://evil.example\r\n\
         Content-Length: {body}\r\nConnection: close\r\n\r\n"
    );
    let asked = [asked.as_bytes(), &picture].concat();
    let answer = request(relay.addr(), asked).await.unwrap();
    assert_eq!(answer.head.status, 421, "{answer:?}");
}

#[tokio::test]
async fn curl_sends_a_picture_to_a_gateway_as_the_page_says() {
    let hash: String = Sha256::digest("s3cret/+")
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let page = fs::read_to_string(
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/push.md"),
    )
    .unwrap();
    let config = page.split("```toml\n").nth(2).expect("a configuration");
    let config = config.split("```").next().unwrap();
    let config = config.replace("sha256:…", &format!("sha256:{hash}"));
    let relay = Controlled::of(&[INCLUDE, GATEWAY, &config].concat());
    let mut viewer = Viewer::open(relay.addr(), "/phone/stream").await.unwrap();
    let folder = Folder::new();
    fs::write(folder.path().join("picture.jpg"), jpeg::numbered(9)).unwrap();
    let commands = commands("sh", relay.addr());
    let line = commands.iter().find(|line| line.contains("/phone/push"));
    let output = run(shell(line.expect("a command")), &folder).await;
    assert!(output.status.success(), "{output:?}");
    assert_eq!(output.stdout, b"{\"pictures\":1}");
    // A placeholder may have come before.
    let sees = async {
        loop {
            let frame = viewer.next_frame().await.unwrap().expect("not ended");
            if jpeg::number_of(&frame) == Some(9) {
                return;
            }
        }
    };
    timeout(Duration::from_secs(20), sees)
        .await
        .expect("it is seen");
}

#[tokio::test]
async fn api_adds_streams_that_wait_for_pictures_and_opens_no_port() {
    let relay = Controlled::start(&user("owner", "may = [\"view\", \"push\"]"));
    let created = relay
        .ask("POST", "/streams", r#"{"name":"phone","source":"push:"}"#)
        .await;
    assert_eq!(created.status, 201, "{created:?}");
    let answer = sent(
        &relay,
        "POST /phone/push",
        &bearer("owner"),
        &jpeg::numbered(1),
    )
    .await;
    assert_eq!(answer.head.status, 200, "{answer:?}");
    // A change of something else leaves the source as it is.
    let changed = relay
        .ask("PATCH", "/streams/phone", r#"{"check_frames":true}"#)
        .await;
    assert_eq!(changed.status, 200, "{changed:?}");
    let answer = sent(
        &relay,
        "POST /phone/push",
        &bearer("owner"),
        &jpeg::numbered(2),
    )
    .await;
    assert_eq!(answer.head.status, 200, "{answer:?}");
    let required = r#"{"name":"b","source":"push:","start":"require"}"#;
    let required = relay.ask("POST", "/streams", required).await;
    assert_eq!(required.status, 422, "{required:?}");
    let body = r#"{"name":"cam","source":"http-listen://127.0.0.1:1/cam"}"#;
    let refused = relay.ask("POST", "/streams", body).await;
    assert_eq!(refused.status, 422, "{refused:?}");
    assert!(
        refused.json.to_string().contains("[control] sources"),
        "{refused:?}"
    );
}
