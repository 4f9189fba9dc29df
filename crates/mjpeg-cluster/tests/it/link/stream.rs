//! Frames from an owner over edges to viewers.

use std::{sync::Arc, time::Duration};

use mjpeg_cluster::{
    mjpeg_codec::{
        Frame, FrameId, Stamp,
        multipart::Via,
    },
    mjpeg_fanout::Status,
    mjpeg_ingest::{FrameOrder, Source, Tenure},
};
use mjpeg_testkit::{Camera, Script, Step, Viewer, jpeg};
use tokio::time::{Instant, timeout};

use super::{
    node::{At, Node, OwnedCamera, PATIENCE, STREAM, eventually},
    peer::{ask, client, ingest, next, seconds, slow_link},
};

/// The identity that a node gives a relay for the next frame.
pub(super) async fn next_id(viewer: &mut Viewer) -> (u64, u64, u32) {
    let part = timeout(PATIENCE, viewer.next_part()).await.unwrap();
    let part = part.unwrap().expect("the stream goes on");
    let number = |name| part.header(name).unwrap().parse::<u64>().unwrap();
    let image = jpeg::number_of(&part.body).unwrap();
    (number("x-epoch"), number("x-seq"), image)
}

/// A viewer that is told the identity of each frame.
pub(super) async fn viewer(node: &Node) -> Viewer {
    let via = [("x-mjpeg-via", "00000000000000ff")];
    Viewer::open_with(node.viewers, "/stream", &via)
        .await
        .unwrap()
}

async fn etag(node: &Node) -> String {
    let response = ask(node.viewers, "GET", "/snapshot", &[]).await.unwrap();
    response.head.header("etag").expect("it has one").to_owned()
}

#[tokio::test]
async fn frames_are_the_same_at_all_nodes_in_a_row() {
    let frames = (0..10_000).map(jpeg::numbered).collect();
    let camera = Camera::start(Script::live(frames, Duration::from_millis(40))).await;
    let owner = Node::start(1, At::Here).await;
    let hub = Node::start(2, At::Relayed(owner.id(), 1)).await;
    let edge = Node::start(3, At::Elsewhere(owner.id())).await;
    let (_holder, tenure) = Tenure::new(42, Instant::now() + seconds(3600));
    let addr = camera.addr();
    let _owns = owner.reads(Source::custom("camera:", OwnedCamera { addr, tenure }));
    let _first = hub.pulls_from(owner.peers);
    // It is asked as the owner would send it: behind a hub is no further one.
    let order = FrameOrder::new();
    let mut of_hub = ingest(edge.client(), owner.peers, order);
    assert_eq!(next(&mut of_hub).await.unwrap().0, 42);
    let mut at_owner = viewer(&owner).await;
    let mut at_hub = viewer(&hub).await;
    let mut seen = [Vec::new(), Vec::new()];
    for _ in 0..10 {
        seen[0].push(next_id(&mut at_owner).await);
        seen[1].push(next_id(&mut at_hub).await);
    }
    for seen in &seen {
        assert!(seen.is_sorted(), "{seen:?}");
        for &(epoch, seq, image) in seen {
            // The camera begins with 0, the tenure with 1.
            assert_eq!((epoch, seq), (42, u64::from(image) + 1));
        }
    }
    camera.shutdown().await;
    eventually("the last frame is everywhere", || {
        let id = |node: &Node| node.consumer.picture().map(|frame| frame.id());
        id(&owner) == id(&hub) && hub.consumer.status() == Status::Offline
    })
    .await;
    assert_eq!(etag(&owner).await, etag(&hub).await);
}

#[tokio::test]
async fn lost_camera_is_offline_at_the_edge_within_a_second() {
    let frames = vec![jpeg::numbered(1); 500];
    let camera = Camera::start(Script::live(frames, Duration::from_millis(20))).await;
    let owner = Node::start(1, At::Here).await;
    let edge = Node::start(2, At::Elsewhere(owner.id())).await;
    let (holder, tenure) = Tenure::new(42, Instant::now() + seconds(3600));
    let addr = camera.addr();
    let _owns = owner.reads(Source::custom("camera:", OwnedCamera { addr, tenure }));
    let _pulls = edge.pulls_from(owner.peers);
    eventually("online", || edge.consumer.status() == Status::Online).await;
    drop(holder);
    eventually("told", || edge.consumer.status() == Status::Offline).await;
    assert_eq!(owner.link.stats().edges, 1, "the connection goes on");
}

#[tokio::test]
async fn change_of_the_state_does_not_wait_for_the_next_heartbeat() {
    let owner = Node::start(1, At::Here).await;
    let edge = Node::start(2, At::Elsewhere(owner.id())).await;
    let _pulls = edge.pulls_from(owner.peers);
    let since = Instant::now();
    for number in 0..5 {
        let (frame, stamp) = picture(number);
        owner.producer.publish(frame, stamp);
        owner.producer.set_status(Status::Online);
        eventually("online", || edge.consumer.status() == Status::Online).await;
        owner.producer.set_status(Status::Offline);
        eventually("told", || edge.consumer.status() == Status::Offline).await;
    }
    // Each would take a second.
    assert!(since.elapsed() < seconds(3), "{:?}", since.elapsed());
}

/// A picture that was captured now.
fn picture(number: u32) -> (Frame, Stamp) {
    let now = Instant::now().into_std();
    let stamp = Stamp::new(std::time::SystemTime::now(), now);
    (Frame::parse(jpeg::numbered(number)).unwrap(), stamp)
}

#[tokio::test]
async fn pictures_that_say_nothing_new_are_not_sent() {
    let owner = Node::start(1, At::Here).await;
    let (frame, stamp) = picture(1);
    owner.producer.publish(frame, stamp);
    owner.producer.set_status(Status::Online);
    let mut edge = ingest(client(), owner.peers, FrameOrder::new());
    next(&mut edge).await.unwrap();
    let (frame, stamp) = picture(2);
    owner.producer.set_placeholder(frame, stamp);
    owner.producer.set_status(Status::Offline);
    owner.producer.show_placeholder();
    let lost = next(&mut edge).await.unwrap_err();
    assert!(lost.contains("the relay has lost its camera"), "{lost}");
    // Longer than a keepalive, which repeats the last picture to viewers.
    let repeated = timeout(seconds(6), next(&mut edge)).await;
    assert!(repeated.is_err(), "{repeated:?}");
    let viewers = owner.service.viewers();
    assert_eq!(viewers.len(), 1, "the connection goes on");
    let (frame, stamp) = picture(3);
    let seq = owner.producer.publish(frame, stamp);
    assert_eq!(next(&mut edge).await.unwrap().1, seq);
}

#[tokio::test]
async fn frames_of_the_owner_before_are_refused() {
    let (old, new) = (
        Node::start(1, At::Here).await,
        Node::start(2, At::Here).await,
    );
    let camera = |interval| async move {
        let frames = (0..10_000).map(jpeg::numbered).collect();
        Camera::start(Script::live(frames, Duration::from_millis(interval))).await
    };
    let (of_old, of_new) = (camera(10).await, camera(10).await);
    let owns = |node: &Node, camera: &Camera, epoch| {
        let (holder, tenure) = Tenure::new(epoch, Instant::now() + seconds(3600));
        let addr = camera.addr();
        let reading = node.reads(Source::custom("camera:", OwnedCamera { addr, tenure }));
        (holder, reading)
    };
    let _old = owns(&old, &of_old, 1);
    let _new = owns(&new, &of_new, 2);
    let order = FrameOrder::new();
    let mut at_old = ingest(client(), old.peers, order.clone());
    assert_eq!(next(&mut at_old).await.unwrap().0, 1);
    drop(at_old);
    let mut at_new = ingest(client(), new.peers, order.clone());
    assert_eq!(next(&mut at_new).await.unwrap().0, 2);
    drop(at_new);
    // It was frozen, and goes on with what it had.
    let mut at_old = ingest(client(), old.peers, order.clone());
    let refused = order.refused();
    let late = timeout(Duration::from_millis(1500), next(&mut at_old)).await;
    assert!(late.is_err(), "{late:?}");
    assert!(order.refused() > refused + 5, "they came and were left out");
}

#[tokio::test]
async fn slow_edge_skips_whole_frames_and_does_not_fall_behind() {
    let owner = Node::start(1, At::Here).await;
    let producer = Arc::clone(&owner.producer);
    let camera = tokio::spawn(async move {
        for number in 0.. {
            let frame = Frame::parse(jpeg::of_length(number % 64, 400_000)).unwrap();
            let stamp = Stamp::new(std::time::SystemTime::now(), Instant::now().into_std());
            producer.publish(frame, stamp);
            producer.set_status(Status::Online);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    let link = slow_link(owner.peers).await;
    let mut edge = ingest(client(), link, FrameOrder::new());
    let mut before = next(&mut edge).await.unwrap();
    let (mut skipped, mut behind) = (0, Vec::new());
    for _ in 0..20 {
        let id = next(&mut edge).await.unwrap();
        skipped += id.1 - before.1 - 1;
        before = id;
        behind.push(owner.consumer.latest().unwrap().id().seq - id.1);
    }
    camera.abort();
    assert!(skipped > 20, "{skipped}");
    // It does not grow: in the end it is what one frame and the kernel's buffers take.
    assert!(behind.iter().all(|&behind| behind < 60), "{behind:?}");
}

#[tokio::test]
async fn edge_counts_as_a_viewer_until_it_goes() {
    let owner = Node::start(1, At::Here).await;
    let mut demand = owner.producer.demand();
    assert_eq!(owner.consumer.viewers(), 0);
    let edge = Node::start(2, At::Elsewhere(owner.id())).await;
    let pulls = edge.pulls_from(owner.peers);
    let wanted = timeout(PATIENCE, demand.changed()).await.unwrap();
    assert_eq!(wanted, 1);
    let viewers = owner.service.viewers();
    assert_eq!((viewers.len(), viewers[0].protocol), (1, "cluster"));
    eventually("it says where", || owner.link.stats().edges == 1).await;
    drop(pulls);
    owner.is_left().await;
    assert_eq!(owner.consumer.viewers(), 0);
}

#[tokio::test]
async fn node_that_owns_a_stream_no_longer_ends_its_answers() {
    let owner = Node::start(1, At::Here).await;
    let other = Node::start(2, At::Here).await;
    let mut edge = ingest(client(), owner.peers, FrameOrder::new());
    let frames = Script::new(vec![Step::Send(jpeg::numbered(7)), Step::Stall]);
    let camera = Camera::start(frames).await;
    let (_holder, tenure) = Tenure::new(42, Instant::now() + seconds(3600));
    let addr = camera.addr();
    let _owns = owner.reads(Source::custom("camera:", OwnedCamera { addr, tenure }));
    assert_eq!(next(&mut edge).await, Ok((42, 1)));
    let pulled = |client: &mjpeg_cluster::LinkClient| client.pulled(STREAM);
    assert_eq!(pulled(&client()), None, "each client has its own");
    owner.moves(At::Elsewhere(other.id()));
    let ended = next(&mut edge).await.unwrap_err();
    assert!(ended.contains("closed the connection"), "{ended}");
    // It asks again, and is sent on.
    tokio::spawn(async move { next(&mut edge).await });
    eventually("it is at the new owner", || other.link.stats().edges == 1).await;
    assert_eq!(owner.link.stats().misdirected, 1);
}

#[tokio::test]
async fn node_that_has_just_become_the_owner_is_not_refused_for_the_way_of_before() {
    let before = Node::start(1, At::Here).await;
    let owner = Node::start(2, At::Owned(7)).await;
    // What it has is what it has read from the owner before.
    let (frame, stamp) = picture(1);
    let id = |epoch| FrameId { epoch, seq: 1 };
    owner.producer.set_via(Via::through(before.relay, &Via::default()));
    owner.producer.publish(frame, stamp.with_id(id(6)));
    owner.producer.set_status(Status::Online);
    let mut edge = ingest(before.client(), owner.peers, FrameOrder::new());
    let early = timeout(Duration::from_millis(500), next(&mut edge)).await;
    assert!(early.is_err(), "neither a refusal nor that frame: {early:?}");
    owner.producer.set_via(Via::default());
    let (frame, stamp) = picture(2);
    owner.producer.publish(frame, stamp.with_id(id(7)));
    assert_eq!(next(&mut edge).await, Ok((7, 1)));
    // What it has now comes through that node indeed.
    owner.producer.set_via(Via::through(before.relay, &Via::default()));
    let mut edge = ingest(before.client(), owner.peers, FrameOrder::new());
    let refused = next(&mut edge).await.unwrap_err();
    assert!(refused.contains("this relay"), "{refused}");
}
