//! Who is the sender: one at a time, however many connections it makes.

use std::time::Duration;

use mjpeg_ingest::{Event, Ingest, IngestConfig};
use mjpeg_testkit::jpeg;
use tokio::time::{Instant, sleep, timeout};

use super::{Client, MULTIPART, addr, begun, listening, parts, sent};
use crate::kinds::next;

const POST: &str = "POST /cam1 HTTP/1.1\r\nConnection: close";

/// What happens to a source while something is done, in short.
async fn told(ingest: &mut Ingest, doing: impl Future<Output = ()>) -> Vec<String> {
    let mut told = Vec::new();
    let listening = async {
        while let Some(event) = ingest.next().await {
            match event {
                Event::Frame(captured) => {
                    let number = jpeg::number_of(captured.frame.bytes());
                    told.push(format!("{}", number.expect("a numbered frame")));
                }
                Event::Online { peer } => told.push(format!("online {peer}")),
                Event::Offline { error, .. } => told.push(format!("offline: {error}")),
                Event::Stalled { .. } => told.push("stalled".into()),
                _ => {}
            }
        }
    };
    tokio::select! {
        () = doing => {}
        () = listening => unreachable!("it has no end"),
    }
    told
}

#[tokio::test]
async fn one_picture_per_connection_is_one_sender_online() {
    let addr = addr().await;
    let mut ingest = listening(&format!("http-listen://{addr}/cam1")).await;
    let told = told(&mut ingest, async {
        for number in 0..20 {
            let mut client = Client::connect(addr).await;
            let answer = client.send(POST, &jpeg::numbered(number)).await;
            assert_eq!(answer.status, 200);
            assert!(client.is_closed().await);
        }
    });
    let mut expected = vec!["online 127.0.0.1".to_owned()];
    expected.extend((0..20).map(|number| number.to_string()));
    assert_eq!(told.await, expected);
}

#[tokio::test]
async fn slow_sender_is_lost_once_and_then_its_rhythm_is_known() {
    let addr = addr().await;
    let url = format!("http-listen://{addr}/cam1#stall_limit=300ms");
    let mut ingest = listening(&url).await;
    let told = told(&mut ingest, async {
        for number in 0..4 {
            let mut client = Client::connect(addr).await;
            assert_eq!(client.send(POST, &jpeg::numbered(number)).await.status, 200);
            // Three of the intervals that are assumed at first.
            sleep(Duration::from_millis(3300)).await;
        }
    });
    let told: Vec<_> = told.await;
    let told: Vec<_> = told.iter().filter(|event| *event != "stalled").collect();
    assert!(
        told[2].starts_with("offline: the camera sent nothing"),
        "{told:?}"
    );
    let rest = ["online 127.0.0.1", "1", "2", "3"];
    assert!(
        told[..2] == ["online 127.0.0.1", "0"] && told[3..] == rest,
        "{told:?}"
    );
}

#[tokio::test]
async fn another_sender_waits_until_the_first_is_silent() {
    let addr = addr().await;
    let mut ingest = listening(&format!("http-listen://{addr}/cam1")).await;
    let (first, second) = ([127, 0, 0, 1].into(), [127, 0, 0, 2].into());
    let told = told(&mut ingest, async {
        for number in [1, 2] {
            let mut client = Client::connect_from(first, addr).await;
            assert_eq!(client.send(POST, &jpeg::numbered(number)).await.status, 200);
        }
        // The first is alive: the other one waits, and is refused when the first sends again.
        let mut other = Client::connect_from(second, addr).await;
        let refused = async { other.send(POST, &jpeg::numbered(100)).await };
        let goes_on = async {
            sleep(Duration::from_millis(300)).await;
            let mut client = Client::connect_from(first, addr).await;
            assert_eq!(client.send(POST, &jpeg::numbered(3)).await.status, 200);
        };
        let (refused, ()) = tokio::join!(refused, goes_on);
        assert_eq!(refused.status, 409);
        assert!(refused.text.contains("another sender"), "{refused:?}");
        // Now it is silent.
        let begun = Instant::now();
        let mut other = Client::connect_from(second, addr).await;
        assert_eq!(
            other.send(POST, &jpeg::of_length(101, 50_000)).await.status,
            200
        );
        assert!(
            begun.elapsed() > Duration::from_millis(1500),
            "{:?}",
            begun.elapsed()
        );
    });
    assert_eq!(
        told.await,
        [
            "online 127.0.0.1",
            "1",
            "2",
            "3",
            "offline: 127.0.0.2 has taken the place of a sender that was silent",
            "online 127.0.0.2",
            "101",
        ]
    );
}

#[tokio::test]
async fn request_without_a_picture_takes_nobodys_place() {
    let addr = addr().await;
    let mut ingest = listening(&format!("http-listen://{addr}/cam1")).await;
    let told = told(&mut ingest, async {
        let mut client = Client::connect(addr).await;
        assert_eq!(client.send(POST, &jpeg::numbered(1)).await.status, 200);
        // Connected, with a head and half a picture, for longer than takeover takes.
        let mut other = Client::connect_from([127, 0, 0, 2].into(), addr).await;
        let picture = jpeg::numbered(100);
        other
            .write(format!("{POST}\r\nContent-Length: {}\r\n\r\n", picture.len()).as_bytes())
            .await;
        other.write(&picture[..picture.len() / 2]).await;
        sleep(Duration::from_millis(2500)).await;
        let mut client = Client::connect(addr).await;
        assert_eq!(client.send(POST, &jpeg::numbered(2)).await.status, 200);
    });
    assert_eq!(told.await, ["online 127.0.0.1", "1", "2"]);
}

#[tokio::test]
async fn sender_may_use_several_connections_at_once_and_loses_nothing() {
    let addr = addr().await;
    let mut ingest = listening(&format!("http-listen://{addr}/cam1")).await;
    let told = told(&mut ingest, async {
        let mut first = Client::connect(addr).await;
        let picture = jpeg::numbered(1);
        let head = format!(
            "POST /cam1 HTTP/1.1\r\nContent-Length: {}\r\n\r\n",
            picture.len()
        );
        first.write(head.as_bytes()).await;
        first.write(&picture[..10]).await;
        sleep(Duration::from_millis(50)).await;
        let mut second = Client::connect(addr).await;
        let second = async { second.send(POST, &jpeg::numbered(2)).await.status };
        let rest = async {
            sleep(Duration::from_millis(300)).await;
            first.write(&picture[10..]).await;
            first.answer().await.unwrap().status
        };
        assert_eq!(tokio::join!(second, rest), (200, 200));
    });
    assert_eq!(told.await, ["online 127.0.0.1", "1", "2"]);
}

#[tokio::test]
async fn sender_that_died_in_a_picture_goes_on_with_its_next_connection() {
    let addr = addr().await;
    let mut ingest = listening(&format!("http-listen://{addr}/cam1")).await;
    let told = told(&mut ingest, async {
        let mut client = Client::connect(addr).await;
        assert_eq!(client.send(POST, &jpeg::numbered(1)).await.status, 200);
        let picture = jpeg::numbered(2);
        let head = format!("{POST}\r\nContent-Length: {}\r\n\r\n", picture.len());
        // One ends, and of the other nothing more is heard.
        let mut broken = Client::connect(addr).await;
        broken.write(head.as_bytes()).await;
        broken.write(&picture[..picture.len() / 2]).await;
        drop(broken);
        let mut silent = Client::connect(addr).await;
        silent.write(head.as_bytes()).await;
        silent.write(&picture[..picture.len() / 2]).await;
        let mut client = Client::connect(addr).await;
        let sent = timeout(
            Duration::from_secs(8),
            client.send(POST, &jpeg::numbered(3)),
        )
        .await;
        assert_eq!(sent.expect("it is read soon").status, 200);
        assert_eq!(silent.answer().await.expect("an answer").status, 400);
    });
    let told: Vec<_> = told
        .await
        .into_iter()
        .filter(|event| event != "stalled")
        .collect();
    assert_eq!(told, ["online 127.0.0.1", "1", "3"]);
}

#[tokio::test]
async fn stream_that_has_died_gives_way_to_the_same_senders_next() {
    let addr = addr().await;
    let mut ingest = listening(&format!("http-listen://{addr}/cam1")).await;
    let head = format!("POST /cam1 HTTP/1.1\r\n{MULTIPART}\r\nContent-Length: 99999999999\r\n\r\n");
    let told = told(&mut ingest, async {
        let mut first = Client::connect(addr).await;
        first.write(head.as_bytes()).await;
        let body = parts([1, 2]);
        first.write(&body[..body.len() - b"--b--\r\n".len()]).await;
        sleep(Duration::from_millis(100)).await;
        let mut second = Client::connect(addr).await;
        second.write(head.as_bytes()).await;
        let body = parts([3]);
        second.write(&body[..body.len() - b"--b--\r\n".len()]).await;
        sleep(Duration::from_millis(2500)).await;
    });
    let told: Vec<_> = told
        .await
        .into_iter()
        .filter(|event| event != "stalled")
        .collect();
    assert_eq!(told[..3], ["online 127.0.0.1", "1", "2"]);
    assert!(
        told[3].starts_with("offline: 127.0.0.1 has taken"),
        "{told:?}"
    );
    assert_eq!(told[4..], ["online 127.0.0.1", "3"]);
}

#[tokio::test]
async fn too_many_waiting_requests_are_refused() {
    let addr = addr().await;
    let source = format!("http-listen://{addr}/cam1").parse().unwrap();
    // Nobody asks for events: nothing is read.
    let mut ingest = begun(source, IngestConfig::default()).await;
    let mut clients = Vec::new();
    for number in 0..17 {
        let mut client = Client::connect(addr).await;
        let picture = jpeg::numbered(number);
        client
            .write(format!("{POST}\r\nContent-Length: {}\r\n\r\n", picture.len()).as_bytes())
            .await;
        client.write(&picture).await;
        clients.push(client);
        // In this order.
        sleep(Duration::from_millis(10)).await;
    }
    let answer = clients[16].answer().await.unwrap();
    assert_eq!(answer.status, 503, "{answer:?}");
    assert!(answer.head.contains("Retry-After: 1"), "{answer:?}");
    let sending = async {
        let mut statuses = Vec::new();
        for client in &mut clients[..16] {
            statuses.push(client.answer().await.unwrap().status);
        }
        statuses
    };
    assert_eq!(sent(&mut ingest, 0..16, sending).await, [200; 16]);
    let mut client = Client::connect(addr).await;
    let sending = async { vec![client.send(POST, &jpeg::numbered(1)).await.status] };
    assert_eq!(sent(&mut ingest, [1], sending).await, [200]);
    let waits = timeout(Duration::from_millis(10), next(&mut ingest)).await;
    assert!(waits.is_err());
}
