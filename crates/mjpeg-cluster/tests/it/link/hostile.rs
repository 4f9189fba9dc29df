//! Nodes that send what they may not.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use mjpeg_cluster::{
    LinkFailure,
    mjpeg_ingest::{Event, FrameOrder},
};
use tokio::{io::AsyncWriteExt, net::TcpListener, time::timeout};

use super::{
    node::STREAM,
    peer::{HEAD, answering, client, frame, ingest, next, refusal, saying, state},
};

/// A port that answers with these bytes, and then with the last ones for ever.
async fn endless(begin: Vec<u8>, rest: Vec<u8>) -> std::net::SocketAddr {
    let bytes = Arc::new((begin, rest));
    answering(move |mut stream, _| {
        let bytes = Arc::clone(&bytes);
        async move {
            let _ = stream.write_all(&bytes.0).await;
            while stream.write_all(&bytes.1).await.is_ok() {}
        }
    })
    .await
}

#[tokio::test]
async fn address_of_no_node_is_not_dialled_whoever_names_it() {
    let trap = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let trapped = trap.local_addr().unwrap();
    for answer in [
        format!("HTTP/1.0 421 x\r\nx-owner: relay-1 {trapped}\r\n\r\n"),
        format!("HTTP/1.0 307 x\r\nlocation: //{trapped}/cluster/v1/streams/door?hop=1\r\n\r\n"),
    ] {
        let peer = saying(answer.into_bytes()).await;
        let known = peer.to_string();
        let client = client().with_known(move |address| address == known);
        let error = refusal(&client, peer).await;
        assert!(matches!(error, LinkFailure::Stranger { .. }), "{error}");
        assert_eq!(client.stats().strangers, 1);
        let dialled = timeout(Duration::from_millis(100), trap.accept()).await;
        dialled.expect_err("nobody dials it");
    }
}

#[tokio::test]
async fn head_without_end_is_given_up() {
    let begin = b"HTTP/1.0 200 OK\r\n".to_vec();
    for rest in ["x-a: b\r\n", "x"] {
        let peer = endless(begin.clone(), rest.repeat(100).into_bytes()).await;
        let error = refusal(&client(), peer).await;
        assert!(matches!(error, LinkFailure::Broken(_)), "{error}");
    }
}

#[tokio::test]
async fn heads_that_are_none_are_refused() {
    for head in [
        "\r\n\r\n",
        "HTTP/1.0\r\n\r\n",
        "HTTP/1.0 2000 OK\r\n\r\n",
        "HTTP/2 200 OK\r\n\r\n",
        "HTTP/1.0 +20 OK\r\n\r\n",
        "HTTP/1.0 200 OK\r\nno header\r\n\r\n",
        "HTTP/1.0 200 OK\r\ncontent-type: multipart/x\r\n\r\n",
        "HTTP/1.0 200 OK\r\ncontent-type: multipart/x\r\nx-mjpeg-via: nobody\r\n\r\n",
    ] {
        let error = refusal(&client(), saying(head.into()).await).await;
        assert!(matches!(error, LinkFailure::Broken(_)), "{head:?}: {error}");
    }
    let page = "HTTP/1.0 200 OK\r\ncontent-type: text/html\r\n\r\n";
    let error = refusal(&client(), saying(page.into()).await).await;
    assert!(matches!(error, LinkFailure::BadAnswer { .. }), "{error}");
    let own = "HTTP/1.0 200 OK\r\ncontent-type: multipart/x\r\n\
               x-mjpeg-via: 00000000000000aa, 00000000000000bb\r\n\r\n";
    let error = refusal(&client(), saying(own.into()).await).await;
    assert!(matches!(error, LinkFailure::Relay(_)), "{error}");
}

/// What becomes of a connection that goes on with these bytes behind one frame.
async fn end_of(bytes: Vec<u8>) -> String {
    let peer = saying([HEAD.as_bytes(), &frame(1, 1), &bytes].concat()).await;
    let mut edge = ingest(client(), peer, FrameOrder::new());
    assert_eq!(next(&mut edge).await, Ok((1, 1)));
    next(&mut edge).await.unwrap_err()
}

fn part(headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("\r\n--b\r\n{headers}\r\n\r\n");
    [head.as_bytes(), body].concat()
}

#[tokio::test]
async fn parts_that_the_link_does_not_allow_end_it() {
    let identity = "x-epoch: 1\r\nx-seq: 2\r\nx-mjpeg-via: 00000000000000aa";
    let image =
        |len: &str| format!("content-type: image/jpeg\r\ncontent-length: {len}\r\n{identity}");
    let json = |len: &str| format!("content-type: application/json\r\ncontent-length: {len}");
    let huge = "18446744073709551615";
    for (bytes, why) in [
        (part(&image(huge), b""), "max_frame_bytes"),
        (
            part(&image("99999999999999999999999999"), b""),
            "without a length",
        ),
        (part(&image("-1"), b""), "without a length"),
        (part("content-type: image/jpeg", b""), "without a length"),
        (part(&image("5"), b"hello"), "no JPEG image"),
        (part(&image("0"), b""), "no JPEG image"),
        (part(&json(huge), b""), "state that is too long"),
        (part(&json("16385"), b""), "state that is too long"),
        (part(&json("4"), b"true"), "state that is none"),
        (part(&json("11"), b"{\"state\":1}"), "state that is none"),
        (
            part("content-type: text/plain\r\ncontent-length: 1", b"x"),
            "unknown type",
        ),
        (part("content-length: 1", b"x"), "unknown type"),
        (part("no header", b""), "head of a part that is none"),
        (b"\r\nb\r\n\r\n".to_vec(), "head of a part that is none"),
        (vec![b'x'; 5000], "no head of a part"),
        (
            part(&"x: y\r\n".repeat(100), b""),
            "head of a part that is none",
        ),
    ] {
        let ended = end_of(bytes).await;
        assert!(ended.contains(why), "{ended:?} is not {why:?}");
        assert!(ended.contains("the node sent what it may not"), "{ended}");
    }
    let mut anonymous = frame(1, 2);
    let at = anonymous.windows(7).position(|w| w == b"x-epoch").unwrap();
    anonymous[at] = b'y';
    let ended = end_of(anonymous).await;
    assert!(ended.contains("without its identity"), "{ended}");
}

#[tokio::test]
async fn state_without_end_is_not_read() {
    let begin = [
        HEAD.as_bytes(),
        &part(
            "content-type: application/json\r\ncontent-length: 16384",
            b"",
        ),
    ];
    let peer = endless(begin.concat(), b"[".repeat(1000)).await;
    let mut edge = ingest(client(), peer, FrameOrder::new());
    let ended = next(&mut edge).await.unwrap_err();
    assert!(ended.contains("a state that is none"), "{ended}");
}

#[tokio::test]
async fn what_a_node_says_of_an_outage_is_one_short_line() {
    let why = format!(r"\u001b[2J\r\n{}", "x".repeat(5000));
    let said = format!(
        r#"{{"state":"offline","why":"{why}","offline_ms":18446744073709551615,"later":[1]}}"#
    );
    let peer = saying([HEAD.as_bytes(), &state(&said)].concat()).await;
    let client = client();
    let mut edge = ingest(client.clone(), peer, FrameOrder::new());
    let lost = next(&mut edge).await.unwrap_err();
    assert!(!lost.contains("[2J"), "{lost}");
    let said = client.pulled(STREAM).unwrap().state.unwrap();
    let why = said.why.unwrap();
    assert!(!why.chars().any(char::is_control), "{why:?}");
    assert_eq!(why.chars().count(), 200);
}

#[tokio::test]
async fn age_and_time_that_cannot_be_are_not_believed() {
    let mut bytes = HEAD.as_bytes().to_vec();
    let mut odd = frame(1, 1);
    let at = odd.windows(12).position(|w| w == b"x-age-us: 5\r").unwrap();
    let more = "x-age-us: 18446744073709551615\r\nx-timestamp: 99999999999999999.1\r";
    odd.splice(at..at + 12, more.bytes());
    bytes.extend(odd);
    let mut edge = ingest(client(), saying(bytes).await, FrameOrder::new());
    let captured = loop {
        if let Some(Event::Frame(captured)) = edge.next().await {
            break captured;
        }
    };
    let age = SystemTime::now().duration_since(captured.stamp.received());
    assert!(age.unwrap() < Duration::from_secs(30), "{captured:?}");
    assert_eq!(captured.stamp.camera(), None);
}
