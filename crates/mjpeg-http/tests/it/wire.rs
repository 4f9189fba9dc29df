//! The bytes on the wire.

use mjpeg_http::StreamConfig;
use mjpeg_testkit::{Response, Viewer, jpeg, request};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{Served, publish_number};

async fn ask(served: &Served, head: &str) -> Response {
    request(
        served.addr,
        format!("{head}\r\nHost: test\r\nConnection: close\r\n\r\n"),
    )
    .await
    .expect("an answer")
}

#[tokio::test]
async fn response_is_exactly_this() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let served = Served::start(consumer, StreamConfig::default());
    publish_number(&producer, 1);
    let mut stream = TcpStream::connect(served.addr).await.unwrap();
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
        .await
        .unwrap();
    let image = jpeg::numbered(1);
    let mut received = Vec::new();
    while !received.ends_with(b"\xFF\xD9\r\n--boundarydonotcross\r\n") {
        assert!(
            stream.read_buf(&mut received).await.unwrap() > 0,
            "ended early"
        );
    }
    let head_end = received.windows(4).position(|w| w == b"\r\n\r\n").unwrap() + 4;
    let head = String::from_utf8(received[..head_end].to_vec()).unwrap();
    let (date, rest): (Vec<_>, Vec<_>) = head
        .split("\r\n")
        .partition(|line| line.starts_with("date: "));
    assert_eq!(date.len(), 1);
    let expected = "HTTP/1.0 200 OK\r\nconnection: close\r\n\
        content-type: multipart/x-mixed-replace;boundary=boundarydonotcross\r\n\
        cache-control: no-store, no-cache, must-revalidate, max-age=0\r\npragma: no-cache\r\n\
        expires: Mon, 03 Jan 2000 12:34:56 GMT\r\nx-accel-buffering: no\r\n\
        access-control-allow-origin: *\r\n\
        access-control-expose-headers: ETag, Age, Last-Modified, Retry-After, X-Timestamp, X-Online\r\n\
        cross-origin-resource-policy: cross-origin\r\ntiming-allow-origin: *\r\n\r\n";
    assert_eq!(rest.join("\r\n"), expected);

    let body = &received[head_end..];
    let start = format!(
        "--boundarydonotcross\r\nContent-Type: image/jpeg\r\nContent-Length: {}\r\nX-Timestamp: ",
        image.len()
    );
    assert!(body.starts_with(start.as_bytes()));
    let stamp = &body[start.len()..][..17];
    assert!(stamp.iter().enumerate().all(|(i, b)| if i == 10 {
        *b == b'.'
    } else {
        b.is_ascii_digit()
    }));
    let end = [b"\r\n\r\n", &image[..], b"\r\n--boundarydonotcross\r\n"].concat();
    assert_eq!(&body[start.len() + 17..], end);
}

#[tokio::test]
async fn every_frame_arrives_whole_and_in_order() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let served = Served::start(consumer, StreamConfig::default());
    let mut viewer = Viewer::open(served.addr, "/").await.unwrap();
    for n in 0..50 {
        publish_number(&producer, n);
        assert_eq!(
            viewer.next_frame().await.unwrap().unwrap(),
            jpeg::numbered(n)
        );
    }
}

#[tokio::test]
async fn header_comes_before_there_is_any_frame() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let served = Served::start(consumer, StreamConfig::default());
    let mut viewer = Viewer::open(served.addr, "/").await.unwrap();
    assert_eq!(viewer.head().status, 200);
    publish_number(&producer, 3);
    assert_eq!(
        viewer.next_frame().await.unwrap().unwrap(),
        jpeg::numbered(3)
    );
}

#[tokio::test]
async fn query_strings_of_every_kind_give_the_stream() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let served = Served::start(consumer, StreamConfig::default());
    publish_number(&producer, 1);
    for path in [
        "/?",
        "/?1608856928650",
        "/?action=stream&1608856928650",
        "/?a=b&&=&%zz",
        "/?dummy.mjpg",
    ] {
        let mut viewer = Viewer::open(served.addr, path).await.unwrap();
        assert_eq!(viewer.head().status, 200, "{path}");
        assert!(viewer.next_frame().await.unwrap().is_some());
    }
}

#[tokio::test]
async fn http_1_0_client_gets_the_stream_too() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let served = Served::start(consumer, StreamConfig::default());
    publish_number(&producer, 1);
    let mut stream = TcpStream::connect(served.addr).await.unwrap();
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").await.unwrap();
    let mut received = Vec::new();
    while !received.ends_with(b"\xFF\xD9\r\n--boundarydonotcross\r\n") {
        assert!(
            stream.read_buf(&mut received).await.unwrap() > 0,
            "ended early"
        );
    }
    assert!(received.starts_with(b"HTTP/1.0 200 OK\r\n"));
}

#[tokio::test]
async fn head_has_the_streams_header_and_ends() {
    let (_producer, consumer) = mjpeg_fanout::channel();
    let served = Served::start(consumer, StreamConfig::default());
    let mut stream = TcpStream::connect(served.addr).await.unwrap();
    stream
        .write_all(b"HEAD / HTTP/1.1\r\nHost: test\r\n\r\n")
        .await
        .unwrap();
    let mut received = String::new();
    stream.read_to_string(&mut received).await.unwrap();
    assert!(received.starts_with("HTTP/1.0 200 OK\r\n"), "{received}");
    assert!(
        received
            .contains("content-type: multipart/x-mixed-replace;boundary=boundarydonotcross\r\n")
    );
    assert!(
        !received.contains("content-length"),
        "the length is not known: {received}"
    );
    assert!(received.ends_with("\r\n\r\n"), "{received}");
    assert_eq!(served.stats().viewers, 0);
}

#[tokio::test]
async fn head_makes_no_viewer() {
    // Through the service itself: on the wire, hyper would hide a body that was made needlessly.
    let (producer, consumer) = mjpeg_fanout::channel();
    let service = mjpeg_http::StreamService::new(consumer, StreamConfig::default());
    let request = http::Request::head("http://test/").body(()).unwrap();
    let response = hyper::service::Service::call(&service, request)
        .await
        .unwrap();
    assert_eq!(producer.demand().now(), 0);
    assert!(http_body::Body::is_end_stream(response.body()));
}

#[tokio::test]
async fn preflight_allows_all() {
    let (_producer, consumer) = mjpeg_fanout::channel();
    let served = Served::start(consumer, StreamConfig::default());
    let asked = "OPTIONS / HTTP/1.1\r\nOrigin: http://page\r\nAccess-Control-Request-Method: GET\r\n\
                 Access-Control-Request-Headers: x-token";
    let response = ask(&served, asked).await;
    assert_eq!(response.head.status, 204);
    assert_eq!(
        response.head.header("access-control-allow-origin"),
        Some("*")
    );
    assert_eq!(
        response.head.header("access-control-allow-methods"),
        Some("GET, HEAD, OPTIONS")
    );
    assert_eq!(
        response.head.header("access-control-allow-headers"),
        Some("*")
    );
    assert_eq!(
        response.head.header("access-control-max-age"),
        Some("86400")
    );
    let private = "access-control-allow-private-network";
    assert_eq!(response.head.header(private), None, "not asked for");
    assert_eq!(ask(&served, "OPTIONS * HTTP/1.1").await.head.status, 204);
}

#[tokio::test]
async fn preflight_names_what_a_wildcard_does_not_cover() {
    let (_producer, consumer) = mjpeg_fanout::channel();
    let served = Served::start(consumer, StreamConfig::default());
    let allowed = async |names: &str| {
        let asked = format!(
            "OPTIONS /snapshot HTTP/1.1\r\nOrigin: https://page\r\n\
             Access-Control-Request-Method: GET\r\n\
             Access-Control-Request-Private-Network: true\r\n\
             Access-Control-Request-Headers: {names}"
        );
        let response = ask(&served, &asked).await;
        let header = |name| response.head.header(name).map(str::to_owned);
        let private = header("access-control-allow-private-network");
        assert_eq!(private.as_deref(), Some("true"));
        assert!(
            header("vary")
                .unwrap()
                .contains("Access-Control-Request-Headers")
        );
        header("access-control-allow-headers").unwrap()
    };
    assert_eq!(allowed("authorization").await, "authorization");
    assert_eq!(
        allowed("x-token,Authorization").await,
        "x-token, Authorization"
    );
    // Only names are repeated, and not without end.
    assert_eq!(allowed("authorization, <b>, a b,").await, "authorization");
    assert_eq!(
        allowed(&format!("authorization,{}", "x".repeat(2000))).await,
        "*"
    );
    assert_eq!(allowed("").await, "*");
}

#[tokio::test]
async fn other_paths_are_not_found() {
    let (_producer, consumer) = mjpeg_fanout::channel();
    let served = Served::start(consumer, StreamConfig::default());
    for head in [
        "GET /nothing HTTP/1.1",
        "GET //x HTTP/1.1",
        &format!("GET {} HTTP/1.1", "/".repeat(200)),
        "POST /nothing HTTP/1.1",
        "OPTIONS /nothing HTTP/1.1",
    ] {
        let response = ask(&served, head).await;
        assert_eq!(response.head.status, 404, "{head}");
        assert_eq!(
            response.head.header("access-control-allow-origin"),
            Some("*")
        );
        assert!(
            response
                .body
                .starts_with(b"Nothing here. The stream is at /")
        );
    }
}

#[tokio::test]
async fn other_methods_are_refused_with_those_allowed() {
    let (_producer, consumer) = mjpeg_fanout::channel();
    let served = Served::start(consumer, StreamConfig::default());
    for method in ["POST", "PUT", "DELETE", "PATCH", "BREW"] {
        let response = ask(&served, &format!("{method} / HTTP/1.1")).await;
        assert_eq!(response.head.status, 405, "{method}");
        assert_eq!(response.head.header("allow"), Some("GET, HEAD, OPTIONS"));
        assert_eq!(
            response.head.header("access-control-allow-origin"),
            Some("*")
        );
    }
}

#[tokio::test]
async fn http_2_stream_has_no_connection_header() {
    // Through the service itself, as a foreign HTTP/2 server would call it.
    let (_producer, consumer) = mjpeg_fanout::channel();
    let service = mjpeg_http::StreamService::new(consumer, StreamConfig::default());
    let request = http::Request::builder()
        .version(http::Version::HTTP_2)
        .uri("http://test/")
        .body(())
        .unwrap();
    let response = hyper::service::Service::call(&service, request)
        .await
        .unwrap();
    assert_eq!(
        response.version(),
        http::Version::HTTP_11,
        "left to the server"
    );
    assert!(!response.headers().contains_key("connection"));
}

/// The stream is handed over only after the answer to the earlier request is flushed.
#[tokio::test]
async fn stream_may_be_asked_for_after_a_picture_on_one_connection() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let served = Served::start(consumer, StreamConfig::default());
    producer.set_status(mjpeg_fanout::Status::Online);
    publish_number(&producer, 1);
    let mut stream = TcpStream::connect(served.addr).await.unwrap();
    let asked = b"GET /snapshot HTTP/1.1\r\nHost: x\r\n\r\nGET /stream HTTP/1.1\r\nHost: x\r\n\r\n";
    stream.write_all(asked).await.unwrap();
    let delimiter = b"\xFF\xD9\r\n--boundarydonotcross\r\n";
    let mut received = Vec::new();
    for n in 2..=4 {
        let count = |bytes: &[u8]| {
            bytes
                .windows(delimiter.len())
                .filter(|w| w == delimiter)
                .count()
        };
        while count(&received) < n - 1 {
            assert!(
                stream.read_buf(&mut received).await.unwrap() > 0,
                "ended early"
            );
        }
        publish_number(&producer, n as u32);
    }
    let text = String::from_utf8_lossy(&received);
    assert_eq!(text.matches("200 OK\r\n").count(), 2);
    assert!(text.starts_with("HTTP/1.1 200 OK\r\n") && text.contains("HTTP/1.0 200 OK\r\n"));
}

/// There is a shard per worker thread. A viewer gets every frame, whichever shard serves it.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn viewers_on_several_threads_get_every_frame() {
    let (producer, consumer) = mjpeg_fanout::channel();
    let served = Served::start(consumer, StreamConfig::default());
    let mut viewers = Vec::new();
    for _ in 0..10 {
        viewers.push(
            Viewer::open(served.addr, "/?dual_final_frames=0")
                .await
                .unwrap(),
        );
    }
    for n in 0..50 {
        publish_number(&producer, n);
        for viewer in &mut viewers {
            assert_eq!(
                viewer.next_frame().await.unwrap().unwrap(),
                jpeg::numbered(n)
            );
        }
    }
    assert_eq!(served.service.viewers().len(), 10);
    assert_eq!(served.stop().await, 0);
    for viewer in &mut viewers {
        assert!(viewer.next_frame().await.unwrap().is_none());
    }
}
