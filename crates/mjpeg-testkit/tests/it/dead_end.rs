use std::io;
use std::time::Duration;

use mjpeg_testkit::{FullBacklog, refused_addr};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

#[tokio::test]
async fn a_refused_addr_refuses() {
    let addr = refused_addr().await;
    for _ in 0..3 {
        let error = TcpStream::connect(addr).await.expect_err("nobody listens");
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    }
}

#[tokio::test]
async fn refused_addrs_differ() {
    assert_ne!(refused_addr().await, refused_addr().await);
}

#[tokio::test]
async fn a_refused_addr_can_be_listened_on() {
    let addr = refused_addr().await;
    let listener = TcpListener::bind(addr).await.expect("the port can be had");
    TcpStream::connect(addr).await.expect("somebody listens");
    drop(listener);
    TcpStream::connect(addr).await.expect_err("nobody listens");
}

#[tokio::test]
async fn a_connect_to_a_full_backlog_hangs() {
    let full = FullBacklog::start().await;
    for _ in 0..2 {
        let connect = TcpStream::connect(full.addr());
        let waited = timeout(Duration::from_secs(1), connect).await;
        assert!(waited.is_err(), "{waited:?}");
    }
}
