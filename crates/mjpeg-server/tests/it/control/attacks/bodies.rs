//! Bodies that are too large, too slow, too deep, or no JSON.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::{super::Controlled, Watching, door, status, steady};

fn head(length: usize) -> String {
    format!(
        "POST /api/v1/streams HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\nConnection: close\r\n\r\n"
    )
}

async fn post(relay: &Controlled, body: impl AsRef<[u8]>) -> u16 {
    let body = body.as_ref();
    status(relay, [head(body.len()).as_bytes(), body].concat()).await
}

#[tokio::test]
async fn body_that_is_too_large_or_too_slow_holds_up_nobody() {
    let camera = steady().await;
    let relay = Controlled::start(&door(&camera));
    let watching = Watching::start(&relay, "/door/").await;
    // Each sends a part of its body, and then nothing.
    let mut slow = Vec::new();
    for _ in 0..16 {
        let mut stream = TcpStream::connect(relay.addr()).await.unwrap();
        let begun = [&*head(100), "{\"name\""].concat();
        stream.write_all(begun.as_bytes()).await.unwrap();
        slow.push(stream);
    }
    // As many as may are under way, which is said at once.
    let is_full = async { while post(&relay, "{}").await != 503 {} };
    let is_full = timeout(Duration::from_secs(5), is_full).await;
    is_full.expect("it is said in time");
    assert_eq!(relay.names().await, ["door"], "reading goes on");
    for mut stream in slow {
        let mut answer = Vec::new();
        let ended = timeout(Duration::from_secs(20), stream.read_to_end(&mut answer)).await;
        ended.expect("it is given up").unwrap();
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.contains(" 408 "), "{answer}");
    }
    let large = format!(r#"{{"name":"{}"}}"#, "x".repeat(256 << 10));
    assert_eq!(post(&relay, &large).await, 413);
    // Its length alone is enough.
    assert_eq!(status(&relay, head(1 << 40)).await, 413);
    let chunked = head(0).replace("Content-Length: 0", "Transfer-Encoding: chunked");
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
    assert_eq!(
        status(&relay, [chunked, chunk.repeat(8)].concat()).await,
        413
    );
    assert_eq!(
        post(&relay, r#"{"name":"last","source":"test:"}"#).await,
        201
    );
    let frames = watching.frames().await;
    assert!(frames >= 40, "{frames}");
}

#[tokio::test]
async fn json_that_is_meant_to_hurt_is_refused_and_changes_nothing() {
    let camera = steady().await;
    let relay = Controlled::start(&door(&camera));
    let watching = Watching::start(&relay, "/door/").await;
    let deep = |open: &str, close: &str| open.repeat(20_000) + &close.repeat(20);
    let within = |value: &str| format!(r#"{{"name":"evil","source":"test:","max_fps":{value}}}"#);
    let wide: Vec<String> = (0..20_000).map(|n| format!(r#""{n}":{n}"#)).collect();
    for (body, statuses) in [
        (deep("[", "]"), [400, 400]),
        (deep("{\"a\":", "}"), [400, 400]),
        (within(&("[".repeat(17) + &"]".repeat(17))), [400, 400]),
        (within(&("[".repeat(10) + &"]".repeat(10))), [422, 422]),
        (within("1e999999999"), [400, 422]),
        (within("-1e400"), [400, 422]),
        (within(&"9".repeat(10_000)), [400, 422]),
        (within("1e-400000"), [400, 422]),
        (within("NaN"), [400, 400]),
        (within("0x10"), [400, 400]),
        (within("[1,]"), [400, 400]),
        (format!("{{{}}}", wide.join(",")), [422, 422]),
        ("[]".into(), [422, 422]),
        ("\"name\"".into(), [422, 422]),
        ("null".into(), [422, 422]),
        (
            "{\"name\":\"evil\",\"source\":\"test:\"} {}".into(),
            [400, 400],
        ),
        (
            "\u{feff}{\"name\":\"evil\",\"source\":\"test:\"}".into(),
            [400, 400],
        ),
        (
            "{\"name\":\"evil\",\"source\":\"test:\",}".into(),
            [400, 400],
        ),
        (
            "// evil\n{\"name\":\"evil\",\"source\":\"test:\"}".into(),
            [400, 400],
        ),
        (r#"{"name":"\ud800","source":"test:"}"#.into(), [400, 422]),
        (
            r#"{"name":"ev\u0069l\u0000","source":"test:"}"#.into(),
            [422, 422],
        ),
        (r#"{"name":["evil"],"source":"test:"}"#.into(), [422, 422]),
        (r#"{"name":"evil","source":{"tcp":"x"}}"#.into(), [422, 422]),
        // None of two is taken: who looks at a body before the relay may have seen the other.
        (
            r#"{"name":"evil","source":"exec:id","source":"test:"}"#.into(),
            [400, 400],
        ),
    ] {
        let said = post(&relay, &body).await;
        let shown: String = body.chars().take(80).collect();
        assert!(statuses.contains(&said), "{shown}: {said}");
    }
    for bytes in [
        &b"{\"name\":\"\xff\xfe\",\"source\":\"test:\"}"[..],
        b"\0",
        b"\xff",
        b"{\"\xc0\x80\":1}",
    ] {
        let said = post(&relay, bytes).await;
        assert_eq!(said, 400, "{}", bytes.escape_ascii());
    }
    assert_eq!(relay.names().await, ["door"]);
    let folder = relay.folder.path().join("streams.d");
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), 0);
    watching.frames().await;
}
