//! What nodes tell one another of a stream, and where they send one another.

use std::time::{Duration, SystemTime};

use mjpeg_cluster::{
    LinkConfig, LinkFailure, LinkOutage,
    mjpeg_codec::{Frame, FrameId, Stamp},
    mjpeg_fanout::Status,
    mjpeg_ingest::{Event, FrameOrder},
};
use mjpeg_testkit::jpeg;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, sleep, timeout},
};

use super::{
    node::{At, Node, PATIENCE, STREAM, eventually},
    peer::{HEAD, answering, ask, client, frame, ingest, next, refusal, saying, seconds, state},
};

/// Publishes a picture of an owner in this epoch, which was captured so long ago.
fn publish(node: &Node, epoch: u64, seq: u64, ago: Duration) {
    let monotonic = Instant::now() - ago;
    let stamp = Stamp::new(SystemTime::now() - ago, monotonic.into_std());
    let frame = Frame::parse(jpeg::numbered(seq as u32)).unwrap();
    let stamp = stamp.with_id(FrameId { epoch, seq });
    node.producer.publish(frame, stamp);
}

#[tokio::test]
async fn outage_is_told_with_its_length_and_why_until_it_is_over() {
    let owner = Node::start(1, At::Owned(7)).await;
    let outage = LinkOutage::new(seconds(5), "no route");
    *owner.state.outage.lock().unwrap() = Some(outage);
    owner.producer.set_status(Status::Offline);
    let client = client();
    let mut edge = ingest(client.clone(), owner.peers, FrameOrder::new());
    next(&mut edge).await.expect_err("it is lost");
    let told = client.pulled(STREAM).unwrap().state.unwrap();
    assert!(!told.is_online);
    assert_eq!(told.offline_for, Some(seconds(5)));
    assert_eq!(told.why.as_deref(), Some("no route"));
    assert_eq!((told.epoch, told.depth), (Some(7), 0));
    owner.producer.set_status(Status::Online);
    publish(&owner, 7, 1, Duration::ZERO);
    assert_eq!(next(&mut edge).await, Ok((7, 1)));
    let told = client.pulled(STREAM).unwrap().state.unwrap();
    assert!(told.is_online);
    assert_eq!((told.offline_for, told.why), (None, None));
}

#[tokio::test]
async fn frame_comes_with_its_age_and_time_and_the_way_that_it_took() {
    let owner = Node::start(1, At::Owned(7)).await;
    let client = client();
    let mut edge = ingest(client.clone(), owner.peers, FrameOrder::new());
    publish(&owner, 7, 1, seconds(20));
    let mut way = None;
    let waiting = async {
        loop {
            match edge.next().await.expect("it goes on") {
                Event::Frame(captured) => return captured.stamp,
                Event::Via(via) => way = Some(via),
                _ => {}
            }
        }
    };
    let stamp = timeout(PATIENCE, waiting).await.expect("a frame");
    let around = |time: SystemTime| {
        let age = SystemTime::now().duration_since(time).unwrap();
        assert!(
            age >= seconds(19) && age < seconds(19) + PATIENCE,
            "{age:?}"
        );
    };
    around(stamp.received());
    around(stamp.camera().expect("it was told"));
    let age = client.pulled(STREAM).unwrap().age.expect("it is noted");
    assert!(age >= seconds(19), "{age:?}");
    assert!(way.expect("it is told").contains(owner.relay));
}

/// Reads what a node sends for so long.
async fn raw(node: &Node, during: Duration) -> String {
    let mut stream = TcpStream::connect(node.peers).await.unwrap();
    let request = format!("GET /cluster/v1/streams/{STREAM} HTTP/1.0\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    let reading = async { while stream.read_buf(&mut bytes).await.unwrap() > 0 {} };
    let _ = timeout(during, reading).await;
    String::from_utf8_lossy(&bytes).into_owned()
}

#[tokio::test]
async fn state_is_told_each_second_and_each_frame_names_its_relay() {
    let owner = Node::start(1, At::Owned(7)).await;
    publish(&owner, 7, 1, Duration::ZERO);
    let sent = raw(&owner, Duration::from_millis(4500)).await;
    let states = sent.matches("content-type: application/json").count();
    // One or two at the beginning, and four more.
    assert!((4..=6).contains(&states), "{states}");
    let parts = sent.split("content-type: image/jpeg").nth(1).unwrap();
    let head = parts.split("\r\n\r\n").next().unwrap();
    let relay = format!("x-mjpeg-via: {}", owner.relay);
    assert!(head.contains(&relay), "{head}");
}

#[tokio::test]
async fn answer_that_runs_follows_the_epoch_of_its_owner() {
    let owner = Node::start(1, At::Owned(5)).await;
    let mut edge = ingest(client(), owner.peers, FrameOrder::new());
    publish(&owner, 5, 1, Duration::ZERO);
    owner.producer.set_status(Status::Online);
    assert_eq!(next(&mut edge).await, Ok((5, 1)));
    // It was claimed anew without a pause.
    owner.moves(At::Owned(9));
    sleep(Duration::from_millis(1500)).await;
    publish(&owner, 5, 2, Duration::ZERO);
    let old = timeout(Duration::from_millis(500), next(&mut edge)).await;
    assert!(old.is_err(), "{old:?}");
    publish(&owner, 9, 3, Duration::ZERO);
    assert_eq!(next(&mut edge).await, Ok((9, 3)));
}

#[tokio::test]
async fn hub_answers_whom_the_owner_sends_for_as_long_as_it_reads_from_the_owner() {
    let config = LinkConfig::default().with_max_edges(1);
    let owner = Node::start_with(1, At::Here, config, None).await;
    let hub = Node::start(2, At::Relayed(owner.id(), 1)).await;
    let _of_hub = hub.pulls_from(owner.peers);
    eventually("it is there", || owner.link.stats().edges == 1).await;
    *owner.state.hub.lock().unwrap() = Some(hub.id());
    let client = client();
    let order = FrameOrder::new();
    let peer = owner.peers.to_string();
    let _behind = client.pull(&peer, STREAM, &order).await.unwrap();
    let mut edge = ingest(client.clone(), owner.peers, FrameOrder::new());
    let lost = timeout(Duration::from_millis(2500), next(&mut edge)).await;
    assert!(lost.is_err(), "it goes on: {lost:?}");
    let pulled = client.pulled(STREAM).unwrap();
    assert_eq!((pulled.depth, pulled.state.unwrap().depth), (2, 1));
    assert_eq!(pulled.peer, hub.peers.to_string());
    // It reads from another hub now, so nobody may read from it.
    hub.moves(At::Relayed(owner.id(), 2));
    let ended = timeout(seconds(10), next(&mut edge)).await;
    ended.expect("it ends").expect_err("it ends");
}

#[tokio::test]
async fn depth_of_a_pull_is_what_the_node_says_last() {
    let said = [
        HEAD.as_bytes(),
        &state(r#"{"state":"online","depth":1}"#),
        &frame(1, 1),
    ];
    let peer = saying(said.concat()).await;
    let client = client();
    let mut edge = ingest(client.clone(), peer, FrameOrder::new());
    assert_eq!(next(&mut edge).await, Ok((1, 1)));
    assert_eq!(client.pulled(STREAM).unwrap().depth, 2);
}

#[tokio::test]
async fn node_that_reads_from_the_owner_sends_others_there() {
    let owner = Node::start(1, At::Here).await;
    let plain = format!("/cluster/v1/streams/{STREAM}");
    let by_way = format!("{plain}?hop=1");
    for (depth, path) in [(1, &plain), (0, &by_way)] {
        let other = Node::start(2, At::Relayed(owner.id(), depth)).await;
        let asked = timeout(seconds(5), ask(other.peers, "GET", path, &[])).await;
        let response = asked.expect("it is no stream").unwrap();
        assert_eq!(response.head.status, 421);
        let named = response.head.header("x-owner");
        assert_eq!(named, Some(&*owner.id().to_string()));
    }
}

#[tokio::test]
async fn node_is_not_sent_to_itself() {
    let config = LinkConfig::default().with_max_edges(1);
    let owner = Node::start_with(1, At::Here, config, None).await;
    let hub = Node::start(2, At::Relayed(owner.id(), 1)).await;
    *owner.state.hub.lock().unwrap() = Some(hub.id());
    let member = hub.client();
    let (peer, order) = (owner.peers.to_string(), FrameOrder::new());
    let _first = member.pull(&peer, STREAM, &order).await.unwrap();
    let refused = refusal(&member, owner.peers).await;
    assert!(
        matches!(refused, LinkFailure::Refused { status: 503, .. }),
        "{refused}"
    );
    assert!(
        refused
            .to_string()
            .contains("not to be read there at present")
    );
    assert_eq!(owner.link.stats().redirected, 0);
    let path = format!("/cluster/v1/streams/{STREAM}");
    *owner.state.hub.lock().unwrap() = None;
    let response = ask(owner.peers, "GET", &path, &[]).await.unwrap();
    assert_eq!(response.head.header("retry-after"), Some("1"));
}

#[tokio::test]
async fn owner_is_asked_as_such_whoever_names_it() {
    let (asked, mut requests) = tokio::sync::mpsc::unbounded_channel();
    let last = answering(move |_, request| {
        let _ = asked.send(request);
        async {}
    })
    .await;
    let named = format!("HTTP/1.0 421 x\r\nx-owner: relay-1 {last}\r\n\r\n");
    let peer = saying(named.into_bytes()).await;
    refusal(&client(), peer).await;
    let request = requests.recv().await.unwrap();
    let line = format!("GET /cluster/v1/streams/{STREAM} HTTP/1.0\r\n");
    assert!(request.starts_with(&line), "{request}");
}

#[tokio::test]
async fn stream_is_listed_until_the_last_connection_to_it_ends() {
    let owner = Node::start(1, At::Here).await;
    let client = client();
    let (peer, order) = (owner.peers.to_string(), FrameOrder::new());
    let first = client.pull(&peer, STREAM, &order).await.unwrap();
    let second = client.pull(&peer, STREAM, &order).await.unwrap();
    drop(first);
    eventually("it is closed", || owner.link.stats().edges == 1).await;
    assert_eq!(client.pulls().len(), 1);
    drop(second);
    eventually("none is left", || client.pulls().is_empty()).await;
    assert_eq!(client.pulled(STREAM), None);
}
