//! Nodes that fall silent.

use std::time::Duration;

use mjpeg_cluster::mjpeg_ingest::{Event, FrameOrder};
use tokio::{
    io::AsyncWriteExt,
    time::{Instant, sleep},
};

use super::{
    node::{At, Node, STREAM},
    peer::{HEAD, answering, client, frame, ingest, next, refusal, saying, seconds, state},
};

#[tokio::test]
async fn owner_that_falls_silent_is_dead_after_three_seconds() {
    let bytes = [
        HEAD.as_bytes(),
        &state(r#"{"state":"online"}"#),
        &frame(1, 1),
    ]
    .concat();
    let silent = saying(bytes).await;
    let client = client();
    let mut edge = ingest(client.clone(), silent, FrameOrder::new());
    assert_eq!(next(&mut edge).await, Ok((1, 1)));
    let since = Instant::now();
    let dead = next(&mut edge).await.unwrap_err();
    assert!(dead.contains("the node sent nothing for 3s"), "{dead}");
    let took = since.elapsed();
    assert!(took >= Duration::from_millis(2900), "{took:?}");
    // Not after the ingest's own limit, which is 10 s.
    assert!(took < seconds(8), "{took:?}");
    assert_eq!(client.stats().silent, 1);
}

#[tokio::test]
async fn heartbeats_keep_an_owner_without_frames_alive() {
    let owner = Node::start(1, At::Here).await;
    let client = client();
    let mut edge = ingest(client.clone(), owner.peers, FrameOrder::new());
    let quiet = tokio::time::timeout(seconds(6), next(&mut edge)).await;
    assert!(quiet.is_err(), "{quiet:?}");
    assert_eq!(client.stats().silent, 0);
    let pull = client.pulled(STREAM).expect("it is read");
    assert_eq!((pull.depth, pull.peer), (1, owner.peers.to_string()));
    let said = pull.state.expect("it has said how the camera is");
    assert!(said.is_online && said.viewers == 1, "{said:?}");
}

#[tokio::test]
async fn bytes_that_make_nothing_whole_keep_nobody_alive() {
    let head_bytes = frame(1, 2).len() - mjpeg_testkit::jpeg::numbered(2).len();
    // In the head of a part, and in a frame.
    for at_once in [0, head_bytes] {
        let dripping = answering(move |mut stream, _| async move {
            let bytes = [HEAD.as_bytes(), &frame(1, 1), &frame(1, 2)].concat();
            let whole = HEAD.len() + frame(1, 1).len() + at_once;
            let (whole, rest) = bytes.split_at(whole);
            let _ = stream.write_all(whole).await;
            for byte in rest {
                if stream.write_u8(*byte).await.is_err() {
                    return;
                }
                sleep(Duration::from_millis(100)).await;
            }
        })
        .await;
        let mut edge = ingest(client(), dripping, FrameOrder::new());
        assert_eq!(next(&mut edge).await, Ok((1, 1)));
        let dead = next(&mut edge).await.unwrap_err();
        assert!(dead.contains("the node sent nothing for 3s"), "{dead}");
    }
}

#[tokio::test]
async fn node_that_accepts_and_says_nothing_is_given_up() {
    let silent = answering(|mut stream, _| async move {
        let _ = tokio::io::AsyncReadExt::read_u8(&mut stream).await;
    })
    .await;
    let refused = refusal(&client(), silent).await.to_string();
    assert!(refused.contains("did not answer within 3s"), "{refused}");
    let since = Instant::now();
    let error = client().engine(&silent.to_string()).await.unwrap_err();
    assert!(
        error.to_string().contains("did not answer within 1s"),
        "{error}"
    );
    assert!(since.elapsed() >= Duration::from_millis(900));
}

#[tokio::test]
async fn node_that_ends_its_answer_after_a_while_is_asked_again_at_once() {
    let peer = answering(|mut stream, _| async move {
        let _ = stream
            .write_all(&[HEAD.as_bytes(), &frame(1, 1)].concat())
            .await;
        tokio::time::sleep(Duration::from_millis(1100)).await;
    })
    .await;
    let hasty = answering(|mut stream, _| async move {
        let _ = stream
            .write_all(&[HEAD.as_bytes(), &frame(1, 1)].concat())
            .await;
    })
    .await;
    for (peer, at_once) in [(peer, true), (hasty, false)] {
        let mut edge = ingest(client(), peer, FrameOrder::new());
        let retry_in = loop {
            if let Some(Event::Offline { retry_in, .. }) = edge.next().await {
                break retry_in;
            }
        };
        assert_eq!(retry_in.is_zero(), at_once, "{retry_in:?}");
    }
}
