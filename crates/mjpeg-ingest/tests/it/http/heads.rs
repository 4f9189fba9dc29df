//! Heads of responses that no standard allows, and that cameras send.

use std::{fs, path::Path, time::Duration};

use mjpeg_ingest::Event;
use mjpeg_testkit::{FakeHttpCamera, Step, jpeg};

use super::{
    counted, event, next_number, once, open, part, picture, send, stream_head, until_offline,
};

fn data(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    fs::read(folder.join(name)).unwrap()
}

/// The number of frames of a camera that sends this response once.
async fn frames(answer: Vec<u8>) -> usize {
    let camera = once(answer);
    let mut ingest = open(&camera.url("/"));
    let mut frames = 0;
    loop {
        match event(&mut ingest).await {
            Event::Frame(_) => frames += 1,
            Event::Discarded { reason, .. } => assert!(!reason.is_frame(), "{reason}"),
            Event::Offline { .. } => return frames,
            _ => {}
        }
    }
}

/// A stream of three pictures below these lines.
fn stream(head: &str) -> Vec<u8> {
    let head = format!("{head}Content-Type: multipart/x-mixed-replace;boundary=b\r\n\r\n--b\r\n");
    [head.as_bytes(), &part(1), &part(2), &part(3)].concat()
}

#[tokio::test]
async fn streams_of_odd_cameras_are_read_in_full() {
    for (name, expected) in [
        ("content_encoding_none.http", 30),
        ("head_content_length_minus1.http", 30),
        ("head_of_105_headers.http", 30),
        ("picture_octet_stream_no_length.http", 1),
    ] {
        assert_eq!(frames(data(name)).await, expected, "{name}");
    }
}

#[tokio::test]
async fn head_that_is_not_needed_ends_no_stream() {
    for line in [
        "Content-Length: -1",
        "Content-Length:",
        "Content-Length: many",
        "Content-Length: 5\r\nContent-Length: 6",
        "Content-Length: 99999999999999999999",
        "Content-Length: 0",
        "Content-Encoding: none",
        "Content-Encoding: binary",
        "Content-Encoding: 8bit",
        "Content-Encoding:",
        "Content-Encoding: identity",
        "Transfer-Encoding: chunked",
        "Transfer-Encoding: identity",
        "Transfer-Encoding: binary",
        "Connection: Upgrade",
        "K\u{fc}che: \u{1}\u{2}",
        ": nothing",
        "no colon",
    ] {
        for version in ["HTTP/1.0 200 OK", "HTTP/1.1 200 OK"] {
            let answer = stream(&format!("{version}\r\n{line}\r\n"));
            assert_eq!(frames(answer).await, 3, "{version} {line}");
        }
    }
    for status in [
        "HTTP/1.1 200",
        "HTTP/1.1  206  Partial",
        "HTTP/1.0 203 x",
        "ICY 200 OK",
        "http/1.1 200 ok",
    ] {
        assert_eq!(
            frames(stream(&format!("{status}\r\n"))).await,
            3,
            "{status}"
        );
    }
}

#[tokio::test]
async fn chunks_of_an_old_version_are_undone() {
    let body = [&b"--b\r\n"[..], &part(1), &part(2), &part(3)].concat();
    let mut answer = b"HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for chunk in body.chunks(77) {
        answer.extend_from_slice(format!("{:x};a=b\r\n", chunk.len()).as_bytes());
        answer.extend_from_slice(chunk);
        answer.extend_from_slice(b"\r\n");
    }
    answer.extend_from_slice(b"0\r\nTrailer: x\r\n\r\n");
    assert_eq!(frames(answer).await, 3);
}

#[tokio::test]
async fn answer_without_a_head_is_known_by_its_bytes() {
    let parts = [&b"--b\r\n"[..], &part(1), &part(2), &part(3)].concat();
    assert_eq!(frames(parts).await, 3);
    let images = [jpeg::numbered(1), jpeg::numbered(2)].concat();
    assert_eq!(frames(images).await, 2);
    let camera = FakeHttpCamera::saying(jpeg::numbered(7));
    let mut ingest = open(&camera.url("/#fps=50"));
    for _ in 0..3 {
        assert_eq!(next_number(&mut ingest).await, 7);
    }
}

#[tokio::test]
async fn any_success_with_a_body_is_a_picture() {
    for status in [
        "206 Partial Content",
        "203 Non-Authoritative",
        "201 Created",
    ] {
        let camera = counted(move |n| {
            vec![super::answer(
                status,
                "Content-Type: image/jpeg\r\n",
                &jpeg::numbered(n),
            )]
        });
        let mut ingest = open(&camera.url("/#fps=50"));
        for n in 1..=3 {
            assert_eq!(next_number(&mut ingest).await, n, "{status}");
        }
    }
}

#[tokio::test]
async fn informational_heads_are_passed_over_up_to_a_limit() {
    let informed = |heads: usize| {
        let heads = "HTTP/1.1 100 Continue\r\nX: y\r\n\r\n".repeat(heads);
        FakeHttpCamera::start(move |_| {
            vec![
                send(heads.clone()),
                stream_head(),
                send(part(1)),
                Step::Stall,
            ]
        })
    };
    assert_eq!(next_number(&mut open(&informed(8).url("/"))).await, 1);
    let (_, error) = until_offline(&mut open(&informed(9).url("/"))).await;
    assert!(error.contains("more than 8 informational heads"), "{error}");
    // One that never stops is left after as many.
    let endless = send("HTTP/1.1 102 Processing\r\n\r\n".repeat(100));
    let endless = FakeHttpCamera::start(move |_| vec![endless.clone(), Step::Goto(0)]);
    let (_, error) = until_offline(&mut open(&endless.url("/"))).await;
    assert!(error.contains("(max_informational_heads)"), "{error}");
}

#[tokio::test]
async fn connection_may_be_asked_to_close() {
    let camera = counted(|n| vec![picture(n)]);
    let mut ingest = open(&camera.url("/#fps=50&header=Connection:%20close"));
    for n in 1..=3 {
        assert_eq!(next_number(&mut ingest).await, n);
    }
    for asked in camera.requests() {
        assert_eq!(asked.header("connection"), Some("close"));
    }
    assert!(camera.camera().most_open() == 1);
}

#[tokio::test]
async fn head_that_comes_byte_by_byte_is_read() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: ";
    let image = jpeg::numbered(5);
    let head = format!("{head}{}\r\n\r\n", image.len());
    let mut steps: Vec<Step> = head
        .bytes()
        .flat_map(|byte| [send(vec![byte]), Step::Wait(Duration::from_millis(1))])
        .collect();
    steps.push(send(image));
    let camera = FakeHttpCamera::start(move |_| steps.clone());
    assert_eq!(next_number(&mut open(&camera.url("/"))).await, 5);
}
