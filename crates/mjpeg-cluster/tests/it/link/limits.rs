//! Limits of the link, at what is allowed and beyond it.

use std::{io, sync::Arc, time::Duration};

use async_trait::async_trait;
use mjpeg_cluster::{
    LinkClient, LinkConfig, LinkConnector, LinkFailure, LinkIo,
    mjpeg_codec::multipart::{RelayId, Via},
    mjpeg_ingest::FrameOrder,
};
use mjpeg_testkit::jpeg;
use tokio::{
    io::AsyncWriteExt,
    net::TcpStream,
    time::{sleep, timeout},
};

use super::{
    node::{At, Node, PATIENCE, STREAM},
    peer::{HEAD, answering, ask, client, frame, ingest, next, refusal, saying},
};

fn client_with(config: LinkConfig) -> LinkClient {
    LinkClient::new(config).with_relay(RelayId::new(0xBB))
}

#[tokio::test]
async fn frame_may_be_as_large_as_is_set_and_no_larger() {
    let bytes = jpeg::numbered(1).len();
    let peer = saying([HEAD.as_bytes(), &frame(1, 1)].concat()).await;
    for (most, is_read) in [(bytes, true), (bytes - 1, false)] {
        let client = client_with(LinkConfig::default().with_max_frame_bytes(most));
        let mut edge = ingest(client.clone(), peer, FrameOrder::new());
        match next(&mut edge).await {
            Ok(read) => assert!(is_read && read == (1, 1), "{read:?} of {most}"),
            Err(why) => assert!(!is_read && why.contains("max_frame_bytes"), "{why}"),
        }
        assert_eq!(client.stats().broken, u64::from(!is_read));
        assert_eq!((client.stats().pulls, client.stats().failed), (1, 0));
    }
}

#[tokio::test]
async fn head_has_as_many_headers_and_bytes_as_is_allowed_and_no_more() {
    let begin = HEAD.strip_suffix("\r\n").unwrap();
    let with = |more: String| [begin, &more, "\r\n"].concat().into_bytes();
    let headers = |count: usize| with("x-a: b\r\n".repeat(count - 2));
    let bytes = |count: usize| {
        let rest = count - with("x-a: \r\n".into()).len();
        with(format!("x-a: {}\r\n", "b".repeat(rest)))
    };
    assert_eq!(bytes(8192).len(), 8192);
    for (head, is_read) in [
        (headers(64), true),
        (headers(65), false),
        (bytes(8192), true),
        (bytes(8193), false),
    ] {
        let peer = saying([&head, &frame(1, 1)[..]].concat()).await;
        let client = client();
        if is_read {
            let mut edge = ingest(client, peer, FrameOrder::new());
            assert_eq!(next(&mut edge).await, Ok((1, 1)));
        } else {
            let refused = refusal(&client, peer).await;
            assert!(matches!(refused, LinkFailure::Broken(_)), "{refused}");
            assert_eq!((client.stats().pulls, client.stats().failed), (0, 1));
        }
    }
}

#[tokio::test]
async fn head_of_a_part_has_as_many_bytes_as_is_allowed_and_no_more() {
    let whole = frame(1, 1);
    let at = whole.windows(9).position(|w| w == b"x-age-us:").unwrap();
    let without = whole.len() - jpeg::numbered(1).len() + "x-a: \r\n".len();
    for (count, is_read) in [(4096, true), (4097, false)] {
        let more = format!("x-a: {}\r\n", "b".repeat(count - without));
        let mut part = whole.clone();
        part.splice(at..at, more.bytes());
        let peer = saying([HEAD.as_bytes(), &part].concat()).await;
        let mut edge = ingest(client(), peer, FrameOrder::new());
        match next(&mut edge).await {
            Ok(read) => assert!(is_read && read == (1, 1), "{read:?} of {count}"),
            Err(why) => assert!(!is_read && why.contains("no head of a part"), "{why}"),
        }
    }
}

#[tokio::test]
async fn large_frame_on_a_slow_link_has_its_time_as_long_as_it_gets_on() {
    let image = jpeg::of_length(1, 400_000);
    let small = frame(1, 2);
    let head = &small[..small.len() - jpeg::numbered(2).len()];
    let head = String::from_utf8(head.to_vec()).unwrap();
    let length = |image: &[u8]| format!("content-length: {}\r\n", image.len());
    let head = head.replace(&length(&jpeg::numbered(2)), &length(&image));
    let bytes = Arc::new([HEAD.as_bytes(), head.as_bytes(), &image].concat());
    let slow = answering(move |mut stream, _| {
        let bytes = Arc::clone(&bytes);
        async move {
            // Five seconds in all.
            for chunk in bytes.chunks(80_000) {
                if stream.write_all(chunk).await.is_err() {
                    return;
                }
                sleep(Duration::from_secs(1)).await;
            }
            std::future::pending().await
        }
    })
    .await;
    let mut edge = ingest(client(), slow, FrameOrder::new());
    assert_eq!(next(&mut edge).await, Ok((1, 2)));
}

/// A connection that is never encrypted.
struct HangingConnector;

#[async_trait]
impl LinkConnector for HangingConnector {
    async fn connect(&self, _: TcpStream, _: &str) -> io::Result<Box<dyn LinkIo>> {
        std::future::pending().await
    }
}

#[tokio::test]
async fn steps_towards_a_node_take_no_longer_than_is_set() {
    let limit = Duration::from_millis(300);
    let short = LinkConfig::default().with_connect_timeout(limit);
    let silent = saying(Vec::new()).await;
    let hanging = client_with(short.clone()).with_connector(Arc::new(HangingConnector));
    for client in [client_with(short), hanging] {
        let refused = timeout(PATIENCE, refusal(&client, silent)).await.unwrap();
        assert!(
            matches!(refused, LinkFailure::TimedOut { after, .. } if after == limit),
            "{refused}"
        );
    }
    let short = LinkConfig::default().with_engine_timeout(limit);
    let refused = client_with(short).engine(&silent.to_string()).await;
    let refused = refused.unwrap_err();
    assert!(
        matches!(refused, LinkFailure::TimedOut { after, .. } if after == limit),
        "{refused}"
    );
}

#[tokio::test]
async fn answer_about_the_engine_is_short_and_not_one_of_an_error() {
    let error = "HTTP/1.0 503 x\r\n\r\n{\"reaches\":false}";
    let peer = answering(move |mut stream, _| async move {
        stream.write_all(error.as_bytes()).await.unwrap();
    })
    .await;
    let refused = client().engine(&peer.to_string()).await.unwrap_err();
    assert!(
        matches!(refused, LinkFailure::Refused { status: 503, .. }),
        "{refused}"
    );
    let endless = answering(|mut stream, _| async move {
        let _ = stream.write_all(b"HTTP/1.0 200 OK\r\n\r\n").await;
        while stream.write_all(&[b' '; 100]).await.is_ok() {
            sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
    let patient = client_with(LinkConfig::default().with_engine_timeout(PATIENCE));
    let refused = patient.engine(&endless.to_string()).await.unwrap_err();
    assert!(
        matches!(refused, LinkFailure::BadAnswer { .. }),
        "{refused}"
    );
}

/// The identities of so many other relays, as a header says them.
fn relays(count: u64) -> String {
    let ids = (0..count).map(|id| RelayId::new(0xA00 + id).to_string());
    ids.collect::<Vec<_>>().join(", ")
}

#[tokio::test]
async fn frames_pass_through_as_many_relays_as_may_be_and_no_more() {
    let most = Via::MAX_HOPS as u64;
    let owner = Node::start(1, At::Here).await;
    let path = format!("/cluster/v1/streams/{STREAM}");
    let asking = relays(most + 1);
    let refused = ask(owner.peers, "GET", &path, &[("x-mjpeg-via", &asking)]).await;
    assert_eq!(refused.unwrap().head.status, 508);
    assert_eq!(owner.link.stats().loops, 1);
    for (count, is_read) in [(most, true), (most + 1, false)] {
        let via = relays(count);
        let head =
            format!("HTTP/1.0 200 OK\r\ncontent-type: multipart/x\r\nx-mjpeg-via: {via}\r\n\r\n");
        let peer = saying(head.into_bytes()).await;
        let (client, order) = (client(), FrameOrder::new());
        let pulled = client.pull(&peer.to_string(), STREAM, &order).await;
        assert_eq!(pulled.is_ok(), is_read, "{count}");
        if let Err(refused) = pulled {
            let why = refused.to_string();
            assert!(why.contains(&most.to_string()), "{why}");
        }
    }
}
