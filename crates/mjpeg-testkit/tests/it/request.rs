use std::io;
use std::net::SocketAddr;

use mjpeg_testkit::{refused_addr, request};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What a server does after it has answered before reading the request.
enum Then {
    Close,
    /// Keeps the connection open.
    Keep,
}

async fn server(answer: &'static str, then: Then) -> (SocketAddr, JoinHandle<TcpStream>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let addr = listener.local_addr().expect("it is bound");
    let task = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a client comes");
        stream
            .write_all(answer.as_bytes())
            .await
            .expect("the client reads");
        if let Then::Close = then {
            stream.shutdown().await.expect("it was open");
        }
        stream
    });
    (addr, task)
}

#[tokio::test]
async fn a_body_is_as_long_as_it_says() {
    let (addr, task) = server(
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcdef",
        Then::Keep,
    )
    .await;
    let response = request(addr, "GET / HTTP/1.1\r\n\r\n")
        .await
        .expect("well formed");
    assert_eq!(response.head.status, 200);
    assert_eq!(response.head.header("content-length"), Some("3"));
    assert_eq!(&response.body[..], b"abc");
    let mut request = String::new();
    let mut stream = task.await.expect("the server is done");
    stream
        .read_to_string(&mut request)
        .await
        .expect("the client has closed");
    assert_eq!(request, "GET / HTTP/1.1\r\n\r\n");
}

#[tokio::test]
async fn a_body_without_length_goes_to_the_end() {
    let (addr, _task) = server("HTTP/1.0 500 Oh\r\n\r\nabcdef", Then::Close).await;
    let response = request(addr, b"GET /").await.expect("well formed");
    assert_eq!(response.head.status, 500);
    assert_eq!(&response.body[..], b"abcdef");
}

#[tokio::test]
async fn no_body_is_waited_for_where_there_is_none() {
    for (raw, answer) in [
        (
            "HEAD / HTTP/1.1\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n",
        ),
        ("GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\n"),
        (
            "GET / HTTP/1.1\r\n\r\n",
            "HTTP/1.1 304 Not Modified\r\n\r\n",
        ),
    ] {
        let (addr, _task) = server(answer, Then::Keep).await;
        let response = request(addr, raw).await.expect("well formed");
        assert!(response.body.is_empty());
    }
}

#[tokio::test]
async fn an_answer_before_the_request_is_read_counts() {
    let (addr, _task) = server(
        "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n",
        Then::Keep,
    )
    .await;
    // Far more than the sockets hold, and the server does not read it.
    let raw = vec![b'x'; 50_000_000];
    let response = request(addr, raw).await.expect("well formed");
    assert_eq!(response.head.status, 413);
}

#[tokio::test]
async fn a_short_body_is_unexpected_and_a_chunked_one_invalid() {
    let answers = [
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
            io::ErrorKind::UnexpectedEof,
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            io::ErrorKind::InvalidData,
        ),
        ("HTTP/1.1 200 OK\r\n", io::ErrorKind::UnexpectedEof),
        ("", io::ErrorKind::UnexpectedEof),
    ];
    for (answer, kind) in answers {
        let (addr, _task) = server(answer, Then::Close).await;
        let error = request(addr, "GET / HTTP/1.1\r\n\r\n")
            .await
            .expect_err("ill formed");
        assert_eq!(error.kind(), kind, "{answer:?}: {error}");
    }
}

#[tokio::test]
async fn nobody_there_is_an_error() {
    let error = request(refused_addr().await, "GET /")
        .await
        .expect_err("nobody listens");
    assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
}
