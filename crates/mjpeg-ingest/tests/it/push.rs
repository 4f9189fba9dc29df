//! Pictures that others send to us by HTTP, and what they are answered.

mod answers;
mod client;
mod inlet;
mod ports;
mod senders;

use std::{
    net::SocketAddr,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use mjpeg_ingest::{Event, Ingest, IngestConfig, Source};
use mjpeg_testkit::jpeg;

use self::client::Client;
use crate::kinds::{free_addr, next};

/// Makes an ingest of this source, which listens when it returns.
pub(crate) async fn listening(url: &str) -> Ingest {
    begun(url.parse().unwrap(), IngestConfig::default()).await
}

pub(crate) async fn begun(source: Source, config: IngestConfig) -> Ingest {
    let mut ingest = Ingest::new(source, config);
    assert!(matches!(ingest.next().await, Some(Event::Connecting)));
    // Pending: it has bound its address, and waits.
    let waits = tokio::time::timeout(Duration::ZERO, ingest.next()).await;
    assert!(waits.is_err(), "{waits:?}");
    ingest
}

/// Sends requests while the pictures of an ingest are awaited; returns the statuses.
pub(crate) async fn sent(
    ingest: &mut Ingest,
    numbers: impl IntoIterator<Item = u32>,
    sending: impl Future<Output = Vec<u16>>,
) -> Vec<u16> {
    let reading = async {
        for number in numbers {
            assert_eq!(next(ingest).await, Ok(number));
        }
        // The last request is answered after its picture was taken.
        loop {
            let event = ingest.next().await;
            assert!(!matches!(event, Some(Event::Frame(_))), "one too many");
        }
    };
    tokio::select! {
        statuses = sending => statuses,
        () = reading => unreachable!("it has no end"),
    }
}

/// A multipart body of these pictures.
pub(crate) fn parts(numbers: impl IntoIterator<Item = u32>) -> Vec<u8> {
    let mut body = Vec::new();
    for number in numbers {
        let picture = jpeg::numbered(number);
        let head = format!(
            "--b\r\nContent-Type: image/jpeg\r\nContent-Length: {}\r\n\r\n",
            picture.len()
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(&picture);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--b--\r\n");
    body
}

/// The same in chunks.
pub(crate) fn chunked(body: &[u8], piece: usize) -> Vec<u8> {
    let mut chunks = Vec::new();
    for chunk in body.chunks(piece) {
        chunks.extend_from_slice(format!("{:x};ext=1\r\n", chunk.len()).as_bytes());
        chunks.extend_from_slice(chunk);
        chunks.extend_from_slice(b"\r\n");
    }
    chunks.extend_from_slice(b"0\r\nTrailer: x\r\n\r\n");
    chunks
}

const MULTIPART: &str = "Content-Type: multipart/x-mixed-replace; boundary=b";

#[tokio::test]
async fn pictures_come_by_post_and_put_in_every_form() {
    let addr = free_addr().await;
    let mut ingest = listening(&format!("http-listen://{addr}/cam1")).await;
    let sending = async {
        let mut client = Client::connect(addr).await;
        let mut statuses = Vec::new();
        // One picture per request, on one connection.
        for (number, head) in [
            (1, "POST /cam1 HTTP/1.1\r\nContent-Type: image/jpeg"),
            (
                2,
                "PUT /cam1 HTTP/1.1\r\nContent-Type: application/octet-stream",
            ),
            (3, "POST /cam%31?any=thing HTTP/1.1"),
        ] {
            statuses.push(client.send(head, &jpeg::numbered(number)).await.status);
        }
        let picture = jpeg::numbered(4);
        for piece in [1, 7, picture.len()] {
            let head = "POST /cam1 HTTP/1.1\r\nTransfer-Encoding: chunked";
            let chunks = chunked(&picture, piece);
            statuses.push(client.send_as_it_is(head, &chunks).await.status);
        }
        let head = format!("POST /cam1 HTTP/1.1\r\n{MULTIPART}");
        let answer = client.send(&head, &parts([5, 6, 7])).await;
        assert_eq!(answer.text, "3 pictures taken\n");
        statuses.push(answer.status);
        let head = format!("POST /cam1 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n{MULTIPART}");
        let chunks = chunked(&parts([8, 9]), 100);
        statuses.push(client.send_as_it_is(&head, &chunks).await.status);
        // An old sender, whose body ends with the connection.
        let mut old = Client::connect(addr).await;
        let answer = old
            .send_to_end("POST /cam1 HTTP/1.0", &jpeg::numbered(10))
            .await;
        statuses.push(answer.status);
        statuses
    };
    let numbers = [1, 2, 3, 4, 4, 4, 5, 6, 7, 8, 9, 10];
    let statuses = sent(&mut ingest, numbers, sending).await;
    assert_eq!(statuses, [200; 9]);
}

#[tokio::test]
async fn picture_of_a_stream_is_taken_when_it_comes() {
    let addr = free_addr().await;
    let mut ingest = listening(&format!("http-listen://{addr}/cam1")).await;
    let mut client = Client::connect(addr).await;
    let head = format!("POST /cam1 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n{MULTIPART}\r\n\r\n");
    client.write(head.as_bytes()).await;
    for number in 0..5 {
        // Without its end.
        let part = parts([number]);
        let part = &part[..part.len() - b"--b--\r\n".len()];
        let chunk = chunked(part, part.len());
        client
            .write(&chunk[..chunk.len() - b"0\r\nTrailer: x\r\n\r\n".len()])
            .await;
        assert_eq!(next(&mut ingest).await, Ok(number));
    }
}

#[tokio::test]
async fn time_of_a_picture_is_told_in_the_head_of_its_request_or_part() {
    let addr = free_addr().await;
    let mut ingest = listening(&format!("http-listen://{addr}/cam1")).await;
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let sending = async {
        let mut client = Client::connect(addr).await;
        let head = format!("POST /cam1 HTTP/1.1\r\nX-Timestamp: {now}.250000");
        client.send(&head, &jpeg::numbered(1)).await;
        let part = format!("--b\r\nContent-Type: image/jpeg\r\nX-Timestamp: {now}.5\r\n\r\n");
        let body = [part.as_bytes(), &jpeg::numbered(2), b"\r\n--b--\r\n"].concat();
        let head = format!("POST /cam1 HTTP/1.1\r\n{MULTIPART}");
        client.send(&head, &body).await;
        std::future::pending::<()>().await;
    };
    let reading = async {
        let mut times = Vec::new();
        while times.len() < 2 {
            if let Some(Event::Frame(captured)) = ingest.next().await {
                let camera = captured.stamp.camera().expect("a time of the camera");
                times.push(camera.duration_since(UNIX_EPOCH).unwrap().as_millis());
            }
        }
        times
    };
    let times = tokio::select! {
        times = reading => times,
        () = sending => unreachable!("it has no end"),
    };
    let now = u128::from(now) * 1000;
    assert_eq!(times, [now + 250, now + 500]);
}

#[test]
fn texts_of_such_sources_are_whole_and_show_no_token() {
    for (url, label) in [
        ("http-listen://127.0.0.1:8090/cam1", None),
        ("http-listen://0.0.0.0:8090/a/b%20c#open", None),
        ("http-listen://[::]:8090/#open&stall_limit=2m", None),
        (
            "http-listen://0.0.0.0:8090/cam1#token=hunter2&stall_limit=2m",
            Some("http-listen://0.0.0.0:8090/cam1#token=***&stall_limit=2m"),
        ),
        ("push:", None),
        ("push:#stall_limit=2m", None),
    ] {
        let source: Source = url.parse().unwrap();
        assert_eq!(source.reveal(), url);
        assert_eq!(source.to_string(), label.unwrap_or(url));
        assert!(!format!("{source:?}").contains("hunter2"));
        assert_eq!(source, url.parse().unwrap());
        assert!(source.is_passive());
    }
    let kind = |url: &str| url.parse::<Source>().unwrap().kind().to_owned();
    assert_eq!(kind("http-listen://127.0.0.1:1"), "http-listen");
    assert_eq!(kind("push:"), "push");
    let spelled: Source = "http-listen://127.0.0.1:1#token=a%2Fb".parse().unwrap();
    assert_eq!(
        spelled,
        "http-listen://127.0.0.1:1/#token=a/b".parse().unwrap()
    );
}

#[test]
fn what_is_wrong_with_such_a_url_is_said_without_its_secrets() {
    for (url, says) in [
        (
            "http-listen://:8090/cam1#token=x",
            "the address to listen at is missing",
        ),
        (
            "http-listen://#token=x",
            "the address to listen at is missing",
        ),
        ("http-listen://0.0.0.0:8090/cam1", "add #token=SECRET"),
        ("http-listen://[::]:8090/cam1", "add #token=SECRET"),
        (
            "http-listen://[::ffff:192.0.2.1]:8090/cam1",
            "add #token=SECRET",
        ),
        ("http-listen://0.0.0.0/cam1#open", "the port is missing"),
        (
            "http-listen://0.0.0.0:0/cam1#open",
            "the port is not a number",
        ),
        ("http-listen://relay:8090/cam1#open", "not an IP address"),
        ("http-listen://::1:8090/cam1#open", "not an IP address"),
        (
            "http-listen://me:hunter2@0.0.0.0:1/",
            "stands behind the path",
        ),
        (
            "http-listen://127.0.0.1:1/?token=hunter2",
            "stands behind the path",
        ),
        (
            "http-listen://127.0.0.1:1/%FF",
            "characters that must be written",
        ),
        (
            "http-listen://127.0.0.1:1/a%0Ab",
            "characters that must be written",
        ),
        (
            "http-listen://127.0.0.1:1#token=",
            "\"token\" is not an option",
        ),
        (
            "http-listen://127.0.0.1:1#token=hunter2&open",
            "\"open\" is not an option",
        ),
        (
            "http-listen://127.0.0.1:1#open&token=hunter2",
            "\"token\" is not an option",
        ),
        (
            "http-listen://127.0.0.1:1#fps=5",
            "\"fps\" is not an option",
        ),
        ("http-listen:127.0.0.1:1", "a source is a URL"),
        ("push://0.0.0.0:8090", "push: has no address"),
        ("push:#fps=5", "\"fps\" is not an option"),
    ] {
        let error = url.parse::<Source>().unwrap_err();
        let text = error.to_string();
        assert!(text.contains(says), "{url}: {text}");
        assert!(!text.contains("hunter2") && !format!("{error:?}").contains("hunter2"));
    }
}

/// An address of this machine at which nobody listens.
pub(crate) async fn addr() -> SocketAddr {
    free_addr().await
}
