//! Which node answers for a stream.

use std::sync::{Arc, atomic::Ordering};

use async_trait::async_trait;
use http::{Request, Response, StatusCode};
use mjpeg_cluster::{
    LinkConfig, LinkFailure, LinkNode, LinkNodeId, LinkPlace, LinkServer, LinkStream,
    mjpeg_fanout::{self, Consumer},
    mjpeg_http::{Access, Gate, Inquiry, StreamService},
    mjpeg_ingest::FrameOrder,
};
use tokio::io::AsyncWriteExt;
use tower_service::Service as _;

use super::{
    node::{At, Node, PATIENCE, STREAM, eventually},
    peer::{answering, ask, client, refusal},
};

/// A connection to the stream; it is kept for as long as it lives.
async fn pull(client: &mjpeg_cluster::LinkClient, node: &Node) -> mjpeg_ingest::Connection {
    let peer = node.peers.to_string();
    let order = FrameOrder::new();
    let pulled = client.pull(&peer, STREAM, &order);
    tokio::time::timeout(PATIENCE, pulled)
        .await
        .unwrap()
        .unwrap()
}

use mjpeg_cluster::mjpeg_ingest;

#[tokio::test]
async fn node_that_is_not_the_owner_names_it_and_is_followed() {
    let owner = Node::start(1, At::Here).await;
    let other = Node::start(2, At::Elsewhere(owner.id())).await;
    let third = Node::start(3, At::Elsewhere(other.id())).await;
    let connection = pull(&client(), &third).await;
    assert_eq!(connection.peer(), owner.peers.to_string());
    eventually("it is there", || owner.link.stats().edges == 1).await;
    assert_eq!(third.link.stats().misdirected, 1);
    assert_eq!(other.link.stats().misdirected, 1);
    drop(connection);
    owner.is_left().await;
}

#[tokio::test]
async fn nodes_that_send_one_another_for_a_stream_are_left() {
    let one = Node::start(1, At::Nobody).await;
    let two = Node::start(2, At::Elsewhere(one.id())).await;
    one.moves(At::Elsewhere(two.id()));
    let error = refusal(&client(), one.peers).await;
    assert!(matches!(error, LinkFailure::TooManyRedirects(_)), "{error}");
    assert_eq!(
        one.link.stats().misdirected + two.link.stats().misdirected,
        3
    );
}

#[tokio::test]
async fn owner_with_as_many_edges_as_it_may_have_sends_the_next_one_to_a_hub() {
    let config = LinkConfig::default().with_max_edges(1);
    let owner = Node::start_with(1, At::Here, config.clone(), None).await;
    let hub = Node::start_with(2, At::Relayed(owner.id(), 1), config, None).await;
    let of_hub = pull(&hub.client(), &owner).await;
    eventually("it is there", || owner.link.stats().edges == 1).await;
    let full = refusal(&client(), owner.peers).await;
    assert!(
        matches!(full, LinkFailure::Refused { status: 503, .. }),
        "{full}"
    );
    *owner.state.hub.lock().unwrap() = Some(hub.id());
    let client = client();
    let behind = pull(&client, &owner).await;
    assert_eq!(behind.peer(), hub.peers.to_string());
    assert_eq!(client.pulled(STREAM).unwrap().depth, 2);
    eventually("it is at the hub", || hub.link.stats().edges == 1).await;
    // The hub is full as well, and behind it there is no other.
    *hub.state.hub.lock().unwrap() = Some(owner.id());
    let full = refusal(&client, owner.peers).await;
    assert!(
        matches!(full, LinkFailure::Refused { status: 503, .. }),
        "{full}"
    );
    let stats = owner.link.stats();
    assert_eq!((stats.redirected, stats.refused_edges), (2, 1));
    assert_eq!(hub.link.stats().refused_edges, 1);
    drop((of_hub, behind));
}

#[tokio::test]
async fn nodes_that_have_a_hub_of_their_own_read_through_it_although_there_is_room() {
    let owner = Node::start(1, At::Here).await;
    let hub = Node::start(2, At::Relayed(owner.id(), 1)).await;
    *owner.state.site_hub.lock().unwrap() = Some(hub.id());
    // The first of a site reads from the owner, however often it asks.
    let of_hub = pull(&hub.client(), &owner).await;
    eventually("it is there", || owner.link.stats().edges == 1).await;
    drop(pull(&hub.client(), &owner).await);
    let third = Node::start(3, At::Elsewhere(owner.id())).await;
    let client = third.client();
    let behind = pull(&client, &owner).await;
    assert_eq!(behind.peer(), hub.peers.to_string());
    assert_eq!(client.pulled(STREAM).unwrap().depth, 2);
    assert_eq!(owner.link.stats().redirected, 1);
    // Without it, they are served again.
    drop((of_hub, behind));
    eventually("nobody is there", || owner.link.stats().edges == 0).await;
    let direct = pull(&client, &owner).await;
    assert_eq!(direct.peer(), owner.peers.to_string());
}

#[tokio::test]
async fn node_behind_a_hub_is_no_hub_itself() {
    let owner = Node::start(1, At::Here).await;
    let second = Node::start(2, At::Relayed(owner.id(), 2)).await;
    let path = format!("/cluster/v1/streams/{STREAM}?hop=1");
    let response = ask(second.peers, "GET", &path, &[]).await.unwrap();
    assert_eq!(response.head.status, 421);
    let named = response.head.header("x-owner").unwrap();
    assert_eq!(named, owner.id().to_string());
}

#[tokio::test]
async fn requests_that_cannot_be_served_are_told_why() {
    let owner = Node::start(1, At::Here).await;
    let get = async |path: &str, headers: &[(&str, &str)]| {
        let response = ask(owner.peers, "GET", path, headers).await;
        response.unwrap().head.status
    };
    assert_eq!(get("/cluster/v1/streams/attic", &[]).await, 404);
    assert_eq!(get("/cluster/v1/streams/", &[]).await, 404);
    assert_eq!(get("/cluster/v1/streams/a%00b", &[]).await, 404);
    assert_eq!(get("/stream", &[]).await, 404);
    assert_eq!(get("/door/stream", &[]).await, 404);
    let own = [("x-mjpeg-via", "0000000000000001")];
    assert_eq!(get("/cluster/v1/streams/door", &own).await, 508);
    let posted = ask(owner.peers, "POST", "/cluster/v1/engine", &[]).await;
    assert_eq!(posted.unwrap().head.status, 405);
    owner.moves(At::Nobody);
    assert_eq!(get("/cluster/v1/streams/door", &[]).await, 503);
    owner.moves(At::Here);
    owner.service.close();
    assert_eq!(get("/cluster/v1/streams/door", &[]).await, 503);
    assert_eq!(owner.link.stats().loops, 1);
    assert_eq!(owner.link.stats().refused, 2);
}

#[tokio::test]
async fn node_says_whether_it_reaches_the_engine() {
    let node = Node::start(1, At::Nobody).await;
    let peer = node.peers.to_string();
    assert!(client().engine(&peer).await.unwrap());
    node.state.reaches_engine.store(false, Ordering::Relaxed);
    assert!(!client().engine(&peer).await.unwrap());
    for answer in ["", "{}", "{\"reaches\":1}", "{\"reaches\":null}", "true"] {
        let len = answer.len();
        let answer = format!("HTTP/1.0 200 OK\r\ncontent-length: {len}\r\n\r\n{answer}");
        let other = answering(move |mut stream, _| {
            let answer = answer.clone();
            async move {
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        })
        .await;
        client()
            .engine(&other.to_string())
            .await
            .expect_err("that is no yes, and no no either");
    }
}

#[tokio::test]
async fn owner_is_taken_from_no_header_that_is_not_a_node() {
    for owner in [
        "relay-1",
        "relay-1 relay-1.lan",
        "relay-1 relay-1.lan:0",
        "relay-1 \u{1b}[2J:80",
        "relay-1 a/b:80",
        "relay-1 user@host:80",
        "a b c:80",
        "",
    ] {
        let named = format!("HTTP/1.0 421 Misdirected\r\nx-owner: {owner}\r\n\r\n");
        let peer = super::peer::saying(named.into_bytes()).await;
        let error = refusal(&client(), peer).await;
        assert!(
            matches!(error, LinkFailure::BadAnswer { .. }),
            "{owner:?}: {error}"
        );
        assert!(!error.to_string().chars().any(char::is_control));
    }
    for location in [
        "http://other:80/cluster/v1/streams/door?hop=1",
        "//other/cluster/v1/streams/door?hop=1",
        "//other:80/cluster/v1/streams/attic?hop=1",
        "//other:80/cluster/v1/streams/door",
        "/cluster/v1/streams/door?hop=1",
    ] {
        let named = format!("HTTP/1.0 307 Hub\r\nlocation: {location}\r\n\r\n");
        let peer = super::peer::saying(named.into_bytes()).await;
        let error = refusal(&client(), peer).await;
        assert!(
            matches!(error, LinkFailure::BadAnswer { .. }),
            "{location}: {error}"
        );
    }
}

#[tokio::test]
async fn node_is_asked_only_for_names_and_addresses() {
    for (peer, stream) in [
        ("127.0.0.1", STREAM),
        ("127.0.0.1:80\r\nx: y", STREAM),
        ("127.0.0.1:1", "a/b"),
        ("127.0.0.1:1", "a\r\nx: y"),
        ("127.0.0.1:1", ""),
    ] {
        let order = FrameOrder::new();
        let error = client().pull(peer, stream, &order).await.unwrap_err();
        assert!(error.to_string().starts_with("no address"), "{error}");
    }
    assert!(LinkNodeId::new("a b", "host:1").is_err());
}

/// Lets nobody in.
struct ClosedGate;

#[async_trait]
impl Gate for ClosedGate {
    async fn decide(&self, _: &Inquiry) -> Access {
        let refusal = Response::builder().status(StatusCode::UNAUTHORIZED);
        Access::deny(refusal.body("Log in first.\n".into()).unwrap())
    }
}

/// A node whose stream is behind a gate.
struct GatedNode(StreamService, Consumer);

impl LinkNode for GatedNode {
    fn place(&self, _: &str) -> LinkPlace {
        LinkPlace::Here(LinkStream::new(self.0.clone(), self.1.clone()))
    }

    fn reaches_engine(&self) -> bool {
        true
    }
}

#[tokio::test]
async fn gate_of_a_stream_is_not_asked_about_nodes() {
    let (_producer, consumer) = mjpeg_fanout::channel();
    let service = StreamService::builder(consumer.clone());
    let service = service.gate(Arc::new(ClosedGate)).build();
    let node = Arc::new(GatedNode(service, consumer));
    let mut link = LinkServer::new(node, LinkConfig::default());
    let request = Request::get(format!("/cluster/v1/streams/{STREAM}"));
    let response = link.call(request.body(()).unwrap()).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
}
