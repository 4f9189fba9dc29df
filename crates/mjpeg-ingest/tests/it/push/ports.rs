//! Addresses that several sources share.

use std::time::Duration;

use mjpeg_ingest::{Event, FailureReason, Ingest, IngestConfig, Source};
use mjpeg_testkit::jpeg;
use tokio::{net::TcpStream, time::timeout};

use super::{Client, addr, listening, sent};
use crate::kinds::next;

#[tokio::test]
async fn sources_share_an_address_and_the_last_one_frees_it() {
    let addr = addr().await;
    let url = |path: &str| format!("http-listen://{addr}/{path}#token={path}");
    let mut first = listening(&url("a")).await;
    let mut second = listening(&url("b")).await;
    let mut client = Client::connect(addr).await;
    let one = async {
        vec![
            client
                .send("POST /a?token=a HTTP/1.1", &jpeg::numbered(1))
                .await
                .status,
        ]
    };
    assert_eq!(sent(&mut first, [1], one).await, [200]);
    // The same connection may send to the other one, whose token is another.
    let two = async {
        let mut statuses = Vec::new();
        for token in ["a", "b"] {
            let head = format!("POST /b?token={token} HTTP/1.1");
            statuses.push(client.send(&head, &jpeg::numbered(2)).await.status);
        }
        statuses
    };
    assert_eq!(sent(&mut second, [2], two).await, [401, 200]);
    drop(first);
    let two = async {
        let mut statuses = Vec::new();
        for path in ["a", "b"] {
            let head = format!("POST /{path}?token={path} HTTP/1.1");
            statuses.push(client.send(&head, &jpeg::numbered(3)).await.status);
        }
        statuses
    };
    assert_eq!(sent(&mut second, [3], two).await, [404, 200]);
    drop(second);
    assert!(TcpStream::connect(addr).await.is_err(), "nobody listens");
    assert!(client.is_closed().await);
    // It can be had again at once.
    let mut third = listening(&url("a")).await;
    let mut client = Client::connect(addr).await;
    let one = async {
        vec![
            client
                .send("POST /a?token=a HTTP/1.1", &jpeg::numbered(4))
                .await
                .status,
        ]
    };
    assert_eq!(sent(&mut third, [4], one).await, [200]);
}

#[tokio::test]
async fn pause_leaves_the_address_and_answers_who_waits() {
    let addr = addr().await;
    let mut paused = listening(&format!("http-listen://{addr}/a")).await;
    let _other = listening(&format!("http-listen://{addr}/b")).await;
    let picture = jpeg::numbered(1);
    let mut client = Client::connect(addr).await;
    let head = format!(
        "POST /a HTTP/1.1\r\nContent-Length: {}\r\n\r\n",
        picture.len()
    );
    client.write(head.as_bytes()).await;
    assert!(matches!(paused.next().await, Some(Event::Online { .. })));
    paused.control().pause();
    assert!(matches!(paused.next().await, Some(Event::Paused)));
    assert_eq!(client.answer().await.expect("an answer").status, 503);
    let mut client = Client::connect(addr).await;
    assert_eq!(client.send("POST /a HTTP/1.1", &picture).await.status, 404);
    paused.control().resume();
    assert!(matches!(paused.next().await, Some(Event::Connecting)));
    let sending = async {
        // Until the path is there again.
        loop {
            let status = client.send("POST /a HTTP/1.1", &picture).await.status;
            if status != 404 {
                return vec![status];
            }
        }
    };
    assert_eq!(sent(&mut paused, [1], sending).await, [200]);
}

#[tokio::test]
async fn path_that_another_source_has_is_an_error_that_says_so() {
    let addr = addr().await;
    let url = format!("http-listen://{addr}/a");
    let first = listening(&url).await;
    let mut second = Ingest::new(url.parse().unwrap(), IngestConfig::default());
    let error = loop {
        if let Some(Event::Offline { error, .. }) = second.next().await {
            break error;
        }
    };
    let text = error.chain().to_string();
    assert!(text.contains("give each a path of its own"), "{text}");
    assert_eq!(error.reason(), FailureReason::Listen);
    // It has the path when the other one has gone.
    drop(first);
    let sending = async {
        loop {
            if let Ok(stream) = TcpStream::connect(addr).await {
                drop(stream);
                let mut client = Client::connect(addr).await;
                return vec![
                    client
                        .send("POST /a HTTP/1.1", &jpeg::numbered(1))
                        .await
                        .status,
                ];
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    assert_eq!(sent(&mut second, [1], sending).await, [200]);
}

#[tokio::test]
async fn address_that_is_taken_is_an_error_and_tried_again() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let source: Source = format!("http-listen://{addr}/a").parse().unwrap();
    let mut ingest = Ingest::new(source, IngestConfig::default());
    let error = next(&mut ingest).await.unwrap_err();
    assert!(
        error.starts_with(&format!("cannot listen at {addr}: ")),
        "{error}"
    );
    drop(listener);
    let sending = async {
        loop {
            if TcpStream::connect(addr).await.is_ok() {
                let mut client = Client::connect(addr).await;
                return vec![
                    client
                        .send("POST /a HTTP/1.1", &jpeg::numbered(1))
                        .await
                        .status,
                ];
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let sent = timeout(Duration::from_secs(10), sent(&mut ingest, [1], sending)).await;
    assert_eq!(sent.expect("it is free"), [200]);
}

/// Each sends five pictures a second over a kept connection, to a source of its own.
#[tokio::test]
async fn two_hundred_senders_at_one_address_lose_nothing() {
    const SENDERS: usize = 200;
    const PICTURES: u32 = 5;
    let addr = addr().await;
    let mut reading = Vec::new();
    for n in 0..SENDERS {
        let mut ingest = listening(&format!("http-listen://{addr}/cam{n}#token={n}")).await;
        reading.push(tokio::spawn(async move {
            for number in 0..PICTURES {
                assert_eq!(next(&mut ingest).await, Ok(number));
            }
            // The last one is answered.
            let _ = timeout(Duration::from_millis(500), ingest.next()).await;
        }));
    }
    let sending = (0..SENDERS).map(|n| {
        tokio::spawn(async move {
            let mut client = Client::connect(addr).await;
            let mut tick = tokio::time::interval(Duration::from_millis(200));
            for number in 0..PICTURES {
                tick.tick().await;
                let head = format!("POST /cam{n} HTTP/1.1\r\nAuthorization: Bearer {n}");
                let answer = client.send(&head, &jpeg::of_length(number, 10_000)).await;
                assert_eq!(answer.status, 200, "{answer:?}");
            }
        })
    });
    for task in sending.collect::<Vec<_>>().into_iter().chain(reading) {
        task.await.unwrap();
    }
}
