use std::time::Duration;

use mjpeg_testkit::{FakeHttpCamera, Step};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

async fn read(stream: &mut TcpStream, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    let reading = timeout(Duration::from_secs(10), stream.read_exact(&mut bytes));
    reading.await.expect("in time").expect("the camera sends");
    bytes
}

#[tokio::test]
async fn each_request_has_its_answer_on_one_connection_until_it_closes() {
    let camera = FakeHttpCamera::start(|asked| match asked.path() {
        "/a" => vec![Step::Send("one".into())],
        _ => vec![Step::Send("two".into()), Step::Close],
    });
    let mut stream = TcpStream::connect(camera.addr()).await.unwrap();
    // In pieces, and with the second request right after the first.
    stream.write_all(b"GET /a HTTP/1.1\r\nX-Key").await.unwrap();
    camera.camera().wait_connections(1).await;
    assert_eq!(
        camera.camera().open(),
        1,
        "counting must not eat the request"
    );
    let rest = b": 1 \r\n\r\nGET /b HTTP/1.1\r\n\r\n";
    stream.write_all(rest).await.unwrap();
    assert_eq!(read(&mut stream, 6).await, b"onetwo");
    assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
    let asked = camera.requests();
    assert_eq!(asked.len(), 2);
    assert_eq!(
        (asked[0].path(), asked[0].header("x-key")),
        ("/a", Some("1"))
    );
    assert_eq!((asked[1].connection, asked[1].header("x-key")), (0, None));
    assert_eq!(camera.camera().connections(), 1);
}

#[tokio::test]
async fn camera_that_always_says_the_same_closes_behind_it() {
    let camera = FakeHttpCamera::saying("hello");
    for connection in 0..2 {
        let mut stream = TcpStream::connect(camera.addr()).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
        assert_eq!(read(&mut stream, 5).await, b"hello");
        assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
        assert_eq!(camera.requests()[connection].connection, connection);
    }
    assert_eq!(camera.url("/x"), format!("http://{}/x", camera.addr()));
}
