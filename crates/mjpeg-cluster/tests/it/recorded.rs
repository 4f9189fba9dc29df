//! What the first version wrote to the engine and sent over the link: later ones must read it.

use std::{fs, path::PathBuf};

use mjpeg_cluster::{
    EngineKey, EngineValue,
    mjpeg_codec::{Frame, Stamp},
    mjpeg_fanout::Status,
    mjpeg_ingest::FrameOrder,
};
use mjpeg_testkit::jpeg;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, timeout},
};

use super::link::{
    node::{At, Node, PATIENCE, STREAM},
    peer::{answering, client, ingest, next, saying},
};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/v1")
}

fn recorded(name: &str) -> Vec<u8> {
    fs::read(folder().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn records_of_the_engine_are_read_and_written_as_they_were() {
    for (file, key) in [
        ("member.json", "members/relay-1"),
        ("node.json", "nodes/relay-1"),
        ("stream.json", "streams/door"),
        ("owner.json", "owners/door"),
        ("move.json", "moves/door"),
        ("drain.json", "drains/relay-1"),
    ] {
        let key = EngineKey::parse(key.as_bytes()).unwrap();
        let json = recorded(file);
        let value = EngineValue::parse(&key, &json).unwrap_or_else(|| panic!("{file}"));
        assert_eq!(value.key(), key);
        let written = String::from_utf8(value.to_json()).unwrap();
        assert_eq!(written, String::from_utf8(json.clone()).unwrap(), "{file}");
        // A later version may say more.
        let text = String::from_utf8(json).unwrap();
        let comma = if text == "{}" { "" } else { "," };
        let more = text.replacen('{', &format!(r#"{{"later":{{"a":[1,null]}}{comma}"#), 1);
        let read = EngineValue::parse(&key, more.as_bytes());
        match read.unwrap_or_else(|| panic!("{file}: {more}")) {
            // The keys of a stream are the configuration's, and all of them are kept.
            EngineValue::Stream(..) => {}
            read => assert_eq!(read, value, "{file}"),
        }
    }
}

#[tokio::test]
async fn answer_of_the_link_is_read() {
    let answer = recorded("answer.bin");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut later = answer.clone();
    for (old, new) in [
        (
            "cache-control: no-store",
            "x-later: 1\r\ncache-control: no-store",
        ),
        ("x-age-us: ", "x-later: 2\r\nx-age-us: "),
    ] {
        let at = later
            .windows(old.len())
            .position(|part| part == old.as_bytes());
        let at = at.unwrap_or_else(|| panic!("no {old} in {}", text(&later)));
        later.splice(at..at + old.len(), new.bytes());
    }
    for bytes in [answer, later] {
        let client = client();
        let mut edge = ingest(client.clone(), saying(bytes).await, FrameOrder::new());
        assert_eq!(next(&mut edge).await, Ok((7, 1)));
        let state = client.pulled(STREAM).unwrap().state.unwrap();
        assert!(state.is_online);
        assert_eq!((state.epoch, state.depth), (Some(7), 0));
    }
}

#[tokio::test]
async fn request_of_the_link_is_answered() {
    let owner = Node::start(1, At::Owned(7)).await;
    publish(&owner);
    let head = exchange(&owner, &recorded("request.txt")).await;
    let head = String::from_utf8_lossy(&head).into_owned();
    assert!(head.starts_with("HTTP/1.0 200 "), "{head}");
    assert!(head.contains("x-epoch: 7\r\n"), "{head}");
    // It named itself, so others can be sent to it.
    let viewers = owner.service.viewers();
    assert_eq!(viewers[0].protocol, "cluster");
}

fn publish(owner: &Node) {
    let now = Instant::now().into_std();
    let id = mjpeg_cluster::mjpeg_codec::FrameId { epoch: 7, seq: 1 };
    let stamp = Stamp::new(std::time::SystemTime::now(), now).with_id(id);
    let frame = Frame::parse(jpeg::numbered(1)).unwrap();
    owner.producer.publish(frame, stamp);
    owner.producer.set_status(Status::Online);
}

/// Sends a request, and reads until a whole frame has come.
async fn exchange(owner: &Node, request: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(owner.peers).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    let end = jpeg::numbered(1);
    let whole = async {
        while !answer.windows(end.len()).any(|part| part == end) {
            assert!(stream.read_buf(&mut answer).await.unwrap() > 0);
        }
    };
    timeout(PATIENCE, whole).await.expect("a frame");
    answer
}

/// Writes what this version sends; see the README there.
#[tokio::test]
#[ignore = "makes the test data"]
async fn record() {
    let owner = Node::start(1, At::Owned(7)).await;
    publish(&owner);
    let (asked, mut requests) = tokio::sync::mpsc::unbounded_channel();
    let silent = answering(move |_, request| {
        let _ = asked.send(request);
        async {}
    })
    .await;
    let member = owner.client();
    let order = FrameOrder::new();
    let _ = member.pull(&silent.to_string(), STREAM, &order).await;
    let request = requests.recv().await.unwrap();
    let request = request.replace(&silent.to_string(), "relay-1.lan:7443");
    let request = request.replace(&owner.peers.to_string(), "relay-2.lan:7443");
    let request = request.replace(&owner.relay.to_string(), "00000000000000ff");
    fs::write(folder().join("request.txt"), &request).unwrap();
    let answer = exchange(&owner, request.as_bytes()).await;
    fs::write(folder().join("answer.bin"), answer).unwrap();
}
