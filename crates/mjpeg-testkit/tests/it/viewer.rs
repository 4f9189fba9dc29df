use std::io;
use std::time::Duration;

use bytes::Bytes;
use mjpeg_testkit::{Faults, Viewer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::sleep;

const HEAD: &str = "HTTP/1.0 200 OK\r\nConnection: close\r\n\
    Content-Type: multipart/x-mixed-replace;boundary=edge\r\n\r\n";

/// Opens `/live?x` at a server that answers one request with these chunks, then closes. Returns the
/// request.
async fn opened(chunks: Vec<Bytes>) -> (io::Result<Viewer>, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let addr = listener.local_addr().expect("it is bound");
    let server = tokio::spawn(async move {
        let (mut stream, peer) = listener.accept().await.expect("a viewer comes");
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            request.push(stream.read_u8().await.expect("a whole request"));
        }
        for chunk in chunks {
            stream.write_all(&chunk).await.expect("the viewer reads");
            sleep(Duration::from_micros(100)).await;
        }
        format!("{peer} {}", String::from_utf8_lossy(&request))
    });
    let viewer = Viewer::open_with(addr, "/live?x", &[("X-One", "1")]).await;
    (viewer, server)
}

async fn stream_of(body: &[u8]) -> Viewer {
    let whole = Bytes::from([HEAD.as_bytes(), body].concat());
    opened(vec![whole])
        .await
        .0
        .expect("the head is well formed")
}

async fn error_of(body: &[u8]) -> io::Error {
    let mut viewer = stream_of(body).await;
    loop {
        match viewer.next_part().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("a clean end"),
            Err(error) => return error,
        }
    }
}

#[tokio::test]
async fn sends_a_plain_request() {
    let (viewer, server) = opened(vec![Bytes::from_static(HEAD.as_bytes())]).await;
    let viewer = viewer.expect("the head is well formed");
    let request = server.await.expect("the server is done");
    let (peer, request) = request.split_once(' ').expect("as written above");
    assert_eq!(peer, viewer.local_addr().to_string());
    let mut lines = request.split("\r\n");
    assert_eq!(lines.next(), Some("GET /live?x HTTP/1.1"));
    assert!(
        lines
            .next()
            .is_some_and(|line| line.starts_with("Host: 127.0.0.1:"))
    );
    assert_eq!(lines.collect::<Vec<_>>(), ["X-One: 1", "", ""]);
}

#[tokio::test]
async fn reads_the_head() {
    let viewer = stream_of(b"").await;
    let head = viewer.head();
    assert_eq!(head.status_line, "HTTP/1.0 200 OK");
    assert_eq!(head.status, 200);
    assert_eq!(head.headers.len(), 2);
    assert_eq!(head.header("connection"), Some("close"));
    assert_eq!(head.header("Nothing"), None);
}

/// Two parts: one with a body that looks like a delimiter, one without length, its headers sent
/// ahead.
const BODY: &[u8] =
    b"--edge\r\nContent-Type: image/jpeg\r\ncontent-length: 14\r\nX-Timestamp: 1.5\r\n\r\n\
    ab\r\n--edge\r\ncd\r\n--edge\r\nContent-Type: image/png\r\n\r\nno length\r\n--edge\r\n";

#[tokio::test]
async fn parts_come_out_whatever_the_chunks() {
    let whole = Bytes::from([HEAD.as_bytes(), BODY].concat());
    let bytes = whole.chunks(1).map(Bytes::copy_from_slice).collect();
    let mut splits = vec![vec![whole.clone()], bytes];
    splits.extend((0..5).map(|seed| Faults::new(seed).chunks(&whole)));
    for chunks in splits {
        let mut viewer = opened(chunks).await.0.expect("the head is well formed");
        let first = viewer
            .next_part()
            .await
            .expect("well formed")
            .expect("a part");
        assert_eq!(&first.body[..], b"ab\r\n--edge\r\ncd");
        assert_eq!(first.header("X-TIMESTAMP"), Some("1.5"));
        assert_eq!(first.headers.len(), 3);
        let second = viewer.next_frame().await.expect("well formed");
        assert_eq!(second.as_deref(), Some(&b"no length"[..]));
        assert!(viewer.next_part().await.expect("a clean end").is_none());
        assert!(
            viewer
                .next_part()
                .await
                .expect("still at its end")
                .is_none()
        );
    }
}

#[tokio::test]
async fn an_end_inside_a_part_is_unexpected() {
    let first = BODY
        .windows(15)
        .position(|window| window == b"cd\r\n--edge\r\nCon")
        .expect("as written above")
        + 12;
    let ahead = BODY.len() - b"no length\r\n--edge\r\n".len();
    for end in 0..=BODY.len() {
        // Right after a delimiter, or after headers that were sent ahead.
        let is_clean = [8, first, ahead, BODY.len()].contains(&end);
        let mut viewer = stream_of(&BODY[..end]).await;
        let last = loop {
            match viewer.next_part().await {
                Ok(Some(_)) => {}
                Ok(None) => break None,
                Err(error) => break Some(error.kind()),
            }
        };
        let expected = (!is_clean).then_some(io::ErrorKind::UnexpectedEof);
        assert_eq!(last, expected, "ended after {end} bytes");
    }
}

#[tokio::test]
async fn another_wire_form_is_told_apart() {
    for (body, complaint) in [
        (
            &b"\r\n--edge\r\nContent-Length: 0\r\n\r\n"[..],
            "the body starts with",
        ),
        (
            b"--other\r\nContent-Length: 0\r\n\r\n",
            "the body starts with",
        ),
        (
            b"--edge\r\nContent-Length: 3\r\n\r\nabcd\r\n--edge\r\n",
            r#"part 0: after its body of 3 bytes comes "d\r\n--edge\r\n" and not "\r\n--edge\r\n""#,
        ),
        (
            b"--edge\r\nContent-Length: 1\r\n\r\na\r\n\
              --edge\r\nContent-Length: 1\r\n\r\nb--edge\r\n",
            "part 1: after its body",
        ),
        (
            b"--edge\r\nContent-Length: 1\r\n\r\na\r\n--edge--\r\n",
            "after its body",
        ),
        (
            b"--edge\r\nContent-Length: 1\r\n\r\na--edge\r\n",
            "after its body",
        ),
        (
            b"--edge\r\nContent-Length: many\r\n\r\na",
            "no length: \"many\"",
        ),
        (b"--edge\r\nContent-Length 1\r\n\r\na", "without a colon"),
    ] {
        let error = error_of(body).await;
        assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{error}");
        assert!(error.to_string().contains(complaint), "{error}");
    }
}

#[tokio::test]
async fn a_response_that_is_no_stream_has_a_head_but_no_parts() {
    for (head, complaint) in [
        (
            "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
            "404 Not Found",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\n\r\n",
            "image/jpeg",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace\r\n\r\n",
            "wanted multipart",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\
             Content-Type: multipart/x-mixed-replace;boundary=b\r\n\r\n",
            "chunked",
        ),
    ] {
        let (viewer, _) = opened(vec![Bytes::from(head)]).await;
        let mut viewer = viewer.expect("the head is well formed");
        assert!(viewer.head().status_line.starts_with("HTTP/1.1 "));
        let error = viewer.next_part().await.expect_err("no parts");
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        assert!(error.to_string().contains(complaint), "{error}");
    }
}

#[tokio::test]
async fn a_quoted_boundary_is_understood() {
    let response = "HTTP/1.0 200 OK\r\n\
        content-type: Multipart/X-Mixed-Replace; charset=x; Boundary=\"a b\"\r\n\r\n\
        --a b\r\n\r\nx\r\n--a b\r\n";
    let (viewer, _) = opened(vec![Bytes::from(response)]).await;
    let mut viewer = viewer.expect("the head is well formed");
    let frame = viewer.next_frame().await.expect("well formed");
    assert_eq!(frame.as_deref(), Some(&b"x"[..]));
}

#[tokio::test]
async fn a_broken_head_fails_the_open() {
    let broken = [
        ("SMTP ready\r\n\r\n", io::ErrorKind::InvalidData),
        ("HTTP/1.1 abc OK\r\n\r\n", io::ErrorKind::InvalidData),
        (
            "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
            io::ErrorKind::InvalidData,
        ),
        ("HTTP/1.1 200 OK\r\nA: b\r\n", io::ErrorKind::UnexpectedEof),
    ];
    for (head, kind) in broken {
        let (viewer, _) = opened(vec![Bytes::from(head)]).await;
        assert_eq!(viewer.expect_err("no head").kind(), kind, "{head:?}");
    }
}

#[tokio::test]
async fn a_reader_of_raw_bytes_gets_what_it_asks_for() {
    let mut viewer = stream_of(BODY).await;
    let mut all = Vec::new();
    loop {
        let some = viewer
            .read_raw(7)
            .await
            .expect("the server closes in order");
        if some.is_empty() {
            break;
        }
        assert!(some.len() <= 7);
        all.extend_from_slice(&some);
    }
    assert_eq!(all, BODY);
}

#[tokio::test]
async fn the_socket_can_be_taken_away() {
    let viewer = stream_of(b"").await;
    let addr = viewer.local_addr();
    let stream = viewer.into_stream();
    assert_eq!(stream.local_addr().expect("it is connected"), addr);
}
