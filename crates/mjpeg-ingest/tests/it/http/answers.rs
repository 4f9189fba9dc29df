//! Responses of cameras: correct streams, and faults.

use std::time::Duration;

use mjpeg_ingest::{Event, Ingest, IngestConfig, mjpeg_codec::DiscardReason};
use mjpeg_testkit::{FakeHttpCamera, Step, jpeg};

use super::{answer, event, next_number, open, part, picture, send, stream_head, until_offline};

const CLOSED: &str = "the camera closed the connection";
const NO_ANSWER: &str = "the camera is connected, but did not answer within 300ms (answer_timeout)";
const CUT_SHORT: &str = "the camera closed the connection before its answer was complete";

/// Reads a camera that sends this response and closes the connection.
async fn read(answer: impl Into<bytes::Bytes>) -> (Vec<u32>, String) {
    let camera = FakeHttpCamera::saying(answer);
    until_offline(&mut open(&camera.url("/"))).await
}

async fn error(answer: impl Into<bytes::Bytes>) -> String {
    let (frames, error) = read(answer).await;
    assert_eq!(frames, []);
    error
}

fn chunk(bytes: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
}

#[tokio::test]
async fn multipart_stream_is_read_and_its_framing_is_no_loss() {
    let camera =
        FakeHttpCamera::start(|_| vec![stream_head(), send(part(1)), send(part(2)), Step::Stall]);
    let mut ingest = open(&camera.url("/video?channel=1"));
    let Event::Connecting = event(&mut ingest).await else {
        panic!("not connecting")
    };
    let Event::Online { peer } = event(&mut ingest).await else {
        panic!("not online")
    };
    assert_eq!(peer, camera.addr().to_string());
    let mut frames = 0;
    while frames < 2 {
        match event(&mut ingest).await {
            Event::Frame(_) => frames += 1,
            Event::Discarded { reason, .. } => assert_eq!(reason, DiscardReason::Framing),
            event => panic!("{event:?}"),
        }
    }
    let asked = camera.requests();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].path(), "/video?channel=1");
    assert_eq!(asked[0].header("host"), Some(&*camera.addr().to_string()));
    assert_eq!(asked[0].header("accept-encoding"), Some("identity"));
    assert!(
        asked[0]
            .header("user-agent")
            .unwrap()
            .starts_with("mjpeg-ingest/")
    );
    assert!(asked[0].header("accept").unwrap().contains("multipart"));
    assert_eq!(asked[0].header("authorization"), None);
    drop(ingest);
    tokio::time::timeout(Duration::from_secs(10), async {
        while camera.camera().open() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .expect("dropping the ingest closes the connection");
}

#[tokio::test]
async fn chunked_stream_is_read_whatever_the_chunks_cut() {
    let body = [b"--b\r\n".to_vec(), part(1), part(2), part(3)].concat();
    let chunks: Vec<u8> = body.chunks(100).flat_map(chunk).collect();
    let head = "HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=b\r\nTransfer-Encoding: chunked\r\n\r\n";
    let whole = [head.as_bytes(), &chunks, b"0\r\n\r\n"].concat();
    assert_eq!(read(whole.clone()).await, (vec![1, 2, 3], CLOSED.into()));
    let cut = whole[..whole.len() - 10].to_vec();
    assert_eq!(read(cut).await, (vec![1, 2, 3], CUT_SHORT.into()));
    let garbage = [head.as_bytes(), &chunk(&body), b"xyz\r\n"].concat();
    let (frames, error) = read(garbage).await;
    assert_eq!(frames, [1, 2, 3]);
    assert!(
        error.starts_with("the camera's answer is not HTTP as it should be: "),
        "{error}"
    );
}

#[tokio::test]
async fn boundary_and_lengths_may_lie() {
    let image = |n| jpeg::numbered(n).to_vec();
    for (boundary, length) in [
        ("--b", "1"),
        ("other", "99999999"),
        ("\"b\"", "x"),
        ("b", ""),
    ] {
        let body = (1..=3).flat_map(|n| {
            let head = format!("--b\r\nContent-Length: {length}\r\n\r\n");
            [head.as_bytes(), &image(n), b"\r\n"].concat()
        });
        let head = format!(
            "HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace;boundary={boundary}\r\n\r\n"
        );
        let all: Vec<u8> = head.bytes().chain(body).collect();
        assert_eq!(
            read(all).await,
            (vec![1, 2, 3], CLOSED.into()),
            "{boundary} {length}"
        );
    }
}

#[tokio::test]
async fn stream_without_a_proper_type_is_known_by_its_first_bytes() {
    let parts = [b"\r\n--b\r\n".to_vec(), part(1), part(2)].concat();
    let images = [jpeg::numbered(1), jpeg::numbered(2)].concat();
    for head in [
        "",
        "Content-Type: application/octet-stream\r\n",
        "Content-Type: text/plain\r\n",
    ] {
        for body in [&parts, &images] {
            let all = [format!("HTTP/1.0 200 OK\r\n{head}\r\n").as_bytes(), body].concat();
            assert_eq!(read(all).await, (vec![1, 2], CLOSED.into()), "{head}");
        }
    }
    // With a length it is a single image, which is requested again.
    let camera = FakeHttpCamera::start(|_| vec![answer("200 OK", "", &jpeg::numbered(7))]);
    let mut ingest = open(&camera.url("/#fps=60"));
    for _ in 0..3 {
        assert_eq!(next_number(&mut ingest).await, 7);
    }
}

#[tokio::test]
async fn headers_may_be_sloppy() {
    let head = "HTTP/1.0 200 OK\nServer : old\nContent-type:MULTIPART/x-mixed-replace\nno header at all\n\n--b\r\n";
    let all = [head.as_bytes(), &part(1), &part(2)].concat();
    assert_eq!(read(all).await, (vec![1, 2], CLOSED.into()));
}

#[tokio::test]
async fn page_is_an_error_that_names_its_type() {
    let page = |head: &str| format!("HTTP/1.0 200 OK\r\n{head}\r\n<html>log in</html>");
    let told = error(page("Content-Type: text/html; charset=utf-8\r\n")).await;
    assert!(
        told.starts_with("the camera sends text/html; charset=utf-8, which is neither"),
        "{told}"
    );
    let told = error(page("")).await;
    assert!(
        told.starts_with("the camera sends something of no named type, which"),
        "{told}"
    );
    let told = error("HTTP/1.0 200 OK\r\n\r\n").await;
    assert!(told.contains("of no named type"), "{told}");
}

#[tokio::test]
async fn status_is_told_with_what_to_do() {
    for (line, told) in [
        (
            "403 No",
            "the camera answers 403 Forbidden: this user may not",
        ),
        (
            "404 Not Found",
            "the camera answers 404 Not Found: the path in its URL",
        ),
        (
            "500 x",
            "the camera answers 500 Internal Server Error: it has trouble",
        ),
        (
            "503 Busy",
            "the camera answers 503 Service Unavailable: it may have too many",
        ),
        ("302 Found", "the camera answers 302 Found"),
        ("204 Empty", "the camera answers 204 No Content"),
    ] {
        let error = error(format!("HTTP/1.1 {line}\r\nContent-Length: 0\r\n\r\n")).await;
        assert!(error.starts_with(told), "{error}");
    }
}

#[tokio::test]
async fn compressed_answer_is_an_error() {
    for kind in ["multipart/x-mixed-replace", "image/jpeg"] {
        let head =
            format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Encoding: gzip\r\n\r\n");
        let told = error(head).await;
        assert!(
            told.starts_with("the camera sends its pictures compressed (gzip)"),
            "{told}"
        );
    }
}

#[tokio::test]
async fn endless_head_is_an_error() {
    let head = send("HTTP/1.1 200 OK\r\n");
    let drip = send(format!("X-A: {}\r\n", "a".repeat(1000)));
    let camera = FakeHttpCamera::start(move |_| vec![head.clone(), drip.clone(), Step::Goto(1)]);
    let (_, error) = until_offline(&mut open(&camera.url("/"))).await;
    assert!(
        error.starts_with("the head of the camera's answer is longer than 65536 bytes"),
        "{error}"
    );
    // What counts is the length: many small headers are no fault.
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "A: b\r\n".repeat(1000));
    let stream = [many.as_bytes(), b"--b\r\n", &part(1), &part(2)].concat();
    assert_eq!(read(stream).await, (vec![1, 2], CLOSED.into()));
}

#[tokio::test]
async fn answer_that_is_no_http_is_an_error() {
    for line in [
        "SSH-2.0-OpenSSH_9.2\r\n\r\n",
        "HTTP/9.9 hello\r\n\r\n",
        "\u{1}\u{2}\r\n\r\n",
    ] {
        let told = error(line).await;
        assert!(
            told.starts_with("the camera's answer is not HTTP as it should be: "),
            "{told}"
        );
    }
    assert_eq!(error("").await, CUT_SHORT);
    assert_eq!(error("HTTP/1.1 200 OK\r\nContent-Ty").await, CUT_SHORT);
}

#[tokio::test]
async fn wrong_length_ends_the_stream_with_what_was_whole() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace\r\nContent-Length: 100000\r\n\r\n--b\r\n";
    let all = [head.as_bytes(), &part(1), &part(2)].concat();
    assert_eq!(read(all).await, (vec![1, 2], CUT_SHORT.into()));
}

#[tokio::test]
async fn silence_is_a_stall_and_before_the_head_a_timeout() {
    let config = IngestConfig::default()
        .with_stall_limit(Duration::from_millis(300))
        .with_answer_timeout(Duration::from_millis(300));
    let silent = FakeHttpCamera::start(|_| vec![Step::Stall]);
    let source = |camera: &FakeHttpCamera| camera.url("/").parse().unwrap();
    let mut ingest = Ingest::new(source(&silent), config.clone());
    assert_eq!(until_offline(&mut ingest).await, (vec![], NO_ANSWER.into()));
    // A camera that is polled has three polls.
    for (steps, told) in [
        (
            vec![stream_head(), send(part(1)), Step::Stall],
            "the camera sent nothing for 300ms (stall_limit)",
        ),
        (vec![picture(1), Step::Stall], NO_ANSWER),
    ] {
        let halting = FakeHttpCamera::start(move |asked| {
            // One image comes, and then no more.
            if steps.len() == 2 && asked.connection > 0 {
                vec![Step::Stall]
            } else {
                steps.clone()
            }
        });
        let mut ingest = Ingest::new(source(&halting), config.clone());
        assert_eq!(until_offline(&mut ingest).await, (vec![1], told.into()));
    }
}
