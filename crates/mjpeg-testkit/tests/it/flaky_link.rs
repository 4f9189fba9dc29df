//! Tests of links that fail.

use std::time::Duration;

use mjpeg_testkit::FlakyLink;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};

const MOMENT: Duration = Duration::from_millis(100);

/// A link, and both ends of a connection over it.
async fn connected() -> (FlakyLink, TcpStream, TcpStream) {
    let server = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let link = FlakyLink::start(server.local_addr().expect("it is bound")).await;
    let near = TcpStream::connect(link.addr()).await.expect("it listens");
    let (far, _) = server.accept().await.expect("the link connects");
    (link, near, far)
}

#[tokio::test]
async fn silence_holds_up_what_is_sent_and_loses_nothing() {
    let (link, mut near, mut far) = connected().await;
    near.write_all(b"one").await.unwrap();
    let mut read = [0; 3];
    far.read_exact(&mut read).await.unwrap();
    assert_eq!(&read, b"one");
    link.silence();
    near.write_all(b"two").await.unwrap();
    far.write_all(b"2nd").await.unwrap();
    assert!(timeout(MOMENT, far.read_exact(&mut read)).await.is_err());
    assert!(timeout(MOMENT, near.read_exact(&mut read)).await.is_err());
    link.restore();
    far.read_exact(&mut read).await.unwrap();
    assert_eq!(&read, b"two");
    near.read_exact(&mut read).await.unwrap();
    assert_eq!(&read, b"2nd");
    drop(near);
    // A connection that is closed is told to the other end.
    far.read_exact(&mut read).await.unwrap_err();
}

#[tokio::test]
async fn reset_ends_every_connection_and_each_new_one_until_it_is_restored() {
    let (link, mut near, mut far) = connected().await;
    link.reset();
    near.read_exact(&mut [0]).await.unwrap_err();
    far.read_exact(&mut [0]).await.unwrap_err();
    let mut next = TcpStream::connect(link.addr()).await.unwrap();
    next.read_exact(&mut [0]).await.unwrap_err();
    link.restore();
    // Its server is gone by now, and so is this one.
    let mut last = TcpStream::connect(link.addr()).await.unwrap();
    last.read_exact(&mut [0]).await.unwrap_err();
}
